from .carriers import LARGE_SHARE, Carrier
from .changed_rows import WhatIf, what_if
from .counterfactual import Counterfactual, Counterfactuals, Goal, counterfactuals
from .dependence import Dependence
from .explain_result import explain
from .explanation import SHAP_FILE, SUMMARY_FILE, Explanation
from .occlusion import occlude
from .settings import ExplainSettings
from .shap_values import ShapValues
from .single_rows import Waterfall, explain_row, waterfall

__all__ = [
    "LARGE_SHARE",
    "SHAP_FILE",
    "SUMMARY_FILE",
    "Carrier",
    "Counterfactual",
    "Counterfactuals",
    "Dependence",
    "ExplainSettings",
    "Explanation",
    "Goal",
    "ShapValues",
    "Waterfall",
    "WhatIf",
    "counterfactuals",
    "explain",
    "explain_row",
    "occlude",
    "waterfall",
    "what_if",
]
