"""One interface to all that predicts, tables and texts. A model in MLflow's format carries this module with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Predictor", "TablePredictor", "TextPredictor", "load_table", "load_text", "table_of"]


class Predictor(ABC):
    """Answers for rows whose columns have the types of training.

    Parameters
    ----------
    labels : list or None
        The classes in the order of the probabilities, as the target has them; None for a number.
    """

    labels: list[Any] | None

    @abstractmethod
    def outputs(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Return probabilities, shape (n, classes), or numbers, shape (n,); NaN where there is nothing to read."""


class TablePredictor(Predictor):
    """A pipeline on raw frames, such as ``AutoMLResult.model``."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.labels = model.classes_.tolist() if hasattr(model, "predict_proba") else None

    def outputs(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Return what the pipeline predicts."""
        answer = self._model.predict(frame) if self.labels is None else self._model.predict_proba(frame)
        return np.asarray(answer, dtype=np.float64)


class TextPredictor(Predictor):
    """Texts of one column; empty ones get no answer.

    Parameters
    ----------
    answer : callable
        Takes a list of texts; returns probabilities, shape (n, classes), or numbers, shape (n,).
    labels : list of str or None
        The classes; None for a number.
    """

    def __init__(self, answer: Callable[[list[str]], NDArray[np.float64]], labels: list[str] | None) -> None:
        self._answer = answer
        self.labels = labels

    def outputs(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Return what the model makes of the first column."""
        texts = frame.iloc[:, 0]
        full = (texts.notna() & texts.astype(str).str.strip().astype(bool)).to_numpy()
        found = np.full(len(frame) if self.labels is None else (len(frame), len(self.labels)), np.nan)
        if full.any():
            found[full] = self._answer(texts[full].astype(str).tolist())
        return found


def load_table(file: Path) -> TablePredictor:
    """Load a pipeline that was saved with its fixed list of trusted types.

    Raises
    ------
    StorageError
        When it holds others.
    """
    from core.automl import load_model

    return TablePredictor(load_model(file))


def load_text(folder: Path, labels: list[str] | None, *, max_length: int, batch_size: int) -> TextPredictor:
    """Load a fine-tuned model from its folder of safetensors, configuration and tokenizer."""
    from core.finetune import encode_texts, load_text_model, quiet_transformers, text_model_outputs

    with quiet_transformers():
        model, tokenizer = load_text_model(folder)

    def answer(texts: list[str]) -> NDArray[np.float64]:
        with quiet_transformers():
            return text_model_outputs(
                model, tokenizer, encode_texts(tokenizer, texts, max_length), batch_size, labels is not None
            )

    return TextPredictor(answer, labels)


def table_of(outputs: NDArray[np.float64], labels: list[Any] | None, index: pd.Index) -> pd.DataFrame:
    """Return the prediction of each row, then the probability of each class; missing where there is no answer.

    Examples
    --------
    >>> table_of(np.array([[0.2, 0.8], [np.nan, np.nan]]), ["no", "yes"], pd.RangeIndex(2))["prediction"].tolist()
    ['yes', None]
    """
    if labels is None:
        return pd.DataFrame({"prediction": outputs}, index=index)
    answered = ~np.isnan(outputs).any(axis=1)
    names = np.empty(len(labels), dtype=object)
    names[:] = labels
    chosen = names[np.nan_to_num(outputs).argmax(axis=1)]
    if not answered.all():
        chosen[~answered] = None
    prediction = pd.Series(chosen, index=index, dtype=object)
    found: dict[str, Any] = {"prediction": prediction.infer_objects() if answered.all() else prediction}
    return pd.DataFrame(found | {f"p({label})": outputs[:, place] for place, label in enumerate(labels)}, index=index)
