"""Opens the model of a run: itself, or its exported file."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.access import Access
from core.models._evidence import RunEvidence
from core.models._predictors import Predictor, TextPredictor, load_table, load_text

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["open_model", "open_onnx"]


def open_model(run_id: str, *, access: Access) -> Predictor:
    """Load the model of a run with the library that trained it: for a run's own process or a script, not for a page.

    Raises
    ------
    StorageError
        When a file is missing, or holds types that are not trusted.
    """
    evidence = RunEvidence.of(run_id, access=access)
    return _open(run_id, str(evidence.path(evidence.kind.model_file)), access=access)


@lru_cache(maxsize=2)
def _open(run_id: str, _content: str, *, access: Access) -> Predictor:
    evidence = RunEvidence.of(run_id, access=access)
    if not evidence.reads_text:
        return load_table(evidence.path(evidence.kind.model_file))
    with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
        names = [name for name in evidence.artifacts if name.startswith("model/")]
        return load_text(
            evidence.link_files(Path(scratch), names) / "model",
            evidence.labels,
            max_length=evidence.result.integer_setting("max_length"),
            batch_size=evidence.result.integer_setting("eval_batch_size"),
        )


class _OnnxTablePredictor(Predictor):
    """Predicts rows of a table with an exported model."""

    def __init__(self, path: Path) -> None:
        from core.edge import TableScorer

        self._scorer = TableScorer(path)
        self.labels = self._scorer.labels

    def outputs(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        outputs = self._scorer.outputs(frame).astype(np.float64)
        return outputs[:, 0] if self.labels is None else outputs


def open_onnx(evidence: RunEvidence, path: Path) -> Predictor:
    """Load an exported model, with ONNX Runtime alone."""
    if not evidence.reads_text:
        return _OnnxTablePredictor(path)
    from core.edge import TextScorer

    length = evidence.result.integer_setting("max_length")
    scorer = TextScorer(path, evidence.path("model/tokenizer.json"), evidence.labels, length)
    return TextPredictor(scorer.probabilities, evidence.labels, several=evidence.several)
