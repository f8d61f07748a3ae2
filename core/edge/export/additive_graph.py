"""An additive model as a graph: the share of each interval below a value, its powers, and one weighted sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx

from core.edge.export.nodes import Nodes

if TYPE_CHECKING:
    from core.automl import AdditiveModel

__all__ = ["convert_additive"]

_ML = "ai.onnx.ml"


def convert_additive(estimator: AdditiveModel, width: int, features: str, opsets: dict[str, int]) -> onnx.ModelProto:
    """Convert a fitted additive model on a float32 matrix.

    Parameters
    ----------
    estimator : AdditiveModel
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
    coefficients = np.atleast_2d(estimator.model_.coef_) / estimator.scaler_.scale_
    constant = np.atleast_1d(estimator.model_.intercept_).astype(float)
    mean = estimator.scaler_.mean_
    nodes = Nodes("additive/")
    parts = [nodes("Div", nodes("Sub", features, mean[:width]), estimator.scaler_.scale_[:width])]
    weights = [coefficients[:, :width] * estimator.scaler_.scale_[:width]]
    begin = width
    for column, spline in estimator.features_.splines_.items():
        end = begin + len(spline.first)
        own = coefficients[:, begin:end]
        constant = constant + own @ (spline.first - mean[begin:end])
        value = nodes("Gather", features, np.array([column]), axis=1)
        inside = nodes("Div", nodes("Sub", value, spline.knots[:-1]), np.diff(spline.knots))
        share = nodes("Clip", inside, np.float32(0), np.float32(1))
        square = nodes("Mul", share, share)
        below = nodes("Min", nodes("Sub", value, spline.knots[:1]), np.float32(0))
        above = nodes("Max", nodes("Sub", value, spline.knots[-1:]), np.float32(0))
        parts += [share, square, nodes("Mul", square, share), below, above]
        weights += [*(own @ gains.T for gains in spline.gains), own @ spline.slopes.T]
        begin = end
    sums = nodes(
        "LinearRegressor",
        nodes("Concat", *parts, axis=1),
        domain=_ML,
        coefficients=np.hstack(weights).ravel().tolist(),
        intercepts=constant.tolist(),
        targets=len(constant),
    )
    if not hasattr(estimator, "predict_proba"):
        answer, outputs = sums, 1
    elif len(constant) == 1:
        answer, outputs = nodes("Concat", nodes("Sigmoid", nodes("Neg", sums)), nodes("Sigmoid", sums), axis=1), 2
    else:
        answer, outputs = nodes("Softmax", sums, axis=1), len(constant)
    return nodes.model(features, width, answer, outputs, opsets)
