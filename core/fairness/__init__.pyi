from .local_law_144.audit_result import AUDIT_TABLES, AUDITOR_SENTENCE, BiasAudit
from .local_law_144.audit_tables import bias_audit
from .local_law_144.categories import RACE_CATEGORIES, SEX_CATEGORIES, UNKNOWN_CATEGORY, suggest_categories
from .local_law_144.facts import AuditFacts
from .metrics.binning import as_groups, bin_numbers
from .metrics.conclusion import Conclusion
from .metrics.definitions import DEFINITIONS, Definition
from .metrics.gap_comparison import GapComparison
from .metrics.group_metrics import GroupMetrics
from .metrics.groups import label_text
from .metrics.impact import IMPACT_CITATION, impact_ratios
from .metrics.labels import LabelMatch, PositiveLabel, match_labels
from .metrics.measure import group_metrics
from .metrics.options import MIN_GROUP_SIZE
from .metrics.paired_gaps import compare_gaps
from .metrics.pairs import PairwiseGaps, SurestGap, pairwise_gaps
from .metrics.questions import CRITERION_QUESTIONS, CriterionQuestion, Recommendation, recommend_definition
from .metrics.registry import NUMBER_METRICS, RATES, SCORE_METRICS, GroupMetric, Rate, metric_record
from .metrics.verdict import conclude, repeat_finding, verdict
from .postprocessing.objectives import CONSTRAINTS, OBJECTIVES, Constraint, Objective, resolve_costs
from .postprocessing.optimize import optimize_thresholds, tradeoff_curve
from .postprocessing.policy import ThresholdPolicy
from .postprocessing.score_table import ScoreTable, score_table
from .postprocessing.single import single_threshold
from .reductions.describe import describe_techniques
from .reductions.mitigate import MitigationResult, mitigate
from .reductions.settings import MitigationSettings
from .reductions.techniques import TECHNIQUES, UNMITIGATED, Technique, technique_title
from .report import FairnessReport

__all__ = [
    "AUDITOR_SENTENCE",
    "AUDIT_TABLES",
    "CONSTRAINTS",
    "CRITERION_QUESTIONS",
    "DEFINITIONS",
    "IMPACT_CITATION",
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
    "Conclusion",
    "Constraint",
    "CriterionQuestion",
    "Definition",
    "FairnessReport",
    "GapComparison",
    "GroupMetric",
    "GroupMetrics",
    "LabelMatch",
    "MitigationResult",
    "MitigationSettings",
    "Objective",
    "PairwiseGaps",
    "PositiveLabel",
    "Rate",
    "Recommendation",
    "ScoreTable",
    "SurestGap",
    "Technique",
    "ThresholdPolicy",
    "as_groups",
    "bias_audit",
    "bin_numbers",
    "compare_gaps",
    "conclude",
    "describe_techniques",
    "group_metrics",
    "impact_ratios",
    "label_text",
    "match_labels",
    "metric_record",
    "mitigate",
    "optimize_thresholds",
    "pairwise_gaps",
    "recommend_definition",
    "repeat_finding",
    "resolve_costs",
    "score_table",
    "single_threshold",
    "suggest_categories",
    "technique_title",
    "tradeoff_curve",
    "verdict",
]
