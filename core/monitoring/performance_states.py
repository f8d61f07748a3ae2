"""The state of a batch by its performance and gaps, estimated or measured, within a series."""

from __future__ import annotations

import numpy as np

from core.evaluation import normal_quantile
from core.monitoring.alpha_spending import look_alpha
from core.monitoring.expected_metrics import ESTIMATED_METRICS, EstimatedMetric
from core.monitoring.look_states import LookState
from core.monitoring.measured_performance import MeasuredPerformance
from core.monitoring.performance_estimate import PerformanceEstimate

__all__ = ["judge_gap", "judge_performance"]

_SHARE_TOLERANCE = 0.005
_ERROR_TOLERANCE = 0.05
_LOOK_LEVEL = 0.05


def _side(value: float, bound: float, level: float) -> float:
    """Return the bound of a one-sided interval of a level, from that of a two-sided one of 95%."""
    return value + (bound - value) * normal_quantile(1 - 2 * min(level, 0.499)) / normal_quantile(0.95)


def judge_performance(
    performance: PerformanceEstimate | MeasuredPerformance,
    *,
    look: int,
    alpha: float = 0.05,
    bound: float | None = None,
    reference: float | None = None,
    reference_n: int | None = None,
    tolerance: float | None = None,
) -> LookState:
    """Return the state of a batch by its performance.

    It is an alarm where the performance is surely worse than the bound, or than the reference by more than the
    tolerance, at the level that `look_alpha` leaves for this look: one-sided intervals, wider the later the look, hold
    together in the whole series. It is worth a look at the level of 5% for this batch alone. What is judged is the
    performance on rows like these; the interval of an estimate is wider, as one of what the labels of just these rows
    will show.

    Parameters
    ----------
    performance : PerformanceEstimate or MeasuredPerformance
        Performance of the batch, with an interval of 95%.
    look : int
        Number of the look in the series, from 1.
    alpha : float, default=0.05
        Probability of any false alarm in the whole series.
    bound : float, optional
        Worst value that is acceptable; by default the reference's less the tolerance.
    reference : float, optional
        Value on the reference; by default that of the estimate.
    reference_n : int, optional
        Rows of the reference, for the uncertainty of its value; by default those of the estimate.
    tolerance : float, optional
        Difference from the reference that does not matter; by default 0.005 for metrics between 0 and 1, and 5% of the
        reference's value for errors.

    Examples
    --------
    >>> estimate = PerformanceEstimate("accuracy", 0.82, 0.80, 0.84, 1_500, reference=0.90, reference_n=5_000)
    >>> judge_performance(estimate, look=30).reasons
    ('Estimated accuracy is 0.820 [0.800, 0.840], surely below 0.895.',)
    """
    level = look_alpha(look, alpha)
    record = ESTIMATED_METRICS[performance.metric]
    measured = isinstance(performance, MeasuredPerformance)
    before = performance.estimate if isinstance(performance, MeasuredPerformance) else performance
    value, low, high = _values(performance)
    caveat = "" if measured or before is None else before.caveat
    if value is None or low is None or high is None:
        return LookState("not enough data", look, level, (_why_not(performance),), caveat)
    if reference is None and before is not None:
        reference, reference_n = before.reference, reference_n or before.reference_n
    if bound is None and (reference is None or np.isnan(reference)):
        reason = f"{record.title} is not known of the reference, so there is nothing to compare the batch with."
        return LookState("not enough data", look, level, (reason,), caveat)
    limit = _limit(record, bound, reference, tolerance)
    error = _known_error(performance, has_bound=bound is not None)
    if error is None:
        rows = performance.labeled if isinstance(performance, MeasuredPerformance) else performance.n
        spread = float(np.sqrt(rows / reference_n)) if reference_n and bound is None else 0.0
        better = high if record.larger_is_better else low
        error = abs(better - value) / normal_quantile(0.95) * float(np.hypot(1, spread))

    def is_worse(at: float) -> bool:
        reach = error * normal_quantile(1 - 2 * min(at, 0.499))
        return value + reach < limit if record.larger_is_better else value - reach > limit

    title = record.title if record.title[:2].isupper() else record.title[0].lower() + record.title[1:]
    words = f"{'Measured' if measured else 'Estimated'} {title} is {value:.3f} [{low:.3f}, {high:.3f}]"
    side = "below" if record.larger_is_better else "above"
    messages = performance.findings if isinstance(performance, MeasuredPerformance) else ()
    findings = [finding.message for finding in messages]
    if is_worse(level):
        return LookState("alarm", look, level, (f"{words}, surely {side} {limit:.3f}.", *findings), caveat)
    if is_worse(_LOOK_LEVEL):
        reason = f"{words}, {side} {limit:.3f} by the interval of this batch alone."
        return LookState("look", look, level, (reason, *findings), caveat)
    if findings:
        return LookState("look", look, level, (*findings, f"{words}."), caveat)
    return LookState("fine", look, level, (f"{words}, not surely {side} {limit:.3f}.",), caveat)


