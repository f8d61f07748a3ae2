"""What batches are compared with: the rows that a model predicted without having learned from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.cohorts import load_out_of_fold
from core.errors import InputError
from core.known_columns import newest_explanation
from core.models import RunEvidence
from core.monitoring import sketch

if TYPE_CHECKING:
    import pandas as pd

    from core.access import Access
    from core.catalog import ModelVersion
    from core.monitoring import BatchSketch

__all__ = [
    "SCORE",
    "SCORE_COLUMN",
    "TRUTH",
    "Reference",
    "training_reference",
    "with_score",
]

SCORE, TRUTH = "y_score", "y_true"
SCORE_COLUMN = "(score)"
"""Name of the score among the columns of a batch."""
_FILES = ("oof.parquet", "validation.parquet", "test.parquet")
"""Files of a run with predictions of rows that its model had not learned from."""


@dataclass(frozen=True)
class Reference:
    """The evidence of a version that its batches are compared with.

    Parameters
    ----------
    sketch : BatchSketch
        Sketch of the columns and of the score.
    scores : DataFrame
        y_true, y_score and the columns of groups of these rows.
    importance : mapping of str to float
        Importance of columns to the model; empty where it was not measured.
    known : frozenset of str
        Columns of the table that the version was trained on, also those that the model does not read.
    evidence : RunEvidence
        The run that made the version.
    """

    sketch: BatchSketch
    scores: pd.DataFrame
    importance: Mapping[str, float]
    known: frozenset[str]
    evidence: RunEvidence

    @property
    def positive(self) -> str | None:
        """Label whose probability is the score; None for a number, or more than two labels."""
        return _positive(self.evidence)

    def score_of(self, predictions: pd.DataFrame) -> pd.Series:
        """Return the score of rows: a probability, a number, or how sure the model is of its most likely label."""
        return _score_of(predictions, self.evidence)

    def columns_of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the columns of a batch that are compared; where one lacks, also unknown ones: it may be renamed."""
        wanted = [name for name in frame.columns if name in self.sketch.columns]
        if any(name != SCORE_COLUMN and name not in wanted for name in self.sketch.columns):
            wanted += [name for name in frame.columns if name not in self.known]
        return frame[wanted]


def training_reference(version: ModelVersion, *, access: Access) -> Reference:
    """Return the evidence of a version's own training: its out-of-fold and test predictions, and their rows.

    Of more than 100,000 rows so many are drawn.

    Parameters
    ----------
    version : ModelVersion
        The version.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When the table that it was trained on was deleted, or no row was kept out of its training.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    from core.storage import get_store

    evidence = RunEvidence.of(version.run_id, access=access)
    if evidence.dataset is None:
        raise InputError(
            "The table that this version was trained on was deleted: there is nothing to compare a batch with.",
            "Upload the same table again, or choose a batch as the reference.",
        )
    parts = [pd.read_parquet(evidence.path(name)) for name in _FILES if name in evidence.artifacts]
    predictions = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    if predictions.empty:
        raise InputError(
            "No row was kept out of this version's training: there is nothing to compare a batch with.",
            "Train it with a test, or choose a batch as the reference.",
        )
    columns = [str(field["name"]) for field in version.columns]
    path = get_store().local_path(evidence.dataset.data_digest)
    table, predictions = load_out_of_fold(path, predictions, columns)
    scores = pd.DataFrame({SCORE: _score_of(predictions, evidence), TRUTH: _truth(predictions, evidence)})
    for field in version.columns:
        name = str(field["name"])
        if field["role"] == "group" or name in evidence.result.sensitive_columns:
            scores[name] = table[name].to_numpy() if name in table else None
    return Reference(
        sketch(with_score(table, scores[SCORE]), score=SCORE_COLUMN),
        scores,
        _importance(evidence, access=access),
        frozenset(pq.read_schema(path).names),
        evidence,
    )


def with_score(table: pd.DataFrame, score: pd.Series) -> pd.DataFrame:
    """Return the columns of a batch with the score of its rows as one of them."""
    return table.assign(**{SCORE_COLUMN: score.to_numpy()})


def _positive(evidence: RunEvidence) -> str | None:
    labels = evidence.labels
    return labels[-1] if labels is not None and len(labels) == 2 and not evidence.several else None


def _score_of(predictions: pd.DataFrame, evidence: RunEvidence) -> pd.Series:
    if evidence.labels is None:
        return predictions["prediction"].astype(float)
    positive = _positive(evidence)
    if positive is not None:
        return predictions[f"p({positive})"].astype(float)
    return predictions[[f"p({label})" for label in evidence.labels]].max(axis=1).astype(float)


def _truth(predictions: pd.DataFrame, evidence: RunEvidence) -> pd.Series:
    truth = predictions[evidence.target]
    if evidence.labels is None:
        return truth.astype(float)
    positive = _positive(evidence)
    return truth.astype(str) if positive is None else (truth.astype(str) == positive).astype(int)


def _importance(evidence: RunEvidence, *, access: Access) -> dict[str, float]:
    """Return the importance of columns, as the newest explanation measured it by shuffling."""
    explanation = newest_explanation(evidence.run, access=access)
    if explanation is None:
        return {}
    table = explanation.permutation
    return dict(zip(table["feature"].astype(str), table["importance"].astype(float).clip(lower=0.0), strict=True))
