from .cohort_report import CohortReport, JudgedCohort
from .conditions import Cohort, Condition, NumberCondition, ValueCondition
from .error_grid import ErrorGrid, GridCell, grid_errors
from .finding import find_cohorts, judge_cohort, rows_to_judge
from .intervals import mean_difference
from .losses import LOSSES, Loss, losses_of, row_losses
from .out_of_fold import MAX_COLUMNS, MAX_ROWS, condition_columns, load_out_of_fold

__all__ = [
    "LOSSES",
    "MAX_COLUMNS",
    "MAX_ROWS",
    "Cohort",
    "CohortReport",
    "Condition",
    "ErrorGrid",
    "GridCell",
    "JudgedCohort",
    "Loss",
    "NumberCondition",
    "ValueCondition",
    "condition_columns",
    "find_cohorts",
    "grid_errors",
    "judge_cohort",
    "load_out_of_fold",
    "losses_of",
    "mean_difference",
    "row_losses",
    "rows_to_judge",
]
