"""A small neural net as a graph: scaled and clipped features, then its layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx

from core.edge.export.nodes import Nodes

if TYPE_CHECKING:
    from core.automl import NeuralNet

__all__ = ["convert_neural_net"]


def convert_neural_net(estimator: NeuralNet, width: int, features: str, opsets: dict[str, int]) -> onnx.ModelProto:
    """Convert a fitted net on a float32 matrix.

    Parameters
    ----------
    estimator : NeuralNet
        A fitted estimator.
    width : int
        Number of features.
    features : str
        Name of the input.
    opsets : dict of str to int
        Versions of the operators by domain.

    Returns
    -------
    ModelProto
        Its output holds probabilities (n, classes) or numbers (n, 1).
    """
    nodes = Nodes("net/")
    alpha, gamma = estimator.selu
    values = nodes("Mul", nodes("Sub", features, estimator.center_), estimator.scale_)
    values = nodes("Clip", values, -estimator.largest, estimator.largest)
    ratio = nodes("Div", values, estimator.clip)
    values = nodes("Div", values, nodes("Sqrt", nodes("Add", nodes("Mul", ratio, ratio), np.float32(1))))
    for weights, biases in estimator.layers_[:-1]:
        values = nodes("Add", nodes("MatMul", values, weights), biases)
        if estimator.smooth:
            values = nodes("Mul", values, nodes("Tanh", nodes("Softplus", values)))
        else:
            values = nodes("Selu", values, alpha=alpha, gamma=gamma)
    weights, biases = estimator.layers_[-1]
    answer = nodes("Add", nodes("MatMul", values, weights), biases)
    if hasattr(estimator, "predict_proba"):
        answer = nodes("Softmax", answer, axis=1)
    return nodes.model(features, width, answer, len(biases), opsets)
