from ._counterfactuals import Counterfactual, Counterfactuals, Goal, counterfactuals
from ._dependence import Dependence
from ._explain import explain
from ._explanation import SHAP_FILE, SUMMARY_FILE, Explanation
from ._occlusion import occlude
from ._settings import ExplainSettings
from ._shap import ShapValues
from ._waterfall import Waterfall, explain_row, waterfall
from ._what_if import WhatIf, what_if

__all__ = [
    "SHAP_FILE",
    "SUMMARY_FILE",
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
