"""Groups compared in sentences: people in natural frequencies, gaps with intervals, and the part of chance."""

from __future__ import annotations

import numpy as np

from core.fairness.metrics.labels import PositiveLabel
from core.fairness.metrics.registry import GroupMetric

__all__ = ["SIGNIFICANT", "chance", "compare_pair", "enumerate_groups", "format_gap", "format_p", "format_value"]

SIGNIFICANT = 0.05
"""p-value below which a difference is said to be rare by chance alone."""

_LISTED = 5
_BASES = (100, 1_000, 10_000, 100_000)
_PLAIN = PositiveLabel(1, "")


def compare_pair(
    metric: GroupMetric,
    names: tuple[str, str],
    values: tuple[float, float],
    interval: tuple[float, float],
    positive: PositiveLabel | None,
) -> str:
    """Return how two groups differ in a metric, without a period.

    Parameters
    ----------
    metric : GroupMetric
        The metric that is compared.
    names : tuple of str
        Names of the group with the lower and of the group with the higher value.
    values : tuple of float
        Values of both.
    interval : tuple of float
        Interval of the higher minus the lower value.
    positive : PositiveLabel or None
        Label that the rates are about.

    Examples
    --------
    >>> from core.fairness.metrics.registry import RATES
    >>> invite = PositiveLabel("invite", "")
    >>> compare_pair(RATES["selection_rate"], ("Woman", "Man"), (0.2, 0.294), (0.063, 0.124), invite)
    "'Woman': 20 of 100 invited, 'Man': 29 of 100 (gap 9.4 points [6.3, 12.4])"
    """
    lower, higher = (f"'{name}'" for name in names)
    gap = format_gap(metric, values[1] - values[0], *interval)
    if not metric.people:
        return metric.compare_groups(high=higher, low=lower, gap=gap)
    fields = _fields(positive or _PLAIN)
    first, second, base = _frequencies(*values)
    among = f"Among {metric.people_among.format(**fields)}, " if metric.people_among else ""
    people = metric.people.format(**fields)
    return f"{among}{lower}: {first} of {base} {people}, {higher}: {second} of {base} (gap {gap})"


def _fields(positive: PositiveLabel) -> dict[str, str]:
    return {
        "selected": positive.selected,
        "not_selected": positive.not_selected,
        "those_selected": positive.those_selected,
        "truth": positive.truth,
    }


def _frequencies(low: float, high: float) -> tuple[str, str, str]:
    """Return two shares as numbers of people out of a round number, which is large enough to tell them apart."""
    base = _BASES[0] if round(_BASES[0] * low) != round(_BASES[0] * high) else _BASES[1]
    if low > 0 and round(base * low) == 0:
        base = next((larger for larger in _BASES if round(larger * low) > 0), _BASES[-1])
    return f"{round(base * low):,}", f"{round(base * high):,}", f"{base:,}"


def format_gap(metric: GroupMetric, gap: float, low: float, high: float) -> str:
    """Return a gap with its interval, in points for shares; without the interval where there is none."""
    scale, unit, form = (100, " points", ".1f") if metric.unit == "share" else (1, "", ",.4g")
    text = f"{scale * gap:{form}}{unit}"
    if not np.isfinite([low, high]).all():
        return f"{text}, no interval"
    return f"{text} [{_signed(scale * low, form)}, {_signed(scale * high, form)}]"


def _signed(value: float, form: str) -> str:
    """Return a number with the true minus sign, and without one where it rounds to 0."""
    text = f"{value:{form}}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text.replace("-", "\u2212")


def format_value(metric: GroupMetric, value: float) -> str:
    """Return a value of a metric as people read it."""
    return f"{value:.1%}" if metric.unit == "share" else f"{value:,.4g}"


def format_p(p: float) -> str:
    """Return a p-value, such as "p = 0.03", so that it stays on its side of 0.05.

    Examples
    --------
    >>> format_p(0.0312), format_p(0.0496), format_p(1e-9), format_p(0.3)
    ('p = 0.03', 'p = 0.0496', 'p < 0.001', 'p = 0.30')
    """
    if p < 0.001:
        return "p < 0.001"
    text = f"{p:.3f}" if p < 0.01 else f"{p:.2f}"
    return f"p = {text if (float(text) < SIGNIFICANT) == (p < SIGNIFICANT) else f'{p:.4f}'}"


def chance(p: float) -> str:
    """Return what a p-value says about chance, as the end of a sentence; empty without one."""
    if np.isnan(p):
        return ""
    return (
        f", which {'would be rare by chance alone' if p < SIGNIFICANT else 'chance alone can explain'} ({format_p(p)})"
    )


def enumerate_groups(names: list[str], *, quote: bool = True) -> str:
    """Return the first few names as a list.

    Examples
    --------
    >>> enumerate_groups(["a", "b", "c"]), enumerate_groups(list("abcdefg"))
    ("'a', 'b' and 'c'", "'a', 'b', 'c', 'd', 'e' and 2 more")
    """
    quoted = [f"'{name}'" if quote else name for name in names]
    if len(quoted) > _LISTED + 1:
        quoted = [*quoted[:_LISTED], f"{len(quoted) - _LISTED:,} more"]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
