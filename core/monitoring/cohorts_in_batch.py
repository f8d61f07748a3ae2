"""Saved cohorts in a batch: how many rows they have, and how often the model errs there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import InputError
from core.evaluation import mover, wilson
from core.jsonable import JsonObject, jsonable

if TYPE_CHECKING:
    import pandas as pd

    from core.cohorts import Cohort

__all__ = ["CohortShare", "cohort_share", "cohort_shares"]


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
        Difference of the losses with its interval, as `core.cohorts.mean_difference` computes it.
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


def cohort_share(
    condition: str,
    inside: NDArray[np.bool_],
    *,
    reference: NDArray[np.bool_] | None = None,
    loss: NDArray[np.float64] | None = None,
    confidence: float = 0.95,
) -> CohortShare:
    """Return the share and the error of a cohort whose rows are known.

    Parameters
    ----------
    condition : str
        Conditions in words.
    inside : array of bool of shape (n,)
        Whether a row of the batch is in the cohort.
    reference : array of bool of shape (m,), optional
        Whether a row of the reference is.
    loss : array of float of shape (n,), optional
        Loss of each row of the batch, NaN where its label is not known.
    confidence : float, default=0.95
        Probability with which an interval holds its value.

    Examples
    --------
    >>> item = cohort_share("'age' is below 25", np.array([True] * 30 + [False] * 10))
    >>> item.rows, item.share
    (30, 0.75)
    """
    from core.cohorts import mean_difference

    rows, n = int(inside.sum()), len(inside)
    low, high = wilson(rows, n, confidence)
    values: dict[str, Any] = {}
    if reference is not None and len(reference) and n:
        before, of = int(reference.sum()), len(reference)
        down, up = mover(rows / n, (low, high), before / of, wilson(before, of, confidence))
        values |= {"reference_share": before / of, "change": rows / n - before / of}
        values |= {"change_low": float(down), "change_high": float(up)}
    if loss is not None and (known := np.isfinite(loss)).any():
        names = ("error", "other_error", "error_gap", "error_gap_low", "error_gap_high")
        means = mean_difference(loss[known], inside[known], confidence=confidence)
        values |= {name: value if np.isfinite(value) else None for name, value in zip(names, means, strict=True)}
    return CohortShare(condition, rows, rows / n if n else float("nan"), float(low), float(high), **values)


def _share(
    frame: pd.DataFrame,
    cohort: Cohort,
    reference: pd.DataFrame | None,
    losses: NDArray[np.float64] | None,
    confidence: float,
) -> CohortShare:
    missing = [name for name in cohort.columns if name not in frame.columns]
    if missing:
        nan = float("nan")
        return CohortShare(cohort.text, 0, nan, nan, nan, reason=f"The batch has no column '{missing[0]}'.")
    known = reference is not None and set(cohort.columns) <= set(reference.columns)
    return cohort_share(
        cohort.text,
        np.asarray(cohort.mask(frame), dtype=np.bool_),
        reference=np.asarray(cohort.mask(reference), dtype=np.bool_) if reference is not None and known else None,
        loss=losses,
        confidence=confidence,
    )
