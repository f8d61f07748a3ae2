"""Why a model says what it says: over a table, for one row, and what would change its answer.

Importing this package is cheap, and so are reading an `Explanation` and explaining a row of a scoring function:
scikit-learn, SHAP and the boosters load in `explain` only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from core.explain._settings import ExplainSettings

if TYPE_CHECKING:
    from core.explain._counterfactual import Counterfactual, Counterfactuals, Goal, counterfactuals
    from core.explain._dependence import Dependence
    from core.explain._explain import explain
    from core.explain._explanation import SHAP_FILE, SUMMARY_FILE, Explanation
    from core.explain._shap import ShapValues
    from core.explain._waterfall import Waterfall, explain_row, waterfall
    from core.explain._what_if import WhatIf, what_if

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
    "waterfall",
    "what_if",
]

_HOMES = {
    "Counterfactual": "_counterfactual",
    "Counterfactuals": "_counterfactual",
    "Dependence": "_dependence",
    "Explanation": "_explanation",
    "Goal": "_counterfactual",
    "SHAP_FILE": "_explanation",
    "SUMMARY_FILE": "_explanation",
    "ShapValues": "_shap",
    "Waterfall": "_waterfall",
    "WhatIf": "_what_if",
    "counterfactuals": "_counterfactual",
    "explain": "_explain",
    "explain_row": "_waterfall",
    "waterfall": "_waterfall",
    "what_if": "_what_if",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