def _limit(metric: EstimatedMetric, bound: float | None, reference: float | None, tolerance: float | None) -> float:
    """Return the worst value that is acceptable."""
    if bound is not None:
        return bound
    assert reference is not None  # without one there is a bound
    if tolerance is None:
        tolerance = _SHARE_TOLERANCE if metric.larger_is_better else _ERROR_TOLERANCE * abs(reference)
    return reference - tolerance if metric.larger_is_better else reference + tolerance


def _known_error(performance: PerformanceEstimate | MeasuredPerformance, *, has_bound: bool) -> float | None:
    """Return the standard error of an estimate, or of its difference from the reference; None where it is not known."""
    if isinstance(performance, MeasuredPerformance):
        return None
    return performance.standard_error if has_bound else performance.difference_error


def _values(
    performance: PerformanceEstimate | MeasuredPerformance,
) -> tuple[float | None, float | None, float | None]:
    if isinstance(performance, MeasuredPerformance):
        return performance.measured.value, performance.measured.low, performance.measured.high
    return performance.value, performance.low, performance.high


def _why_not(performance: PerformanceEstimate | MeasuredPerformance) -> str:
    title = ESTIMATED_METRICS[performance.metric].title
    if isinstance(performance, MeasuredPerformance):
        return f"{title} is not known well enough: {performance.measured.reason or 'too few rows'}."
    return f"{title} cannot be estimated: {performance.refused or 'there is no interval.'}"


def judge_gap(
    title: str, gap: float, low: float | None, high: float | None, *, bound: float, look: int, alpha: float = 0.05
) -> LookState:
    """Return the state of a batch by a gap between groups.

    Parameters
    ----------
    title : str
        Name of the rate, such as "Selection rate".
    gap : float
        Gap of the batch.
    low, high : float or None
        Bounds of its interval of 95%.
    bound : float
        Largest gap that is acceptable.
    look : int
        Number of the look in the series, from 1.
    alpha : float, default=0.05
        Probability of any false alarm in the whole series.

    Examples
    --------
    >>> judge_gap("Selection rate", 0.3, 0.24, 0.36, bound=0.1, look=5).state
    'alarm'
    >>> judge_gap("Selection rate", 0.3, 0.01, 0.59, bound=0.1, look=5).state
    'fine'
    """
    level = look_alpha(look, alpha)
    if low is None or high is None or not np.isfinite([gap, low, high]).all():
        reason = f"{title}: there are too few rows to compare the groups."
        return LookState("not enough data", look, level, (reason,))
    words = f"{title}: a gap of {100 * gap:.1f} points [{100 * low:.1f}, {100 * high:.1f}] between groups"
    if _side(gap, low, level) > bound:
        return LookState("alarm", look, level, (f"{words}, surely above {100 * bound:.1f}.",))
    if _side(gap, low, _LOOK_LEVEL) > bound:
        reason = f"{words}, above {100 * bound:.1f} by the interval of this batch alone."
        return LookState("look", look, level, (reason,))
    return LookState("fine", look, level, (f"{words}, not surely above {100 * bound:.1f}.",))
