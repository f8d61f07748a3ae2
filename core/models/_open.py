"""The model of a run, opened: itself, or its exported file."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.models._evidence import Evidence
from core.models._predictors import Predictor, TextPredictor, load_table, load_text

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["open_model", "open_onnx"]


def open_model(run_id: str, workspace: str) -> Predictor:
    """Load the model of a run, and what trained it: for a run's own process or a script, not for a page.

    Raises
    ------
    StorageError
        When a file is missing, or holds types that are not trusted.
    """
    evidence = Evidence.of(run_id, workspace)
    model = "model.skops" if evidence.kind == "table" else "model/model.safetensors"
    return _open(run_id, workspace, str(evidence.path(model)))


@lru_cache(maxsize=2)
def _open(run_id: str, workspace: str, _content: str) -> Predictor:
    evidence = Evidence.of(run_id, workspace)
    if evidence.kind == "table":
        return load_table(evidence.path("model.skops"))
    settings = evidence.result["settings"]
    with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
        names = [name for name in evidence.artifacts if name.startswith("model/")]
        return load_text(
            evidence.unpack(Path(scratch), names) / "model",
            evidence.labels,
            max_length=settings["max_length"],
            batch_size=settings["eval_batch_size"],
        )


class _OnnxTable(Predictor):
    def __init__(self, path: Path) -> None:
        from core.edge import TableScorer

        self._scorer = TableScorer(path)
        self.labels = self._scorer.labels

    def outputs(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        found = self._scorer.outputs(frame).astype(np.float64)
        return found[:, 0] if self.labels is None else found


def open_onnx(evidence: Evidence, path: Path) -> Predictor:
    """Load an exported model, with ONNX Runtime alone."""
    if evidence.kind == "table":
        return _OnnxTable(path)
    from core.edge import TextScorer

    length = evidence.result["settings"]["max_length"]
    scorer = TextScorer(path, evidence.path("model/tokenizer.json"), evidence.labels, length)
    return TextPredictor(scorer.probabilities, evidence.labels)
