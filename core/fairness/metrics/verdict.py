"""A table of groups in sentences, and two of its groups on other rows."""

from __future__ import annotations

from core.evaluation import mover
from core.fairness.metrics.conclusion import Conclusion
from core.fairness.metrics.group_metrics import GroupMetrics
from core.fairness.metrics.groups import label_text
from core.fairness.metrics.registry import metric_record
from core.fairness.metrics.sentences import compare_pair

__all__ = ["conclude", "repeat_finding", "verdict"]


def conclude(metrics: GroupMetrics, definition: str = "demographic_parity") -> Conclusion:
    """Conclude how groups differ by a definition of fairness, and whether it may be chance.

    The finding is the surest gap of all pairs of groups with enough rows, not the widest: that of a small group is
    often wide by chance. Its interval and p-value come from one procedure, and hold for all pairs and for all rates of
    the definitions together. Rows without a value are a group, but not in the finding while there are two others.

    Parameters
    ----------
    metrics : GroupMetrics
        Metrics by group, without control features.
    definition : str, default="demographic_parity"
        Name of one of `DEFINITIONS`; it does not matter for predicted numbers.

    Raises
    ------
    SettingsError
        When the definition is unknown, or the metrics have control features.

    See Also
    --------
    verdict : The same as one text.

    Examples
    --------
    >>> from core.fairness import group_metrics
    >>> decided = ["invite"] * 30 + ["reject"] * 70 + ["invite"] * 60 + ["reject"] * 40
    >>> print(conclude(group_metrics(decided, decided, ["a"] * 100 + ["b"] * 100)).finding.partition(" (")[0])
    'a': 30 of 100 invited, 'b': 60 of 100
    """
    return metrics.conclude(definition)


def verdict(metrics: GroupMetrics, definition: str = "demographic_parity") -> str:
    """Say how groups differ by a definition of fairness, and whether it may be chance.

    Parameters
    ----------
    metrics : GroupMetrics
        Metrics by group, without control features.
    definition : str, default="demographic_parity"
        Name of one of `DEFINITIONS`; it does not matter for predicted numbers.

    Raises
    ------
    SettingsError
        When the definition is unknown, or the metrics have control features.

    See Also
    --------
    conclude : The same in parts.

    Examples
    --------
    >>> from core.fairness import group_metrics
    >>> verdict(group_metrics([1, 0] * 100, [1, 0] * 100, ["a", "a", "b", "b"] * 50))
    "All groups have the same selection rate (50.0%): 'a' and 'b'."
    """
    return metrics.describe(definition)


def repeat_finding(conclusion: Conclusion, metrics: GroupMetrics) -> str | None:
    """Say how the two groups of a finding differ on other rows; None without a finding, or without both groups.

    Parameters
    ----------
    conclusion : Conclusion
        The finding.
    metrics : GroupMetrics
        Metrics of the other rows.
    """
    names = [label_text(label) for label in metrics.labels]
    if conclusion.lowest not in names or conclusion.highest not in names:
        return None
    record = metric_record(conclusion.metric)
    table = metrics.intervals.xs(conclusion.metric, level="metric")
    positions = sorted(
        (names.index(name) for name in (conclusion.lowest, conclusion.highest)),
        key=lambda position: float(table["value"].iloc[position]),
    )
    lower, higher = (table.iloc[position] for position in positions)
    if table["small"].iloc[positions].any():
        return None
    low, high = mover(higher["value"], (higher["low"], higher["high"]), lower["value"], (lower["low"], lower["high"]))
    said = compare_pair(
        record,
        (names[positions[0]], names[positions[1]]),
        (float(lower["value"]), float(higher["value"])),
        (float(low), float(high)),
        metrics.options.positive,
    )
    return f"{said}."
