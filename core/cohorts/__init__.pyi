from .cohort_report import CohortReport, JudgedCohort
from .conditions import Cohort, Condition, NumberCondition, ValueCondition
from .error_grid import ErrorGrid, GridCell, grid_errors
from .finding import find_cohorts, judge_cohort, rows_to_judge
from .losses import LOSSES, Loss, losses_of, row_losses

__all__ = [
    "LOSSES",
    "Cohort",
    "CohortReport",
    "Condition",
    "ErrorGrid",
    "GridCell",
    "JudgedCohort",
    "Loss",
    "NumberCondition",
    "ValueCondition",
    "find_cohorts",
    "grid_errors",
    "judge_cohort",
    "losses_of",
    "row_losses",
    "rows_to_judge",
]
