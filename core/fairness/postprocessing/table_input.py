"""What functions that fit thresholds are given: a score table or its rows, and a tolerance."""

from __future__ import annotations

from numpy.typing import ArrayLike

from core.errors import InputError, SettingsError
from core.fairness.metrics.arrays import Columns, Label
from core.fairness.postprocessing.score_table import ScoreTable, score_table

__all__ = ["as_score_table", "check_tolerance"]


def as_score_table(
    y_true: ArrayLike | ScoreTable,
    y_score: ArrayLike | None,
    sensitive_features: Columns | None,
    pos_label: Label | None,
    sample_weight: ArrayLike | None,
) -> ScoreTable:
    """Return the score table that was given, or one of the rows."""
    if isinstance(y_true, ScoreTable):
        if any(part is not None for part in (y_score, sensitive_features, pos_label, sample_weight)):
            raise InputError("A score table has its scores, groups and weights already.", "Give the table alone.")
        return y_true
    if y_score is None or sensitive_features is None:
        raise InputError("Scores or sensitive features are missing.", "Give them with the labels, or a score table.")
    return score_table(y_true, y_score, sensitive_features, pos_label=pos_label, sample_weight=sample_weight)


def check_tolerance(tolerance: float) -> None:
    """Refuse a tolerance that is not a share."""
    if not 0 <= tolerance <= 1:
        raise SettingsError(f"The tolerance is {tolerance}.", "Give a number between 0 and 1.")
