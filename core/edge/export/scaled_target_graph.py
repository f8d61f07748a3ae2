"""A regressor of a scaled target as a graph: its own answer in 64 bits, back in the unit of the target."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper

from core.edge.export.nodes import Nodes

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from core.automl import ScaledTargetRegressor

__all__ = ["convert_scaled_target"]


def convert_scaled_target(
    estimator: ScaledTargetRegressor, width: int, convert: Callable[[BaseEstimator, int], onnx.ModelProto]
) -> onnx.ModelProto:
    """Convert a fitted `ScaledTargetRegressor` on a float32 matrix.

    Parameters
    ----------
    estimator : ScaledTargetRegressor
        A fitted estimator.
    width : int
        Number of features.
    convert : callable
        Converts the estimator inside; its last output holds numbers.

    Returns
    -------
    ModelProto
        Its last output holds numbers (n, 1), float64.
    """
    model = convert(estimator.estimator_, width)
    nodes = Nodes("unscale/")
    answer = nodes("Cast", model.graph.output[-1].name, to=TensorProto.DOUBLE)
    answer = nodes("Reshape", answer, np.array([-1, 1]))
    answer = nodes("Mul", answer, nodes.double(estimator.scale_))
    answer = nodes("Add", answer, nodes.double(estimator.center_))
    if estimator.log:
        low, high = np.arcsinh(np.array(estimator.range_) / estimator.unit_)
        answer = nodes("Clip", answer, nodes.double(low), nodes.double(high))
        both = nodes("Sub", nodes("Exp", answer), nodes("Exp", nodes("Neg", answer)))
        answer = nodes("Mul", both, nodes.double(estimator.unit_ / 2))
        answer = nodes("Clip", answer, *map(nodes.double, estimator.range_))
    nodes("Identity", answer, output="unscaled")
    model.graph.node.extend(nodes.nodes)
    model.graph.initializer.extend(nodes.constants)
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("unscaled", TensorProto.DOUBLE, [None, 1]))
    return model
