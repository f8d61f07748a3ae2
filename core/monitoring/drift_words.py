"""Changes of a column in words."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from core.monitoring.category_tests import level_table
from core.monitoring.column_sketches import CategorySketch, ColumnSketch, NumberSketch
from core.monitoring.outcomes import DriftOutcome

__all__ = ["date_text", "describe_drift", "describe_missing", "number_text", "share_text"]


def share_text(share: float) -> str:
    """Return a share in percent, with as many digits as it needs.

    Examples
    --------
    >>> share_text(0.254), share_text(0.0123), share_text(0.00012), share_text(0.0)
    ('25%', '1.2%', '0.012%', '0%')
    """
    percent = 100 * share
    return f"{percent:.0f}%" if percent >= 9.95 or percent == 0 else f"{percent:.2g}%"


def number_text(value: float) -> str:
    """Return a number with four significant digits, as pages show it.

    Examples
    --------
    >>> number_text(1234567.0), number_text(-0.01234), number_text(12.0)
    ('1,235,000', '−0.01234', '12')
    """
    if value == 0:
        return "0"
    small = 1e-4 <= abs(value) < 1 or not abs(value) < 1e15
    text = f"{value:.4g}" if small else f"{float(f'{value:.4g}'):,.10g}"
    return text.replace("-", "−")


def date_text(seconds: float) -> str:
    """Return the day of a moment, seconds since 1970 (UTC).

    Examples
    --------
    >>> date_text(86_400.0), date_text(1e30)
    ('1970-01-02', 'out of range')
    """
    try:
        return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d}"
    except (OverflowError, ValueError, OSError):
        return "out of range"


def describe_missing(outcome: DriftOutcome) -> str:
    """Return a change of missing cells in words."""
    before, now = outcome.values["reference"], outcome.values["current"]
    if before == 0:
        return f"missing values appeared: {share_text(now)} of the rows"
    if now == 0:
        return f"missing values disappeared: {share_text(before)} of the rows before"
    return f"missing values: {share_text(before)} before, {share_text(now)} now"


def describe_drift(outcome: DriftOutcome, reference: ColumnSketch, current: ColumnSketch) -> str:
    """Return a change of a column's values in words, with the interval of its size."""
    if isinstance(reference, NumberSketch) and isinstance(current, NumberSketch):
        before, now = (column.values.quantiles(np.array([0.5]))[0] for column in (reference, current))
        if before == now:
            return f"the distribution changed (distance {outcome.effect:.2f}{_interval(outcome)})"
        medians = f"median {number_text(before)} before, {number_text(now)} now"
        return f"{medians} (distance {outcome.effect:.2f}{_interval(outcome)})"
    if isinstance(reference, CategorySketch) and isinstance(current, CategorySketch):
        return _describe_levels(outcome, reference, current)
    if outcome.test == "text_classifier":
        return f"a classifier tells the texts apart from those before (AUC {outcome.values['auc']:.2f})"
    if outcome.test == "unknown_words":
        shares = share_text(outcome.values["reference"]), share_text(outcome.values["current"])
        return f"unknown words: {shares[0]} before, {shares[1]} now"
    if outcome.test == "text_length":
        return f"texts have another length (distance {outcome.effect:.2f}{_interval(outcome)})"
    return f"the dates are distributed in another way (distance {outcome.effect:.2f}{_interval(outcome)})"


def _describe_levels(outcome: DriftOutcome, reference: CategorySketch, current: CategorySketch) -> str:
    bounds = (
        "" if outcome.low is None or outcome.high is None else f" [{100 * outcome.low:.0f}, {100 * outcome.high:.0f}]"
    )
    words = f"about {100 * (outcome.effect or 0.0):.0f} of 100 rows are on another level than before{bounds}"
    table = level_table(reference, current)
    if not table.new:
        return words
    rows = sum(count for _, count in table.new)
    return f"{words}, of which {share_text(rows / current.present)} of the rows on new ones"


def _interval(outcome: DriftOutcome) -> str:
    if outcome.low is None or outcome.high is None:
        return ""
    return f" [{outcome.low:.2f}, {outcome.high:.2f}]"
