from .apply import Prepared, apply_recipe, prepare_file
from .comparison import ColumnChange, compare_profiles
from .effect import Effect
from .expressions import column_names, compile_condition, compile_expression
from .fixes import Fix, fix_for
from .functions import FUNCTIONS, Function
from .preview import Preview, preview_recipe
from .recipe import Recipe
from .registry import STEPS, step_from_dict
from .replay import Replay, Replayed
from .session import StepError, column_types
from .step import Step
from .typed import kind_of
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
    "Replay",
    "Replayed",
    "Step",
    "StepError",
    "WorkTable",
    "apply_recipe",
    "column_names",
    "column_types",
    "compare_profiles",
    "compile_condition",
    "compile_expression",
    "fix_for",
    "kind_of",
    "prepare_file",
    "preview_recipe",
    "step_from_dict",
]
