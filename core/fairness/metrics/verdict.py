"""A table of groups in one sentence."""

from __future__ import annotations

from core.fairness.metrics.group_metrics import GroupMetrics

__all__ = ["verdict"]


def verdict(metrics: GroupMetrics, definition: str = "demographic_parity") -> str:
    """Say in one sentence how the groups differ by a definition of fairness, and whether it may be chance.

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

    Examples
    --------
    >>> from core.fairness import group_metrics
    >>> verdict(group_metrics([1, 0] * 100, [1, 0] * 100, ["a", "a", "b", "b"] * 50))
    "All groups have the same selection rate (50.0%): 'a' and 'b'."
    """
    return metrics.describe(definition)
