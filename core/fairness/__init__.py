"""Fairness: metrics by group with their intervals, scores sorted once, thresholds that can be defended.

Importing this package is cheap: NumPy and pandas load when a function needs them, Fairlearn in a mitigation only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.fairness._disparity import DEFINITIONS, Definition
    from core.fairness._group_metrics import GroupMetrics
    from core.fairness._groups import as_groups, bin_numbers, label_text
    from core.fairness._measure import group_metrics
    from core.fairness._mitigate import MitigationResult, mitigate
    from core.fairness._mitigation_settings import TECHNIQUES, MitigationSettings
    from core.fairness._optimize import optimize_thresholds, tradeoff_curve
    from core.fairness._policy import ThresholdPolicy
    from core.fairness._problem import CONSTRAINTS, OBJECTIVES
    from core.fairness._report import FairnessReport
    from core.fairness._score_table import ScoreTable, score_table
    from core.fairness._verdict import verdict

_HOMES = {
    "CONSTRAINTS": "_problem",
    "DEFINITIONS": "_disparity",
    "Definition": "_disparity",
    "FairnessReport": "_report",
    "GroupMetrics": "_group_metrics",
    "MitigationResult": "_mitigate",
    "MitigationSettings": "_mitigation_settings",
    "OBJECTIVES": "_problem",
    "TECHNIQUES": "_mitigation_settings",
    "ScoreTable": "_score_table",
    "ThresholdPolicy": "_policy",
    "as_groups": "_groups",
    "bin_numbers": "_groups",
    "group_metrics": "_measure",
    "label_text": "_groups",
    "mitigate": "_mitigate",
    "optimize_thresholds": "_optimize",
    "score_table": "_score_table",
    "tradeoff_curve": "_optimize",
    "verdict": "_verdict",
}

__all__ = [
    "CONSTRAINTS",
    "DEFINITIONS",
    "OBJECTIVES",
    "TECHNIQUES",
    "Definition",
    "FairnessReport",
    "GroupMetrics",
    "MitigationResult",
    "MitigationSettings",
    "ScoreTable",
    "ThresholdPolicy",
    "as_groups",
    "bin_numbers",
    "group_metrics",
    "label_text",
    "mitigate",
    "optimize_thresholds",
    "score_table",
    "tradeoff_curve",
    "verdict",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
