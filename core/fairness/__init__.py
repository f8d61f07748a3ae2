"""Fairness: metrics by group with their intervals, scores sorted once, thresholds that can be defended.

Importing this package is cheap: NumPy and pandas load when a function needs them, Fairlearn in a mitigation only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.fairness._disparity import DEFINITIONS, Definition
    from core.fairness._group_metrics import GroupMetrics
    from core.fairness._groups import bin_numbers, label_text
    from core.fairness._measure import group_metrics
    from core.fairness._optimize import CONSTRAINTS, OBJECTIVES, optimize_thresholds, tradeoff_curve
    from core.fairness._policy import ThresholdPolicy
    from core.fairness._score_table import ScoreTable, score_table

_HOMES = {
    "CONSTRAINTS": "_optimize",
    "DEFINITIONS": "_disparity",
    "Definition": "_disparity",
    "GroupMetrics": "_group_metrics",
    "OBJECTIVES": "_optimize",
    "ScoreTable": "_score_table",
    "ThresholdPolicy": "_policy",
    "bin_numbers": "_groups",
    "group_metrics": "_measure",
    "label_text": "_groups",
    "optimize_thresholds": "_optimize",
    "score_table": "_score_table",
    "tradeoff_curve": "_optimize",
}

__all__ = [
    "CONSTRAINTS",
    "DEFINITIONS",
    "OBJECTIVES",
    "Definition",
    "GroupMetrics",
    "ScoreTable",
    "ThresholdPolicy",
    "bin_numbers",
    "group_metrics",
    "label_text",
    "optimize_thresholds",
    "score_table",
    "tradeoff_curve",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
