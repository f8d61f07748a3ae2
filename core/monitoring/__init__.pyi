from .adjustment import adjust_p_values
from .alpha_spending import look_alpha
from .batch_sketch import BatchSketch
from .cell_values import level_text
from .change_settings import (
    Change,
    DropLevel,
    MultiplyColumn,
    RemoveColumn,
    RenameColumn,
    SetMissing,
    ShiftColumn,
    ShuffleLevels,
    changes_adapter,
)
from .cohorts_in_batch import CohortShare, cohort_share, cohort_shares
from .column_drift import ColumnDrift
from .column_sketches import (
    COLUMN_TYPES,
    CategorySketch,
    ColumnSketch,
    ColumnType,
    DateSketch,
    NumberSketch,
    TextSketch,
)
from .comparison import compare
from .distribution_bins import distribution_table
from .drift_report import DriftReport
from .drift_tests import DRIFT_TESTS, DriftTest
from .estimation import estimate_performance
from .expected_metrics import ESTIMATED_METRICS, EstimatedMetric
from .group_rates import GroupRates, batch_group_rates
from .label_book import LabelBook, LabelDelivery, row_keys
from .label_names import ReadLabels, read_labels
from .look_states import LOOK_STATES, LookLevel, LookState, judge_look, judge_p_values, judge_series, worst_state
from .measured_performance import MeasuredPerformance, labeled_rows, measure_performance
from .metric_export import MetricSample, metrics_json, monitoring_metrics, prometheus_text
from .outcomes import MIN_ROWS, DriftOutcome, TestContext
from .performance_estimate import CONCEPT_DRIFT_CAVEAT, PerformanceEstimate
from .performance_states import judge_gap, judge_performance
from .quality_checks import QUALITY_CHECKS, QualityCheck, check_quality
from .quantile_points import QuantilePoints
from .replay import ReplayedBatch, split_by_date
from .sampling_errors import SAMPLING_ERRORS, sampling_error
from .simulation import simulate
from .sketching import sketch
from .surprising_errors import error_surplus, find_surprising_errors
from .target_drift import compare_labels

__all__ = [
    "COLUMN_TYPES",
    "CONCEPT_DRIFT_CAVEAT",
    "DRIFT_TESTS",
    "ESTIMATED_METRICS",
    "LOOK_STATES",
    "MIN_ROWS",
    "QUALITY_CHECKS",
    "SAMPLING_ERRORS",
    "BatchSketch",
    "CategorySketch",
    "Change",
    "CohortShare",
    "ColumnDrift",
    "ColumnSketch",
    "ColumnType",
    "DateSketch",
    "DriftOutcome",
    "DriftReport",
    "DriftTest",
    "DropLevel",
    "EstimatedMetric",
    "GroupRates",
    "LabelBook",
    "LabelDelivery",
    "LookLevel",
    "LookState",
    "MeasuredPerformance",
    "MetricSample",
    "MultiplyColumn",
    "NumberSketch",
    "PerformanceEstimate",
    "QualityCheck",
    "QuantilePoints",
    "ReadLabels",
    "RemoveColumn",
    "RenameColumn",
    "ReplayedBatch",
    "SetMissing",
    "ShiftColumn",
    "ShuffleLevels",
    "TestContext",
    "TextSketch",
    "adjust_p_values",
    "batch_group_rates",
    "changes_adapter",
    "check_quality",
    "cohort_share",
    "cohort_shares",
    "compare",
    "compare_labels",
    "distribution_table",
    "error_surplus",
    "estimate_performance",
    "find_surprising_errors",
    "judge_gap",
    "judge_look",
    "judge_p_values",
    "judge_performance",
    "judge_series",
    "labeled_rows",
    "level_text",
    "look_alpha",
    "measure_performance",
    "metrics_json",
    "monitoring_metrics",
    "prometheus_text",
    "read_labels",
    "row_keys",
    "sampling_error",
    "simulate",
    "sketch",
    "split_by_date",
    "worst_state",
]
