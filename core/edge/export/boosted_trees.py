"""Converters of boosted trees for skl2onnx, which keep the trees' thresholds exact."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from skl2onnx.common._container import ModelComponentContainer
    from skl2onnx.common._topology import Operator, Scope

__all__ = ["register_converters"]

_ZERO = np.float32(1e-35)  # LightGBM's kZeroThreshold


class _RoundsDown:
    """A converter's container that keeps thresholds of trees exact.

    A row goes left when its float32 value is at most the float64 threshold. The file holds float32: the nearest one may
    be above the threshold, and a row with that very value would change sides; the next one below decides the same for
    each float32 value.

    LightGBM reads values up to 1e-35 as zero, and also separates negative values from zero there: the largest value
    that stays negative is the next one below.
    """

    def __init__(self, container: ModelComponentContainer) -> None:
        self._container = container

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def add_node(self, op_type: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        """Add a node; thresholds of "at most" are rounded down."""
        if "nodes_values" in attributes:
            exact = np.asarray(attributes["nodes_values"], dtype=np.float64)
            with np.errstate(over="ignore"):
                rounded = exact.astype(np.float32)
            above = (rounded.astype(np.float64) > exact) & (np.asarray(attributes["nodes_modes"]) == "BRANCH_LEQ")
            above |= rounded == -_ZERO
            rounded[above] = np.nextafter(rounded[above], np.float32(-np.inf))
            attributes["nodes_values"] = rounded.tolist()
        self._container.add_node(op_type, inputs, outputs, **attributes)


def _exactly(convert: Callable[..., None]) -> Callable[..., None]:
    def converter(scope: Scope, operator: Operator, container: ModelComponentContainer) -> None:
        convert(scope, operator, _RoundsDown(container))

    return converter


@cache
def register_converters() -> None:
    """Register the converters of boosted trees, once per process. skl2onnx's own one of forests rounds down."""
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
