from .adjustment import adjust_p_values
from .alpha_spending import look_alpha
from .batch_sketch import BatchSketch
from .column_drift import ColumnDrift
from .column_sketches import COLUMN_TYPES, ColumnSketch, ColumnType
from .comparison import compare
from .drift_report import DriftReport
from .drift_tests import DRIFT_TESTS, DriftTest
from .look_states import LOOK_STATES, LookState, judge_look, judge_series, worst_state
from .outcomes import MIN_ROWS, DriftOutcome, TestContext
from .quality_checks import QUALITY_CHECKS, QualityCheck, check_quality
from .sketching import sketch

__all__ = [
    "COLUMN_TYPES",
    "DRIFT_TESTS",
    "LOOK_STATES",
    "MIN_ROWS",
    "QUALITY_CHECKS",
    "BatchSketch",
    "ColumnDrift",
    "ColumnSketch",
    "ColumnType",
    "DriftOutcome",
    "DriftReport",
    "DriftTest",
    "LookState",
    "QualityCheck",
    "TestContext",
    "adjust_p_values",
    "check_quality",
    "compare",
    "judge_look",
    "judge_series",
    "look_alpha",
    "sketch",
    "worst_state",
]
