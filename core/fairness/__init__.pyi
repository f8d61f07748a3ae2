from .local_law_144.audit_result import AUDIT_TABLES, AUDITOR_SENTENCE, BiasAudit
from .local_law_144.audit_tables import bias_audit
from .local_law_144.categories import RACE_CATEGORIES, SEX_CATEGORIES, UNKNOWN_CATEGORY, suggest_categories
from .local_law_144.facts import AuditFacts
from .metrics.binning import as_groups, bin_numbers
from .metrics.definitions import DEFINITIONS, Definition
from .metrics.gap_comparison import GapComparison
from .metrics.group_metrics import GroupMetrics
from .metrics.groups import label_text
from .metrics.measure import group_metrics
from .metrics.options import MIN_GROUP_SIZE
from .metrics.paired_gaps import compare_gaps
from .metrics.pairs import PairwiseGaps, SurestGap, pairwise_gaps
from .metrics.registry import NUMBER_METRICS, RATES, SCORE_METRICS, GroupMetric, Rate, metric_record
from .metrics.verdict import verdict
from .postprocessing.objectives import CONSTRAINTS, OBJECTIVES, Constraint, Objective, resolve_costs
from .postprocessing.optimize import optimize_thresholds, tradeoff_curve
from .postprocessing.policy import ThresholdPolicy
from .postprocessing.score_table import ScoreTable, score_table
from .postprocessing.single import single_threshold
from .reductions.mitigate import MitigationResult, mitigate
from .reductions.settings import MitigationSettings
from .reductions.techniques import TECHNIQUES, UNMITIGATED, Technique
from .report import FairnessReport

__all__ = [
    "AUDITOR_SENTENCE",
    "AUDIT_TABLES",
    "CONSTRAINTS",
    "DEFINITIONS",
    "MIN_GROUP_SIZE",
    "NUMBER_METRICS",
    "OBJECTIVES",
    "RACE_CATEGORIES",
    "RATES",
    "SCORE_METRICS",
    "SEX_CATEGORIES",
    "TECHNIQUES",
    "UNKNOWN_CATEGORY",
    "UNMITIGATED",
    "AuditFacts",
    "BiasAudit",
    "Constraint",
    "Definition",
    "FairnessReport",
    "GapComparison",
    "GroupMetric",
    "GroupMetrics",
    "MitigationResult",
    "MitigationSettings",
    "Objective",
    "PairwiseGaps",
    "Rate",
    "ScoreTable",
    "SurestGap",
    "Technique",
    "ThresholdPolicy",
    "as_groups",
    "bias_audit",
    "bin_numbers",
    "compare_gaps",
    "group_metrics",
    "label_text",
    "metric_record",
    "mitigate",
    "optimize_thresholds",
    "pairwise_gaps",
    "resolve_costs",
    "score_table",
    "single_threshold",
    "suggest_categories",
    "tradeoff_curve",
    "verdict",
]
