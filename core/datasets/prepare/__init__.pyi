from .apply import Prepared, StepError, apply_recipe, prepare_file
from .effect import Effect
from .expressions import column_names, compile_condition, compile_expression
from .functions import FUNCTIONS, Function, kind_of
from .recipe import Recipe
from .registry import STEPS, step_from_dict
from .step import Step
from .work_table import WorkTable

__all__ = [
    "FUNCTIONS",
    "STEPS",
    "Effect",
    "Function",
    "Prepared",
    "Recipe",
    "Step",
    "StepError",
    "WorkTable",
    "apply_recipe",
    "column_names",
    "compile_condition",
    "compile_expression",
    "kind_of",
    "prepare_file",
    "step_from_dict",
]
