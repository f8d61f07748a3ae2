from .apply import Prepared, Preview, StepError, apply_recipe, prepare_file, preview_recipe
from .comparison import ColumnChange, compare_profiles
from .effect import Effect
from .expressions import column_names, compile_condition, compile_expression
from .fixes import Fix, fix_for
from .functions import FUNCTIONS, Function, kind_of
from .recipe import Recipe
from .registry import STEPS, step_from_dict
from .step import Step
from .work_table import WorkTable

__all__ = [
    "FUNCTIONS",
    "STEPS",
    "ColumnChange",
    "Effect",
    "Fix",
    "Function",
    "Prepared",
    "Preview",
    "Recipe",
    "Step",
    "StepError",
    "WorkTable",
    "apply_recipe",
    "column_names",
    "compare_profiles",
    "compile_condition",
    "compile_expression",
    "fix_for",
    "kind_of",
    "prepare_file",
    "preview_recipe",
    "step_from_dict",
]
