"""One interface to all that predicts: the model itself, or its ONNX file; a table's or a text's."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.models._evidence import Evidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Predictor", "TablePredictor", "TextPredictor", "open_model", "open_onnx", "table_of"]


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


class _OnnxTable(Predictor):
    def __init__(self, path: Path) -> None:
        from core.edge import TableScorer

        self._scorer = TableScorer(path)
        self.labels = self._scorer.labels

    def outputs(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        found = self._scorer.outputs(frame).astype(np.float64)
        return found[:, 0] if self.labels is None else found


class TextPredictor(Predictor):
    """Texts of one column; empty ones get no answer.

    Parameters
    ----------
    predict : callable
        Takes a list of texts; returns a DataFrame of a label and then a probability a class, or of a number.
    """

    def __init__(self, predict: Any, labels: list[str] | None) -> None:
        self._predict = predict
        self.labels = labels

    def outputs(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Return what the model makes of the first column."""
        texts = frame.iloc[:, 0]
        full = texts.notna() & texts.astype(str).str.strip().astype(bool)
        width = 1 if self.labels is None else len(self.labels)
        found = np.full((len(frame), width), np.nan)
        if full.any():
            answer = self._predict(texts[full].astype(str).tolist())
            found[full.to_numpy()] = answer.iloc[:, -width:].to_numpy(dtype=float)
        return found[:, 0] if self.labels is None else found


@lru_cache(maxsize=2)
def _open(run_id: str, workspace: str) -> Predictor:
    evidence = Evidence.of(run_id, workspace)
    if evidence.kind == "table":
        from core.automl._store import load_model

        return TablePredictor(load_model(evidence.path("model.skops")))
    from core.finetune import FineTuneResult

    with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
        result = FineTuneResult.load(evidence.unpack(Path(scratch)))
        result.predict(["loads the weights"])  # while their folder is there
    return TextPredictor(result.predict, result.labels)


def open_model(run_id: str, workspace: str) -> Predictor:
    """Load the model of a run, and what trained it: for a run's own process or a script, not for a page.

    Raises
    ------
    StorageError
        When a file is missing, or holds types that are not trusted.
    """
    return _open(run_id, workspace)


def open_onnx(evidence: Evidence, path: Path) -> Predictor:
    """Load an exported model, with ONNX Runtime alone."""
    if evidence.kind == "table":
        return _OnnxTable(path)
    from core.edge import TextScorer

    scorer = TextScorer(
        path, evidence.path("model/tokenizer.json"), evidence.labels, evidence.result["settings"]["max_length"]
    )
    return TextPredictor(scorer.predict, evidence.labels)


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
