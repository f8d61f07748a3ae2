from .metrics.binning import as_groups, bin_numbers
from .metrics.definitions import DEFINITIONS, Definition
from .metrics.group_metrics import GroupMetrics
from .metrics.groups import label_text
from .metrics.measure import group_metrics
from .metrics.options import MIN_GROUP_SIZE
from .metrics.registry import NUMBER_METRICS, RATES, SCORE_METRICS, GroupMetric, Rate, metric_record
from .metrics.verdict import verdict
from .postprocessing.objectives import CONSTRAINTS, OBJECTIVES, Constraint, Objective
from .postprocessing.optimize import optimize_thresholds, tradeoff_curve
from .postprocessing.policy import ThresholdPolicy
from .postprocessing.score_table import ScoreTable, score_table
from .reductions.mitigate import MitigationResult, mitigate
from .reductions.settings import MitigationSettings
from .reductions.techniques import TECHNIQUES, UNMITIGATED, Technique
from .report import FairnessReport

__all__ = [
    "CONSTRAINTS",
    "DEFINITIONS",
    "MIN_GROUP_SIZE",
    "NUMBER_METRICS",
    "OBJECTIVES",
    "RATES",
    "SCORE_METRICS",
    "TECHNIQUES",
    "UNMITIGATED",
    "Constraint",
    "Definition",
    "FairnessReport",
    "GroupMetric",
    "GroupMetrics",
    "MitigationResult",
    "MitigationSettings",
    "Objective",
    "Rate",
    "ScoreTable",
    "Technique",
    "ThresholdPolicy",
    "as_groups",
    "bin_numbers",
    "group_metrics",
    "label_text",
    "metric_record",
    "mitigate",
    "optimize_thresholds",
    "score_table",
    "tradeoff_curve",
    "verdict",
]
