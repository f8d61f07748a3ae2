from .assessment import Assessment, assess
from .batches import (
    DRIFT,
    MONITORED,
    REFERENCE,
    SKETCH,
    WATCHED_TASKS,
    Batch,
    batch_of,
    batches_of,
    file_of,
    report_of,
    sketch_of,
)
from .distributions import BATCH, MISSING, OTHERS, REFERENCE_ROWS, distribution
from .plan import TRAINING, MonitorSettings, change_plan, plan_of
from .reference import SCORE, SCORE_COLUMN, TRUTH, Reference, training_reference, with_score

__all__ = [
    "BATCH",
    "DRIFT",
    "MISSING",
    "MONITORED",
    "OTHERS",
    "REFERENCE",
    "REFERENCE_ROWS",
    "SCORE",
    "SCORE_COLUMN",
    "SKETCH",
    "TRAINING",
    "TRUTH",
    "WATCHED_TASKS",
    "Assessment",
    "Batch",
    "MonitorSettings",
    "Reference",
    "assess",
    "batch_of",
    "batches_of",
    "change_plan",
    "distribution",
    "file_of",
    "plan_of",
    "report_of",
    "sketch_of",
    "training_reference",
    "with_score",
]
