from ._report import FairnessReport
from .metrics.disparity import DEFINITIONS, Definition
from .metrics.group_metrics import GroupMetrics
from .metrics.groups import as_groups, bin_numbers, label_text
from .metrics.measure import group_metrics
from .metrics.options import MIN_GROUP_SIZE
from .metrics.verdict import verdict
from .postprocessing.optimize import optimize_thresholds, tradeoff_curve
from .postprocessing.policy import ThresholdPolicy
from .postprocessing.problem import CONSTRAINTS, OBJECTIVES
from .postprocessing.score_table import ScoreTable, score_table
from .reductions.mitigate import MitigationResult, mitigate
from .reductions.settings import TECHNIQUES, MitigationSettings

__all__ = [
    "CONSTRAINTS",
    "DEFINITIONS",
    "MIN_GROUP_SIZE",
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
