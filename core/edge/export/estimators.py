"""The estimators that export, and what has to be so for each: an explicit list, because converters fail silently."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import ExportError

if TYPE_CHECKING:
    import onnx

__all__ = ["FEATURES", "OPSETS", "convert_estimator"]

OPSETS = {"": 21, "ai.onnx.ml": 3}
FEATURES = "features"
"""Name of the input of a converted estimator."""

_FORESTS = tuple(
    f"sklearn.{name}{task}" for name in ("RandomForest", "ExtraTrees") for task in ("Classifier", "Regressor")
)
_BOOSTED = ("lightgbm.LGBMClassifier", "lightgbm.LGBMRegressor", "xgboost.XGBClassifier", "xgboost.XGBRegressor")
_BLENDS = ("core.BlendClassifier", "core.BlendRegressor")
_LINEAR = ("sklearn.LogisticRegression", "sklearn.Ridge")
_ZERO = np.float32(1e-35)  # LightGBM's kZeroThreshold
_HINT = "Use the model in Python, or search again without this kind of model."


def convert_estimator(estimator: Any, width: int) -> onnx.ModelProto:
    """Convert a fitted estimator on a float32 matrix.

    Parameters
    ----------
    estimator : fitted estimator
        LightGBM or XGBoost (boosted trees, trained on arrays), a random forest, extra trees, logistic or ridge
        regression with or without a standard scaler before it, or a blend of these.
    width : int
        Number of features.

    Returns
    -------
    ModelProto
        Its input is `FEATURES`, its last output probabilities (n, classes) or numbers (n, 1).

    Raises
    ------
    ExportError
        When it is none of these, or cannot be converted.
    """
    if _key(estimator) in _BLENDS:
        from core.edge.export.blend_graph import convert_blend

        return convert_blend(estimator, width, convert_estimator, FEATURES)
    reason = _obstacle(estimator)
    if reason:
        raise ExportError(f"{_told(estimator)} cannot be exported: {reason}.", _HINT)
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

    _register()
    options = {id(estimator): {"zipmap": False}} if hasattr(estimator, "predict_proba") else None
    try:
        model: onnx.ModelProto = convert_sklearn(
            estimator, initial_types=[(FEATURES, FloatTensorType([None, width]))], options=options, target_opset=OPSETS
        )
    except (RuntimeError, ValueError, TypeError, KeyError, NotImplementedError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise ExportError(f"{_told(estimator)} cannot be exported: {first}.", _HINT) from error
    modes = {
        mode
        for node in model.graph.node
        for each in node.attribute
        if each.name == "nodes_modes"
        for mode in each.strings
    }
    if b"BRANCH_EQ" in modes:
        raise ExportError(
            f"{_told(estimator)} cannot be exported: it splits on categories by itself, which is slow in ONNX.", _HINT
        )
    return model


def _key(estimator: Any) -> str:
    return f"{type(estimator).__module__.split('.')[0]}.{type(estimator).__name__}"


def _told(estimator: Any) -> str:
    """Return the name of an estimator; of a pipeline, those of its steps."""
    steps = getattr(estimator, "steps", None)
    return " with ".join(type(step).__name__ for _, step in steps) if steps else type(estimator).__name__


def _obstacle(estimator: Any) -> str:
    """Return why an estimator cannot be exported; empty when it can."""
    key = _key(estimator)
    if key == "sklearn.Pipeline":
        steps = [_key(step) for _, step in estimator.steps]
        if len(steps) == 2 and steps[0] == "sklearn.StandardScaler" and steps[1] in _LINEAR:
            return ""
        if steps[0] == "sklearn.StandardScaler":
            return "a scaler before it moves values across its thresholds in float32"
        return "only a standard scaler before a linear model is supported"
    if key in _BOOSTED:
        return _boosted(estimator)
    if key in _FORESTS or key in _LINEAR:
        return ""
    return "there is no converter that is known to be right"


def _boosted(estimator: Any) -> str:
    parameters = estimator.get_params()
    if _key(estimator).startswith("xgboost"):
        booster = parameters.get("booster") or "gbtree"
        if booster != "gbtree":
            return f"its booster is {booster}, and only gbtree converts rightly"
        if estimator.get_booster().feature_names is not None:
            return "it was trained on named columns, and only arrays convert"
        return ""
    if parameters["boosting_type"] not in ("gbdt", "goss"):
        return f"its boosting is {parameters['boosting_type']}, and only gbdt converts rightly"
    if parameters.get("linear_tree"):
        return "its leaves hold linear models"
    return ""


class _RoundsDown:
    """A converter's container that keeps thresholds of trees exact.

    A row goes left when its float32 value is at most the float64 threshold. The file holds float32: the nearest one may
    be above the threshold, and a row with that very value would change sides; the next one below says the same for
    each value that float32 has.

    LightGBM reads what is no larger than 1e-35 as zero, which is also where it parts negative values from zero: the
    largest that stays negative is the next one below.
    """

    def __init__(self, container: Any) -> None:
        self._container = container

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def add_node(self, op_type: str, inputs: Any, outputs: Any, **attributes: Any) -> Any:
        """Add a node; thresholds of "at most" are rounded down."""
        if "nodes_values" in attributes:
            exact = np.asarray(attributes["nodes_values"], dtype=np.float64)
            with np.errstate(over="ignore"):
                rounded = exact.astype(np.float32)
            above = (rounded.astype(np.float64) > exact) & (np.asarray(attributes["nodes_modes"]) == "BRANCH_LEQ")
            above |= rounded == -_ZERO
            rounded[above] = np.nextafter(rounded[above], np.float32(-np.inf))
            attributes["nodes_values"] = rounded.tolist()
        return self._container.add_node(op_type, inputs, outputs, **attributes)


def _exactly(convert: Callable[..., None]) -> Callable[..., None]:
    def converter(scope: Any, operator: Any, container: Any) -> None:
        convert(scope, operator, _RoundsDown(container))

    return converter


@cache
def _register() -> None:
    """Tell skl2onnx of the boosted trees, once a process. Its own converter of forests rounds thresholds down."""
    from lightgbm import LGBMClassifier, LGBMRegressor
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
    from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )
    from xgboost import XGBClassifier, XGBRegressor

    classifier = {"zipmap": [True, False, "columns"], "nocl": [True, False]}
    for model, convert, options in (
        (LGBMClassifier, _exactly(convert_lightgbm), classifier),
        (LGBMRegressor, _exactly(convert_lightgbm), {"split": None}),
        (XGBClassifier, convert_xgboost, classifier),  # its thresholds are float32, and its rows go left below them
        (XGBRegressor, convert_xgboost, None),
    ):
        shapes = (
            calculate_linear_classifier_output_shapes
            if options and "zipmap" in options
            else calculate_linear_regressor_output_shapes
        )
        alias = f"Plumbline{model.__name__}"
        update_registered_converter(model, alias, shapes, convert, overwrite=True, options=options)
