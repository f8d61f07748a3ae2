"""Tests of dates: by their age in their batch, or by themselves."""

from __future__ import annotations

from core.monitoring.column_sketches import ColumnSketch, DateSketch
from core.monitoring.number_tests import compare_points
from core.monitoring.outcomes import DriftOutcome, TestContext, both_as
from core.monitoring.quantile_points import QuantilePoints

__all__ = ["compare_ages", "compare_dates"]


def compare_ages(reference: ColumnSketch, current: ColumnSketch, context: TestContext) -> DriftOutcome:
    """Return Kolmogorov and Smirnov's test of the dates' age in their batch.

    Dates themselves are always later in a later batch, so they are compared by the time from each date to the moment
    of its batch (`as_of`); where a batch has none, their range alone is checked.
    """
    before, now = both_as(DateSketch, reference, current)
    first, other = context.reference.as_of, context.current.as_of
    if first is None or other is None:
        return DriftOutcome(
            "recency", reason="only the range was checked: the age of dates needs the moment (as_of) of both batches"
        )
    values = now.values
    moved = QuantilePoints(values.points - (other - first), values.below, values.upto)
    return compare_points("recency", before.values, moved, seed=context.seed)


def compare_dates(reference: ColumnSketch, current: ColumnSketch, context: TestContext) -> DriftOutcome:
    """Return Kolmogorov and Smirnov's test of the dates themselves, for those that do not follow the batch."""
    before, now = both_as(DateSketch, reference, current)
    return compare_points("dates", before.values, now.values, seed=context.seed)
