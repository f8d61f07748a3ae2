"""AutoML: settings, a search within hard limits, and a result with its evidence.

Importing this package is cheap: scikit-learn, FLAML, LightGBM and XGBoost load when a search needs them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from core.automl._metrics import METRICS, Metric, metric_choices
from core.automl._settings import LEARNERS, AutoMLSettings

if TYPE_CHECKING:
    from core.automl._bundle import bundle
    from core.automl._earlier import load_predictions
    from core.automl._estimates import Comparison, Estimate
    from core.automl._hyperparameters import hyperparameter_importance, hyperparameter_table
    from core.automl._result import AutoMLResult
    from core.automl._search import search
    from core.automl._versus import compare_results, compare_tables, compare_trials

__all__ = [
    "LEARNERS",
    "METRICS",
    "AutoMLResult",
    "AutoMLSettings",
    "Comparison",
    "Estimate",
    "Metric",
    "bundle",
    "compare_results",
    "compare_tables",
    "compare_trials",
    "hyperparameter_importance",
    "hyperparameter_table",
    "load_predictions",
    "metric_choices",
    "search",
]

_HOMES = {
    "AutoMLResult": "_result",
    "Comparison": "_estimates",
    "Estimate": "_estimates",
    "bundle": "_bundle",
    "compare_results": "_versus",
    "compare_tables": "_versus",
    "compare_trials": "_versus",
    "hyperparameter_importance": "_hyperparameters",
    "hyperparameter_table": "_hyperparameters",
    "load_predictions": "_earlier",
    "search": "_search",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
