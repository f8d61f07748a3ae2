"""Finds cohorts on one half of the rows, and judges them on the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.cohorts.beam import grow
from core.cohorts.cohort_report import CohortReport, JudgedCohort
from core.cohorts.column_codes import encode_column
from core.cohorts.conditions import Cohort
from core.cohorts.intervals import mean_difference
from core.columns import require_columns
from core.errors import InputError
from core.evaluation import normal_quantile

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["find_cohorts", "judge_cohort", "rows_to_judge"]

Array = NDArray[np.float64]

_LARGEST_SHARE = 0.99  # losses above this quantile are cut when cohorts are found, not when they are judged
_DETECTABLE_SHARE = 0.05
_POWER = 0.9


def find_cohorts(
    frame: pd.DataFrame,
    loss: ArrayLike,
    *,
    columns: Sequence[str] | None = None,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    min_rows: int = 30,
    max_cohorts: int = 5,
    confidence: float = 0.95,
    name: str = "loss",
    seed: int = 0,
) -> CohortReport:
    """Find groups of rows where the loss is larger than elsewhere.

    A shallow tree over the raw columns is grown on a random half of the rows: numbers are split at thresholds, other
    columns by sets of values, and missing cells are a value. Its best branches are the candidates; the other half
    says how large their loss is, with intervals that all hold together (Bonferroni over the candidates), so that a
    table without such groups names one in at most 5% of cases.

    Parameters
    ----------
    frame : DataFrame
        Raw columns of rows that the model was not fitted on.
    loss : array-like of shape (n,)
        Loss of each row, such as 0 or 1 for a wrong class, or the absolute error.
    columns : sequence of str, optional
        Columns that conditions may use; by default all.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows.
    groups : array-like of shape (n,), optional
        Group of each row. Rows of one group are kept in one half, and count as dependent.
    min_rows : int, default=30
        Smallest number of rows of a cohort in each half.
    max_cohorts : int, default=5
        Candidates at most.
    confidence : float, default=0.95
        Probability with which all intervals hold together.
    name : str, default="loss"
        Name of the loss in the report: a key of `LOSSES`, or another.
    seed : int, default=0
        Seed of the random number generator that draws the halves.

    Returns
    -------
    CohortReport

    Raises
    ------
    InputError
        When the arrays do not fit the table, a loss is not a finite number, or the rows are too few.

    See Also
    --------
    judge_cohort : The loss of a cohort that is known beforehand.

    Examples
    --------
    >>> import pandas as pd
    >>> random = np.random.default_rng(0)
    >>> table = pd.DataFrame({"age": random.integers(18, 80, 4_000), "housing": random.choice(["own", "rent"], 4_000)})
    >>> wrong = random.random(4_000) < np.where(table["age"] < 25, 0.6, 0.2)
    >>> find_cohorts(table, wrong).worse[0].cohort.text
    "'age' is below 25"
    """
    losses, weights, codes = _checked(frame, loss, sample_weight, groups)
    if min_rows < 1 or max_cohorts < 1:
        raise InputError(
            f"min_rows is {min_rows} and max_cohorts is {max_cohorts}; both must be 1 or more.", "Use larger values."
        )
    names = list(frame.columns) if columns is None else list(columns)
    require_columns(frame.columns, names)
    for column in names:
        if not isinstance(column, str) or list(frame.columns).count(column) > 1:
            reason = "which another column has as well" if isinstance(column, str) else "which is not text"
            raise InputError(f"A column has the name {column!r}, {reason}.", "Rename it.")
    if len(losses) < 4 * min_rows:
        raise InputError(
            f"{len(losses):,} rows are too few to find groups of {min_rows:,} rows and judge them on other rows.",
            f"At least {4 * min_rows:,} rows are needed.",
        )
    rest = rows_to_judge(len(losses), codes, seed=seed)
    first = ~rest
    if first.sum() < 2 * min_rows:
        raise InputError(
            f"One group holds more than half of the {len(losses):,} rows, so they cannot be divided.",
            "Leave out the groups, or the rows of the large one.",
        )
    encoded = [encode_column(frame[column][first], column) for column in names]
    residuals = np.minimum(losses[first], np.quantile(losses[first], _LARGEST_SHARE))
    if len(np.unique(residuals)) < 2:
        residuals = losses[first]  # rare ones of a 0/1 loss are not outliers
    own = np.ones(len(residuals)) if weights is None else weights[first]
    residuals = own * (residuals - np.average(residuals, weights=own))
    candidates = grow(residuals, encoded, min_rows=min_rows, most=max_cohorts)
    table, judged_loss = frame[names][rest], losses[rest]
    judged_weights = None if weights is None else weights[rest]
    judged_groups = None if codes is None else codes[rest]
    level = 1 - (1 - confidence) / max(len(candidates), 1)
    judged = [
        _judge(cohort, cohort.mask(table), judged_loss, judged_weights, judged_groups, level, min_rows)
        for cohort in candidates
    ]
    judged.sort(key=lambda item: (not item.is_worse, -(item.low if item.low is not None else -math.inf)))
    return CohortReport(
        cohorts=tuple(judged),
        loss=name,
        rows_found=int(first.sum()),
        rows_judged=int(rest.sum()),
        error=float(np.average(judged_loss, weights=judged_weights)),
        confidence=confidence,
        min_rows=min_rows,
        detectable=_detectable(judged_loss, level if candidates else confidence, min_rows),
        columns=tuple(names),
    )


def judge_cohort(
    cohort: Cohort,
    frame: pd.DataFrame,
    loss: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
) -> JudgedCohort:
    """Return the loss of a cohort that is known beforehand, inside and outside, on all rows of a table.

    Parameters
    ----------
    cohort : Cohort
        The conditions; not found on these rows, or the interval is too good.
    frame : DataFrame
        Raw columns of rows that the model was not fitted on.
    loss : array-like of shape (n,)
        Loss of each row; differences of two models' losses compare them within the cohort and outside.
    sample_weight, groups : array-like of shape (n,), optional
        Weights and groups of the rows, as in `find_cohorts`.
    confidence : float, default=0.95
        Probability with which the interval holds the difference.

    See Also
    --------
    find_cohorts : Find cohorts.

    Examples
    --------
    >>> import pandas as pd
    >>> from core.cohorts import NumberCondition
    >>> young = Cohort((NumberCondition(column="age", high=25.0),))
    >>> item = judge_cohort(young, pd.DataFrame({"age": [20] * 50 + [40] * 50}), [1.0] * 25 + [0.0] * 75)
    >>> item.rows, item.error, item.is_worse
    (50, 0.5, True)
    """
    losses, weights, codes = _checked(frame, loss, sample_weight, groups)
    return _judge(cohort, cohort.mask(frame), losses, weights, codes, confidence, 1)


def rows_to_judge(n: int, groups: ArrayLike | None = None, *, seed: int = 0) -> NDArray[np.bool_]:
    """Return which rows `find_cohorts` judges cohorts on; it finds them on the others.

    Parameters
    ----------
    n : int
        Number of rows.
    groups : array-like of shape (n,), optional
        Group of each row; no group is divided.
    seed : int, default=0
        Seed of the random number generator that draws the halves.

    Examples
    --------
    >>> int(rows_to_judge(101).sum())
    51
    """
    codes = np.arange(n) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    sizes = np.bincount(codes)
    order = np.random.default_rng(seed).permutation(len(sizes))
    found_on = np.zeros(len(sizes), dtype=bool)
    found_on[order[np.cumsum(sizes[order]) <= n // 2]] = True  # no more than half, so that rows are left to judge
    return np.asarray(~found_on[codes])


def _checked(
    frame: pd.DataFrame, loss: ArrayLike, sample_weight: ArrayLike | None, groups: ArrayLike | None
) -> tuple[Array, Array | None, NDArray[np.intp] | None]:
    losses = np.asarray(loss, dtype=np.float64)
    weights = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    labels = None if groups is None else np.asarray(groups)
    for what, values in (("losses", losses), ("weights", weights), ("groups", labels)):
        if values is not None and values.shape != (len(frame),):
            raise InputError(f"The table has {len(frame):,} rows, and the {what} have the shape {values.shape}.", "")
    if not np.isfinite(losses).all():
        row = int(np.flatnonzero(~np.isfinite(losses))[0])
        raise InputError(f"The loss of row {row} is {losses[row]}.", "Leave out rows without a finite loss.")
    if weights is not None and (not np.isfinite(weights).all() or (weights < 0).any() or not weights.any()):
        raise InputError("The weights must be finite, not negative, and not all 0.", "Leave out rows without a weight.")
    return losses, weights, None if labels is None else np.unique(labels, return_inverse=True)[1].astype(np.intp)


def _judge(
    cohort: Cohort,
    inside: NDArray[np.bool_],
    losses: Array,
    weights: Array | None,
    groups: NDArray[np.intp] | None,
    confidence: float,
    min_rows: int,
) -> JudgedCohort:
    mean, other, difference, low, high = (
        value if math.isfinite(value) else None
        for value in mean_difference(losses, inside, weights=weights, groups=groups, confidence=confidence)
    )
    rows = int(inside.sum())
    if rows < min_rows:
        low = high = None
    return JudgedCohort(cohort, rows, mean, len(inside) - rows, other, difference, low, high)


def _detectable(losses: Array, confidence: float, min_rows: int) -> float | None:
    """Return the difference that a cohort of 5% of the rows needs, by the normal approximation."""
    rows = _DETECTABLE_SHARE * len(losses)
    if rows < min_rows:
        return None
    error = float(losses.std()) * math.sqrt(1 / rows + 1 / (len(losses) - rows))
    return (normal_quantile(confidence) + normal_quantile(2 * _POWER - 1)) * error
