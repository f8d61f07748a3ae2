"""What batches are compared with: the rows that a model predicted without having learned from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.cohorts import load_out_of_fold
from core.errors import InputError
from core.known_columns import newest_explanation
from core.models import RunEvidence
from core.monitoring import ESTIMATED_METRICS, sketch

if TYPE_CHECKING:
    import pandas as pd

    from core.access import Access
    from core.catalog import ModelVersion
    from core.monitoring import BatchSketch

__all__ = ["KEPT_OUT", "SCORE_COLUMN", "Reference", "training_reference", "with_score"]

SCORE_COLUMN = "model score"
"""Name of the score among the columns of a batch."""
KEPT_OUT = "rows that training kept out"
"""What batches are compared with where no other reference was chosen."""
_FILES = ("oof.parquet", "validation.parquet", "test.parquet")
"""Files of a run with predictions of rows that its model had not learned from."""


@dataclass(frozen=True)
class Reference:
    """The evidence of a version that its batches are compared with.

    Parameters
    ----------
    sketch : BatchSketch
        Sketch of the columns and of the score.
    rows : DataFrame
        Columns of these rows with y_true, and y_score or a column ``p(label)`` for each of several classes.
    importance : mapping of str to float
        Importance of columns to the model; empty where it was not measured.
    known : frozenset of str
        Columns of the table that the version was trained on, also those that the model does not read.
    evidence : RunEvidence
        The run that made the version.
    batch : str, default=""
        Name of the batch whose sketch it is; empty for that of the rows.
    """

    sketch: BatchSketch
    rows: pd.DataFrame
    importance: Mapping[str, float]
    known: frozenset[str]
    evidence: RunEvidence
    batch: str = ""

    @property
    def positive(self) -> str | None:
        """Label whose probability is the score; None for a number, or more than two labels."""
        return _positive(self.evidence)

    @property
    def positive_value(self) -> object:
        """That label as the rows have it; None for a number, or more than two labels."""
        if self.positive is None:
            return None
        values = self.rows["y_true"].dropna().unique()
        return next((value for value in values if str(value) == self.positive), self.positive)

    @property
    def label_values(self) -> Sequence[object] | None:
        """The labels as the rows have them, or as the columns of probabilities are named; None for a number."""
        labels = self.evidence.labels
        if labels is None or len(labels) > 2:
            return labels
        values = self.rows["y_true"].dropna().unique().tolist()
        return values if len(values) == len(labels) else labels

    @property
    def metric(self) -> str:
        """Metric that tells most of those that can be estimated without labels: that of the search where it is one."""
        own = str(self.evidence.result.metric)
        if own in ESTIMATED_METRICS and (self.positive is not None or own not in ("f1", "average_precision")):
            return own
        return "mae" if self.evidence.labels is None else "accuracy"

    @property
    def columns_alone(self) -> pd.DataFrame:
        """The rows without label and score, as a batch has them."""
        kept = [name for name in self.rows if name != "y_true" and (name in self.known or name in self.sketch.columns)]
        return self.rows[kept]

    def scores_of(self, predictions: pd.DataFrame) -> pd.DataFrame:
        """Return y_score, or a column ``p(label)`` for each of several classes, of rows that were scored."""
        return _scores_of(predictions, self.evidence)

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
    if evidence.several:
        raise InputError("A model of several labels per text cannot be watched.", "Watch one that chooses one label.")
    if evidence.dataset is None:
        raise InputError(
            "The table that this version was trained on was deleted: there is nothing to compare a batch with.",
            "Upload the same table again.",
        )
    parts = [pd.read_parquet(evidence.path(name)) for name in _FILES if name in evidence.artifacts]
    predictions = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    if predictions.empty:
        raise InputError(
            "No row was kept out of this version's training: there is nothing to compare a batch with.",
            "Train it with a test.",
        )
    path = get_store().local_path(evidence.dataset.data_digest)
    names = [str(field["name"]) for field in version.columns]
    table, predictions = load_out_of_fold(path, predictions, names)
    scores = _scores_of(predictions, evidence)
    return Reference(
        sketch=sketch(with_score(table, scores), score=SCORE_COLUMN),
        rows=pd.concat([table, scores, predictions[[evidence.target]].set_axis(["y_true"], axis=1)], axis=1),
        importance=_importance(evidence, access=access),
        known=frozenset(pq.read_schema(path).names),
        evidence=evidence,
    )


def with_score(table: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a batch with the score of its rows as one of them.

    Of several classes it is how sure the model is of the most likely one.
    """
    return table.assign(**{SCORE_COLUMN: scores.max(axis=1).to_numpy()})


def _positive(evidence: RunEvidence) -> str | None:
    labels = evidence.labels
    return labels[-1] if labels is not None and len(labels) == 2 else None


def _scores_of(predictions: pd.DataFrame, evidence: RunEvidence) -> pd.DataFrame:
    if evidence.labels is None:
        return predictions[["prediction"]].astype(float).set_axis(["y_score"], axis=1)
    positive = _positive(evidence)
    if positive is not None:
        return predictions[[f"p({positive})"]].astype(float).set_axis(["y_score"], axis=1)
    return predictions[[f"p({label})" for label in evidence.labels]].astype(float)


def _importance(evidence: RunEvidence, *, access: Access) -> dict[str, float]:
    """Return the importance of columns, as the newest explanation measured it by shuffling."""
    explanation = newest_explanation(evidence.run, access=access)
    if explanation is None:
        return {}
    table = explanation.permutation
    return dict(zip(table["feature"].astype(str), table["importance"].astype(float).clip(lower=0.0), strict=True))
