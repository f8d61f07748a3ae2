"""Saved cohorts in a batch: how many rows they have, and how often the model errs there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from core.errors import InputError
from core.evaluation import mover, wilson
from core.jsonable import JsonObject, jsonable

if TYPE_CHECKING:
    import pandas as pd

    from core.cohorts import Cohort

__all__ = ["CohortShare", "cohort_shares"]


@dataclass(frozen=True)
class CohortShare:
    """A cohort in a batch.

    Parameters
    ----------
    condition : str
        Conditions in words.
    rows : int
        Rows of the batch in the cohort.
    share, low, high : float
        Share of the batch with Wilson's interval.
    reference_share : float or None
        Share of the reference; None without one.
    change, change_low, change_high : float or None
        Difference of the shares with Newcombe's interval.
    error, other_error : float or None
        Mean loss inside and outside of the cohort; None without losses.
    error_gap, error_gap_low, error_gap_high : float or None
        Difference of the losses with its interval, as `core.cohorts.judge_cohort` computes it.
    reason : str, default=""
        Reason why the cohort is not known in this batch, such as a missing column.
    """

    condition: str
    rows: int
    share: float
    low: float
    high: float
    reference_share: float | None = None
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None
    error: float | None = None
    other_error: float | None = None
    error_gap: float | None = None
    error_gap_low: float | None = None
    error_gap_high: float | None = None
    reason: str = ""

    def to_dict(self) -> JsonObject:
        """Return the numbers as JSON-serializable values."""
        return dict(jsonable(vars(self)))


def cohort_shares(
    frame: pd.DataFrame,
    cohorts: Sequence[Cohort],
    *,
    reference: pd.DataFrame | None = None,
    loss: ArrayLike | None = None,
    confidence: float = 0.95,
) -> list[CohortShare]:
    """Return the share and the error of saved cohorts in a batch.

    Parameters
    ----------
    frame : DataFrame
        Raw columns of the batch.
    cohorts : sequence of Cohort
        Cohorts, which were not found on these rows.
    reference : DataFrame, optional
        Raw columns of the reference, to compare the shares with.
    loss : array-like of shape (n,), optional
        Loss of each row of the batch, NaN where its label is not known.
    confidence : float, default=0.95
        Probability with which an interval holds its value.

    Raises
    ------
    InputError
        When the losses do not fit the rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from core.cohorts import Cohort, NumberCondition
    >>> young = Cohort((NumberCondition(column="age", high=25.0),))
    >>> before, now = pd.DataFrame({"age": [20, 40] * 50}), pd.DataFrame({"age": [20, 20, 20, 40] * 25})
    >>> item = cohort_shares(now, [young], reference=before)[0]
    >>> item.condition, item.share, item.change
    ("'age' is below 25", 0.75, 0.25)
    """
    losses = None if loss is None else np.asarray(loss, dtype=np.float64)
    if losses is not None and losses.shape != (len(frame),):
        raise InputError(
            f"There are losses of shape {losses.shape} and {len(frame):,} rows.", "Give one loss for each row."
        )
    return [_share(frame, cohort, reference, losses, confidence) for cohort in cohorts]


def _share(
    frame: pd.DataFrame,
    cohort: Cohort,
    reference: pd.DataFrame | None,
    losses: np.ndarray | None,
    confidence: float,
) -> CohortShare:
    from core.cohorts import judge_cohort

    missing = [name for name in cohort.columns if name not in frame.columns]
    if missing:
        nan = float("nan")
        return CohortShare(cohort.text, 0, nan, nan, nan, reason=f"The batch has no column '{missing[0]}'.")
    inside, n = int(cohort.mask(frame).sum()), len(frame)
    low, high = wilson(inside, n, confidence)
    values: dict[str, Any] = {}
    if reference is not None and len(reference) and n:
        before, rows = int(cohort.mask(reference).sum()), len(reference)
        bounds = wilson(before, rows, confidence)
        down, up = mover(inside / n, (low, high), before / rows, bounds)
        values |= {"reference_share": before / rows, "change": inside / n - before / rows}
        values |= {"change_low": float(down), "change_high": float(up)}
    if losses is not None and np.isfinite(losses).any():
        known = np.isfinite(losses)
        judged = judge_cohort(cohort, frame[known], losses[known], confidence=confidence)
        values |= {"error": judged.error, "other_error": judged.other_error, "error_gap": judged.difference}
        values |= {"error_gap_low": judged.low, "error_gap_high": judged.high}
    return CohortShare(cohort.text, inside, inside / n if n else float("nan"), float(low), float(high), **values)
