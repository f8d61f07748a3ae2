"""The estimators that can be exported: an explicit list, because converters fail silently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import ExportError
from core.registry import Registry

if TYPE_CHECKING:
    import onnx
    from sklearn.base import BaseEstimator

__all__ = ["EXPORTABLE", "FEATURES", "OPSETS", "ExportableEstimator", "convert_estimator"]

OPSETS = {"": 21, "ai.onnx.ml": 3}
FEATURES = "features"
"""Name of the input of a converted estimator."""

_HINT = "Use the model in Python, or search again without this kind of model."


def _no_obstacle(estimator: BaseEstimator) -> str:
    return ""


def _convert(estimator: BaseEstimator, width: int) -> onnx.ModelProto:
    """Convert with skl2onnx."""
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

    options = {id(estimator): {"zipmap": False}} if hasattr(estimator, "predict_proba") else None
    types = [(FEATURES, FloatTensorType([None, width]))]
    model: onnx.ModelProto = convert_sklearn(estimator, initial_types=types, options=options, target_opset=OPSETS)
    return model


@dataclass(frozen=True)
class ExportableEstimator:
    """One class of estimators.

    Parameters
    ----------
    name : str
        Package and name of the class, such as "sklearn.Ridge".
    find_obstacle : callable, optional
        Takes a fitted estimator; returns the reason why it cannot be exported, empty when it can.
    convert : callable, optional
        Takes a fitted estimator and the number of features; returns the graph. Its input is `FEATURES`, its last output
        probabilities (n, classes) or numbers (n, 1). By default skl2onnx converts.
    """

    name: str
    find_obstacle: Callable[[BaseEstimator], str] = _no_obstacle
    convert: Callable[[BaseEstimator, int], onnx.ModelProto] = _convert


def convert_estimator(estimator: BaseEstimator, width: int) -> onnx.ModelProto:
    """Convert a fitted estimator on a float32 matrix.

    Parameters
    ----------
    estimator : fitted estimator
        An estimator of a class in `EXPORTABLE`.
    width : int
        Number of features.

    Returns
    -------
    ModelProto
        Its input is `FEATURES`, its last output probabilities (n, classes) or numbers (n, 1).

    Raises
    ------
    ExportError
        When its class is not exportable, or it cannot be converted.
    """
    record = EXPORTABLE.get(_class_name(estimator))
    reason = record.find_obstacle(estimator) if record else "no converter is known to be right"
    if record is None or reason:
        raise ExportError(f"{_describe(estimator)} cannot be exported: {reason}.", _HINT)
    try:
        model = record.convert(estimator, width)
    except (RuntimeError, ValueError, TypeError, KeyError, NotImplementedError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise ExportError(f"{_describe(estimator)} cannot be exported: {first}.", _HINT) from error
    attributes = [attribute for node in model.graph.node for attribute in node.attribute]
    if any(b"BRANCH_EQ" in attribute.strings for attribute in attributes if attribute.name == "nodes_modes"):
        raise ExportError(
            f"{_describe(estimator)} cannot be exported: it splits on categories by itself, which is slow in ONNX.",
            _HINT,
        )
    return model


def _class_name(estimator: BaseEstimator) -> str:
    return f"{type(estimator).__module__.split('.')[0]}.{type(estimator).__name__}"


def _describe(estimator: BaseEstimator) -> str:
    """Return the name of an estimator; for a pipeline, those of its steps."""
    steps = getattr(estimator, "steps", None)
    return " with ".join(type(step).__name__ for _, step in steps) if steps else type(estimator).__name__


def _pipeline_obstacle(estimator: BaseEstimator) -> str:
    steps = [_class_name(step) for _, step in estimator.steps]
    if steps[0] != "sklearn.StandardScaler":
        return "only a standard scaler before a linear model is supported"
    if len(steps) != 2 or steps[1] not in ("sklearn.LogisticRegression", "sklearn.Ridge"):
        return "a scaler before it moves values across its thresholds in float32"
    return ""


def _xgboost_obstacle(estimator: BaseEstimator) -> str:
    booster = estimator.get_params().get("booster") or "gbtree"
    if booster != "gbtree":
        return f"its booster is {booster}, and only gbtree converts correctly"
    if estimator.get_booster().feature_names is not None:
        return "it was trained on named columns, and only arrays convert"
    return ""


def _tabicl_obstacle(estimator: BaseEstimator) -> str:
    return "it is a transformer that reads the training rows with each prediction"


def _lightgbm_obstacle(estimator: BaseEstimator) -> str:
    parameters = estimator.get_params()
    if parameters["boosting_type"] not in ("gbdt", "goss"):
        return f"its boosting is {parameters['boosting_type']}, and only gbdt converts correctly"
    return "its leaves hold linear models" if parameters.get("linear_tree") else ""


def _convert_boosted(estimator: BaseEstimator, width: int) -> onnx.ModelProto:
    from core.edge.export.boosted_trees import register_converters

    register_converters()
    return _convert(estimator, width)


def _catboost_obstacle(estimator: BaseEstimator) -> str:
    return "it has seen one class only" if len(getattr(estimator, "classes_", (0, 1))) < 2 else ""


def _convert_catboost(estimator: BaseEstimator, width: int) -> onnx.ModelProto:
    from core.edge.export.catboost_graph import convert_catboost

    return convert_catboost(estimator, width, FEATURES, OPSETS)


def _convert_additive(estimator: BaseEstimator, width: int) -> onnx.ModelProto:
    from core.edge.export.additive_graph import convert_additive

    return convert_additive(estimator, width, FEATURES, OPSETS)


def _convert_neural_net(estimator: BaseEstimator, width: int) -> onnx.ModelProto:
    from core.edge.export.neural_net_graph import convert_neural_net

    return convert_neural_net(estimator, width, FEATURES, OPSETS)


def _convert_blend(estimator: BaseEstimator, width: int) -> onnx.ModelProto:
    from core.edge.export.blend_graph import convert_blend

    return convert_blend(estimator, width, convert_estimator, FEATURES)


def _convert_calibrated(estimator: BaseEstimator, width: int) -> onnx.ModelProto:
    from core.edge.export.calibrated_graph import convert_calibrated

    return convert_calibrated(estimator, width, convert_estimator)


def _convert_engineered(estimator: BaseEstimator, width: int) -> onnx.ModelProto:
    from core.edge.export.engineered_graph import convert_engineered

    return convert_engineered(estimator, width, convert_estimator, FEATURES)


def _convert_scaled_target(estimator: BaseEstimator, width: int) -> onnx.ModelProto:
    from core.edge.export.scaled_target_graph import convert_scaled_target

    return convert_scaled_target(estimator, width, convert_estimator)


EXPORTABLE = Registry(
    "exportable estimator",
    [
        *(
            ExportableEstimator(f"sklearn.{name}")
            for name in (
                "RandomForestClassifier",
                "RandomForestRegressor",
                "ExtraTreesClassifier",
                "ExtraTreesRegressor",
                "LogisticRegression",
                "Ridge",
            )
        ),
        ExportableEstimator("sklearn.Pipeline", _pipeline_obstacle),
        ExportableEstimator("lightgbm.LGBMClassifier", _lightgbm_obstacle, _convert_boosted),
        ExportableEstimator("lightgbm.LGBMRegressor", _lightgbm_obstacle, _convert_boosted),
        ExportableEstimator("xgboost.XGBClassifier", _xgboost_obstacle, _convert_boosted),
        ExportableEstimator("xgboost.XGBRegressor", _xgboost_obstacle, _convert_boosted),
        ExportableEstimator("core.CatBoostTreesClassifier", _catboost_obstacle, _convert_catboost),
        ExportableEstimator("core.CatBoostTreesRegressor", _catboost_obstacle, _convert_catboost),
        ExportableEstimator("core.AdditiveClassifier", convert=_convert_additive),
        ExportableEstimator("core.AdditiveRegressor", convert=_convert_additive),
        ExportableEstimator("core.NeuralNetClassifier", convert=_convert_neural_net),
        ExportableEstimator("core.NeuralNetRegressor", convert=_convert_neural_net),
        ExportableEstimator("core.TabICLClassifier", _tabicl_obstacle),
        ExportableEstimator("core.TabICLRegressor", _tabicl_obstacle),
        ExportableEstimator("core.BlendClassifier", convert=_convert_blend),
        ExportableEstimator("core.BlendRegressor", convert=_convert_blend),
        ExportableEstimator("core.CalibratedClassifier", convert=_convert_calibrated),
        ExportableEstimator("core.EngineeredClassifier", convert=_convert_engineered),
        ExportableEstimator("core.EngineeredRegressor", convert=_convert_engineered),
        ExportableEstimator("core.ScaledTargetRegressor", convert=_convert_scaled_target),
    ],
)
"""All classes of estimators that can be exported, by package and name."""
