"""What a table of groups comes to: the surest gap first, then the groups that cannot be judged, then all together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.fairness.metrics.arrays import BoolArray, FloatArray
from core.fairness.metrics.definitions import Definition, comparable_groups
from core.fairness.metrics.labels import PositiveLabel
from core.fairness.metrics.pairs import PairwiseGaps
from core.fairness.metrics.registry import GroupMetric
from core.fairness.metrics.sentences import (
    SIGNIFICANT,
    chance,
    compare_pair,
    enumerate_groups,
    format_p,
    format_value,
)

__all__ = ["Conclusion", "MetricOfGroups", "conclude"]


@dataclass(frozen=True)
class MetricOfGroups:
    """One metric of each group, and which groups it can be compared in.

    Parameters
    ----------
    record : GroupMetric
        The metric.
    names : sequence of str
        Names of the groups.
    rows : array of shape (groups,)
        Rows of each group.
    values : array of shape (groups,)
        Value of each group.
    usable : array of shape (groups,)
        Whether a group has enough rows to be compared.
    missing : array of shape (groups,)
        Whether a group is of rows without a value of a sensitive column.
    p_value : float
        p-value of no difference among all groups; NaN without a test.
    """

    record: GroupMetric
    names: Sequence[str]
    rows: FloatArray
    values: FloatArray
    usable: BoolArray
    missing: BoolArray
    p_value: float

    def with_rows(self, names: Sequence[str]) -> str:
        """Return a list of groups with their numbers of rows."""
        rows = dict(zip(self.names, self.rows.tolist(), strict=True))
        return enumerate_groups([f"'{name}' ({rows[name]:,.0f} rows)" for name in names], quote=False)


@dataclass(frozen=True)
class Conclusion:
    """How groups differ by one definition of fairness, in sentences.

    Parameters
    ----------
    metric : str
        Metric of the finding; of several the one in which the gap is surest.
    finding : str
        The surest gap between two groups, with its interval and p-value.
    notes : tuple of str
        Further sentences: groups that cannot be judged, all groups together, how the positive label was chosen.
    lowest, highest : str or None
        The two groups of the finding; None where no two can be compared, or all are equal.
    gap, low, high, p_value : float or None
        Their gap, its interval and p-value, which hold for all pairs of groups and all rates of the definitions.
    ratio : float or None
        Ratio of the lower to the higher value, of shares.
    """

    metric: str
    finding: str
    notes: tuple[str, ...] = ()
    lowest: str | None = None
    highest: str | None = None
    gap: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    ratio: float | None = None

    @property
    def text(self) -> str:
        """All sentences as one text."""
        return " ".join((self.finding, *self.notes))

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serializable values."""
        return asdict(self) | {"notes": list(self.notes)}


def conclude(
    metric: MetricOfGroups,
    gaps: PairwiseGaps,
    *,
    definition: Definition | None,
    positive: PositiveLabel | None,
    min_group_size: int,
    definitions: int,
    notices: Sequence[str] = (),
) -> Conclusion:
    """Put the comparison of all groups in a metric into sentences.

    Parameters
    ----------
    metric : MetricOfGroups
        Values of the groups.
    gaps : PairwiseGaps
        All pairs of groups with enough rows, compared in the metric.
    definition : Definition or None
        Definition of fairness that the metric belongs to.
    positive : PositiveLabel or None
        Label that the rates are about.
    min_group_size : int
        Rows that a group needs to be compared.
    definitions : int
        Number of metrics that p-values are adjusted for.
    notices : sequence of str, default=()
        Further sentences.
    """
    record, surest = metric.record, gaps.surest
    closing = [*_about_label(positive), *notices]
    few = _too_few(metric, gaps, min_group_size)
    if surest is None:
        finding = (
            f"No two groups have enough rows to compare their {record.phrase}: a group needs at least {min_group_size}."
        )
        return Conclusion(record.name, finding, (*few, *closing))
    if surest.gap < 1e-12:
        value = format_value(record, surest.lowest_value)
        compared = {*gaps.table["highest"], *gaps.table["lowest"]}
        groups = enumerate_groups([name for name in metric.names if name in compared])
        finding = f"All groups have the same {record.phrase} ({value}): {groups}."
        return Conclusion(record.name, finding, (*few, *closing), gap=0.0, ratio=1.0)
    names, values = (surest.lowest, surest.highest), (surest.lowest_value, surest.highest_value)
    said = compare_pair(record, names, values, (surest.low, surest.high), positive)
    notes = [
        *_by_convention(metric, definition, min_group_size),
        *_uncertain(metric, gaps),
        *few,
        *_all_groups(metric, definitions),
        *closing,
    ]
    return Conclusion(
        record.name,
        f"{said}{chance(surest.p_adjusted)}.",
        tuple(notes),
        surest.lowest,
        surest.highest,
        gap=surest.gap,
        low=_finite(surest.low),
        high=_finite(surest.high),
        p_value=_finite(surest.p_adjusted),
        ratio=values[0] / values[1] if record.unit == "share" and values[1] > 0 else None,
    )


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _about_label(positive: PositiveLabel | None) -> list[str]:
    """Say which label is the positive one where only the order of labels decided."""
    if positive is None or not positive.by_order:
        return []
    return [f"The rates are about the label '{positive.label}'. {positive.reason}"]


def _by_convention(metric: MetricOfGroups, definition: Definition | None, min_group_size: int) -> list[str]:
    """Say whether the smallest ratio of all groups keeps the ratio of a definition that has one."""
    if definition is None or definition.min_ratio is None:
        return []
    groups = np.flatnonzero(metric.usable & comparable_groups(metric.rows, min_group_size, metric.missing))
    if len(groups) < 2:
        return []
    lowest, highest = (int(groups[pick(metric.values[groups])]) for pick in (np.argmin, np.argmax))
    ratio = metric.values[lowest] / metric.values[highest]
    kept = "at least" if ratio >= definition.min_ratio else "below"
    return [
        f"The smallest ratio is {ratio:.2f} ('{metric.names[lowest]}' to '{metric.names[highest]}'), "
        f"{kept} the {definition.min_ratio:.0%} of the {definition.title[0].lower()}{definition.title[1:]}."
    ]


def _uncertain(metric: MetricOfGroups, gaps: PairwiseGaps) -> list[str]:
    """Name the groups with enough rows none of whose gaps is beyond chance, where the finding is."""
    table = gaps.table
    beyond = table[table["p_adjusted"] < SIGNIFICANT]
    if beyond.empty:
        return []
    certain = {*beyond["highest"], *beyond["lowest"]}
    open_groups = [name for name in metric.names if name in {*table["highest"], *table["lowest"]} - certain]
    return [f"{metric.with_rows(open_groups)}: no gap to another group is beyond chance."] if open_groups else []


def _too_few(metric: MetricOfGroups, gaps: PairwiseGaps, min_group_size: int) -> list[str]:
    if not gaps.small:
        return []
    return [f"Too few rows to judge, with {min_group_size} needed: {metric.with_rows(gaps.small)}."]


def _all_groups(metric: MetricOfGroups, definitions: int) -> list[str]:
    """Say what chance has to do with the differences among all groups, where there are more than two."""
    count = int(metric.usable.sum())
    if count < 3 or np.isnan(metric.p_value):
        return []
    p = min(1.0, definitions * metric.p_value)
    verb = "would be rare by chance alone" if p < SIGNIFICANT else "can be chance alone"
    return [f"Over all {count:,} groups, differences like these {verb} ({format_p(p)})."]
