"""A calibrated classifier as a graph: its own answer, and the softmax of its logarithms times a slope, plus biases."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from core.edge.export.nodes import Nodes

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from core.automl import CalibratedClassifier

__all__ = ["convert_calibrated"]


def convert_calibrated(
    estimator: CalibratedClassifier, width: int, convert: Callable[[BaseEstimator, int], onnx.ModelProto]
) -> onnx.ModelProto:
    """Convert a `CalibratedClassifier` on a float32 matrix.

    Parameters
    ----------
    estimator : CalibratedClassifier
        The estimator.
    width : int
        Number of features.
    convert : callable
        Converts the estimator inside; its last output holds probabilities.

    Returns
    -------
    ModelProto
        Its last output holds probabilities (n, classes).
    """
    from core.automl import LEAST_PROBABILITY

    model = convert(estimator.estimator, width)
    classes = len(estimator.biases)
    nodes = Nodes("calibrate/")
    answer = model.graph.output[-1].name
    inner: Any = estimator.estimator
    seen = np.asarray(inner.classes_, dtype=np.int64)
    if len(seen) < classes:
        answer = nodes("MatMul", answer, np.eye(classes, dtype=np.float32)[seen])
    logarithms = nodes("Log", nodes("Clip", answer, np.float32(LEAST_PROBABILITY), np.float32(1)))
    scores = nodes("Add", nodes("Mul", logarithms, np.float32(estimator.slope)), np.array(estimator.biases))
    nodes("Softmax", scores, output="calibrated", axis=1)
    model.graph.node.extend(nodes.nodes)
    model.graph.initializer.extend(nodes.constants)
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("calibrated", TensorProto.FLOAT, [None, classes]))
    return model
