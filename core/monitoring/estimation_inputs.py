"""Rows of the reference and of the batch as an estimator takes them, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.columns import require_columns
from core.errors import InputError
from core.monitoring.cell_values import level_text
from core.monitoring.expected_metrics import EstimatedMetric

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ScoredTables", "error_columns", "errors_of", "read_tables"]

_LABEL, _SCORE = "y_true", "y_score"


@dataclass(frozen=True, eq=False)
class ScoredTables:
    """The reference's rows with label and score, and the batch's rows with a score.

    Parameters
    ----------
    reference, current : DataFrame
        Complete rows.
    reference_scores, current_scores : array of shape (n,) or (n, k)
        Their scores; with several classes a column for each.
    kept : array of bool
        Rows of the batch that have a score.
    labels : tuple of str
        Labels of several classes, in the order of the columns; empty for one score.
    notes : tuple of str
        Sentences on the rows that were left out.
    """

    reference: pd.DataFrame
    current: pd.DataFrame
    reference_scores: NDArray[np.float64]
    current_scores: NDArray[np.float64]
    kept: NDArray[np.bool_]
    labels: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def codes(self) -> NDArray[np.intp]:
        """Class of each row of the reference."""
        lookup = {label: code for code, label in enumerate(self.labels)}
        return np.array([lookup[level_text(label)] for label in self.reference[_LABEL]], dtype=np.intp)


def read_tables(reference: pd.DataFrame, current: pd.DataFrame, metric: EstimatedMetric) -> ScoredTables:
    """Return both tables without rows that lack a label or score.

    Several classes have a probability each, in columns ``p(label)``, as stored predictions do.

    Raises
    ------
    InputError
        When a table lacks a column, has no rows, or its scores are not finite numbers.
    """
    labels = () if metric.is_of_numbers else _several_labels(reference, current)
    columns = [f"p({label})" for label in labels] or [_SCORE]
    require_columns(reference.columns, [_LABEL, *columns], what="The reference")
    require_columns(current.columns, columns, what="The batch")
    known = (reference[_LABEL].notna() & reference[columns].notna().all(axis=1)).to_numpy()
    kept = current[columns].notna().all(axis=1).to_numpy()
    notes = []
    if not known.all():
        notes.append(f"{int((~known).sum()):,} rows of the reference have no label or score.")
    if not kept.all():
        notes.append(f"{int((~kept).sum()):,} rows of the batch have no score.")
    rows, batch = reference[known].reset_index(drop=True), current[kept].reset_index(drop=True)
    if not len(rows) or not len(batch):
        side, words = ("reference", "a score and a label") if not len(rows) else ("batch", "a score")
        raise InputError(f"The {side} has no rows with {words}.", "Give rows that the model has scored.")
    scores = _scores(rows, columns, "reference"), _scores(batch, columns, "batch")
    return ScoredTables(rows, batch, *scores, kept, labels, tuple(notes))


def _several_labels(reference: pd.DataFrame, current: pd.DataFrame) -> tuple[str, ...]:
    """Return the labels of more than two classes that have a column of probabilities each; empty for one score."""
    if _LABEL not in reference.columns or _SCORE in reference.columns:
        return ()
    named = [str(name)[2:-1] for name in reference.columns if str(name).startswith("p(") and str(name).endswith(")")]
    present = {level_text(label) for label in reference[_LABEL].dropna().unique()}
    return tuple(named) if len(named) > 2 and present <= set(named) else ()


def _scores(frame: pd.DataFrame, columns: Sequence[str], side: str) -> NDArray[np.float64]:
    try:
        scores = np.column_stack([frame[name].to_numpy(dtype=np.float64) for name in columns])
    except (ValueError, TypeError) as error:
        raise InputError(
            f"The column '{columns[0]}' of the {side} does not hold numbers ({error}).", "Give the model's scores."
        ) from error
    if not np.isfinite(scores).all():
        raise InputError(f"The {side} has {int((~np.isfinite(scores)).sum()):,} infinite scores.", "Leave them out.")
    return np.asarray(scores[:, 0] if list(columns) == [_SCORE] else scores)


def errors_of(tables: ScoredTables, metric: EstimatedMetric) -> NDArray[np.float64]:
    """Return the error of each row of the reference: absolute, or squared.

    Raises
    ------
    InputError
        When the labels are not numbers.
    """
    try:
        truth = tables.reference[_LABEL].to_numpy(dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{metric.title} is a metric of numbers, and the reference's 'y_true' does not hold numbers ({error}).",
            "Choose a metric of classes, or give numbers.",
        ) from error
    distance = truth - tables.reference_scores
    return np.asarray(np.abs(distance) if metric.error == "absolute" else distance**2)


def error_columns(tables: ScoredTables, columns: Sequence[str] | None) -> tuple[str, ...]:
    """Return the columns that the error of a number may depend on.

    Raises
    ------
    InputError
        When a table lacks one that was named.
    """
    if columns is None:
        shared = [str(name) for name in tables.reference.columns if name in tables.current.columns]
        return tuple(name for name in shared if name not in (_LABEL, _SCORE, "row_id"))
    require_columns(tables.reference.columns, columns, what="The reference")
    require_columns(tables.current.columns, columns, what="The batch")
    return tuple(name for name in columns if name not in (_LABEL, _SCORE))
