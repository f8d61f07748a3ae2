"""One interface for all models, of tables and of texts. A model in MLflow's format carries this module with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import numpy as np
import pandas as pd

from core.edge.portable.ties import largest
from core.evaluation import LABEL_THRESHOLD
from core.finetune import label_texts
from core.label_cells import MULTILABEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.finetune import Text

__all__ = ["Label", "Predictor", "TablePredictor", "TextPredictor", "load_table", "load_text", "prediction_table"]

Label: TypeAlias = str | bool | int | float


class Predictor(ABC):
    """Predicts rows whose columns have the types of training.

    Parameters
    ----------
    labels : list or None
        The classes in the order of the probabilities, as the target has them; None for a number.
    several : bool
        Whether a row has any number of labels.
    """

    labels: Sequence[Label] | None
    several: bool = False

    @abstractmethod
    def outputs(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Return probabilities, shape (n, classes), or numbers, shape (n,); NaN where the row has nothing to read."""


class TablePipeline(Protocol):
    """A fitted pipeline that predicts raw frames, such as ``AutoMLResult.model``."""

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]: ...


@runtime_checkable
class TableClassifier(TablePipeline, Protocol):
    """A pipeline that predicts classes with their probabilities."""

    classes_: NDArray[np.generic]

    def predict_proba(self, frame: pd.DataFrame) -> NDArray[np.float64]: ...


class TablePredictor(Predictor):
    """Predicts rows of a table with a pipeline.

    Parameters
    ----------
    model : TablePipeline or TableClassifier
        The pipeline.
    """

    def __init__(self, model: TablePipeline) -> None:
        self.labels = None
        self._outputs = model.predict
        if isinstance(model, TableClassifier):
            self.labels = model.classes_.tolist()
            self._outputs = model.predict_proba

    def outputs(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Return what the pipeline predicts."""
        return np.asarray(self._outputs(frame), dtype=np.float64)


class TextPredictor(Predictor):
    """Predicts the texts of one column, or the pairs of two; empty texts get no prediction.

    Parameters
    ----------
    predict : callable
        Takes a list of texts, or of pairs; returns probabilities, shape (n, classes), or numbers, shape (n,).
    labels : list of str or None
        The classes or labels; None for a number.
    several : bool, default=False
        Whether a text has any number of labels.
    """

    def __init__(
        self, predict: Callable[[list[Text]], NDArray[np.float64]], labels: list[str] | None, *, several: bool = False
    ) -> None:
        self._predict = predict
        self.labels = labels
        self.several = several

    def outputs(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Return what the model predicts for the columns: one of texts, or two of pairs."""
        texts = frame.astype("string")
        has_text = (texts.notna() & (texts.apply(lambda column: column.str.strip()) != "")).all(axis=1).to_numpy(bool)
        outputs = np.full(len(frame) if self.labels is None else (len(frame), len(self.labels)), np.nan)
        if has_text.any():
            columns = [texts[has_text].iloc[:, side].tolist() for side in range(frame.shape[1])]
            outputs[has_text] = self._predict(columns[0] if len(columns) == 1 else list(zip(*columns, strict=True)))
        return outputs


def load_table(file: Path) -> TablePredictor:
    """Load a pipeline that was saved with its fixed list of trusted types.

    Raises
    ------
    StorageError
        When it holds other types.
    """
    from core.automl import load_model

    return TablePredictor(load_model(file))


def load_text(folder: Path, labels: list[str] | None, *, max_length: int, batch_size: int) -> TextPredictor:
    """Load a fine-tuned model from its folder of safetensors, configuration and tokenizer.

    Parameters
    ----------
    folder : Path
        The folder.
    labels : list of str or None
        The classes; None for a number.
    max_length : int
        Number of tokens that are read of each text.
    batch_size : int
        Number of texts that are predicted at once.
    """
    from core.finetune import (
        encode_texts,
        kind_of_config,
        load_text_model,
        quiet_transformers,
        text_model_outputs,
    )

    with quiet_transformers():
        model, tokenizer = load_text_model(folder)

    def predict(texts: list[Text]) -> NDArray[np.float64]:
        with quiet_transformers():
            encoded = encode_texts(tokenizer, texts, max_length)
            return text_model_outputs(model, tokenizer, encoded, batch_size)

    return TextPredictor(predict, labels, several=kind_of_config(model.config).name == MULTILABEL)


def prediction_table(
    outputs: NDArray[np.float64], labels: Sequence[Label] | None, index: pd.Index, *, several: bool = False
) -> pd.DataFrame:
    """Return the prediction of each row, then the probability of each class; missing where there is no prediction.

    The prediction is the class with the largest probability; of equal ones, up to the last digits, the first. Where a
    row has any number of labels, it is those with a probability of at least a half, with semicolons between them.

    Parameters
    ----------
    outputs : array of shape (n, classes) or (n,)
        Probabilities, or numbers.
    labels : sequence or None
        The classes; None for a number.
    index : Index
        Index of the table.
    several : bool, default=False
        Whether a row has any number of labels.

    Examples
    --------
    >>> outputs = np.array([[0.2, 0.8], [np.nan, np.nan]])
    >>> prediction_table(outputs, ["no", "yes"], pd.RangeIndex(2))["prediction"].tolist()
    ['yes', None]
    """
    if labels is None:
        return pd.DataFrame({"prediction": outputs}, index=index)
    predicted = ~np.isnan(outputs).any(axis=1)
    names = np.empty(len(labels), dtype=object)
    names[:] = labels
    if several:
        chosen = label_texts(list(map(str, labels)), np.nan_to_num(outputs) >= LABEL_THRESHOLD)
    else:
        chosen = names[largest(np.nan_to_num(outputs))]
    if not predicted.all():
        chosen[~predicted] = None
    prediction = pd.Series(chosen, index=index, dtype=object)
    table = {"prediction": prediction.infer_objects() if predicted.all() else prediction}
    table |= {f"p({label})": pd.Series(outputs[:, code], index=index) for code, label in enumerate(labels)}
    return pd.DataFrame(table, index=index)
