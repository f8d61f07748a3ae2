"""An estimator of made features as a graph: look-ups and arithmetic on the matrix, then the estimator itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, compose, helper

from core.edge.export.nodes import Nodes

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from core.automl import EngineeredModel, MadeFeature

__all__ = ["convert_engineered"]

_OPERATORS = {"+": "Add", "-": "Sub", "*": "Mul"}


def convert_engineered(
    estimator: EngineeredModel, width: int, convert: Callable[[BaseEstimator, int], onnx.ModelProto], features: str
) -> onnx.ModelProto:
    """Convert a fitted `EngineeredModel` on a float32 matrix.

    Parameters
    ----------
    estimator : EngineeredModel
        A fitted estimator.
    width : int
        Number of features that it is given.
    convert : callable
        Converts the estimator inside; its input is named `features`.
    features : str
        Name of the input.

    Returns
    -------
    ModelProto
        Its last output is that of the estimator inside.
    """
    made = estimator.maker_.made_
    nodes = Nodes("made/")
    columns = [_values(feature, features, nodes) for feature in made]
    total = width + sum(feature.width for feature in made)
    inner = compose.add_prefix(convert(estimator.estimator_, total), "of_made/")
    nodes("Concat", features, *columns, axis=1, output=f"of_made/{features}")
    nodes.nodes.extend(inner.graph.node)
    nodes.constants.extend(inner.graph.initializer)
    graph = helper.make_graph(
        nodes.nodes,
        "made",
        [helper.make_tensor_value_info(features, TensorProto.FLOAT, [None, width])],
        [inner.graph.output[-1]],
        nodes.constants,
    )
    return helper.make_model(graph, opset_imports=inner.opset_import)


def _values(feature: MadeFeature, matrix: str, nodes: Nodes) -> str:
    """Add the nodes of a feature; return the name of its columns, (n, m)."""
    from core.automl import Arithmetic, GroupDifference, TargetMeans

    if isinstance(feature, TargetMeans):
        code = _code(matrix, feature.positions[0], nodes)
        if len(feature.positions) > 1:
            code = nodes("Add", nodes("Mul", code, feature.sizes[1]), _code(matrix, feature.positions[1], nodes))
        return nodes("Gather", feature.table, code, axis=0)
    if isinstance(feature, GroupDifference):
        mean = nodes("Gather", feature.table[:, None], _code(matrix, feature.positions, nodes), axis=0)
        return _bounded(nodes("Sub", _column(matrix, feature.number, nodes), mean), nodes)
    if not isinstance(feature, Arithmetic):
        raise TypeError(f"{type(feature).__name__} has no nodes.")
    first, second = _column(matrix, feature.first, nodes), _column(matrix, feature.second, nodes)
    if feature.operator != "/":
        return _bounded(nodes(_OPERATORS[feature.operator], first, second), nodes)
    zero = nodes("Equal", second, np.float32(0))
    ratio = nodes("Div", first, nodes("Where", zero, np.float32(1), second))
    return _bounded(nodes("Where", zero, np.float32(feature.otherwise), ratio), nodes)


def _column(matrix: str, position: int, nodes: Nodes) -> str:
    return nodes("Gather", matrix, np.array([position]), axis=1)


def _code(matrix: str, positions: list[int], nodes: Nodes) -> str:
    """Add the nodes of a category's code; return its name, (n,) int64."""
    block = nodes("Gather", matrix, np.array(positions), axis=1)
    if len(positions) == 1:
        number = nodes("Add", block, np.float32(1))
    else:
        number = nodes("MatMul", block, np.arange(1, len(positions) + 1, dtype=np.float32)[:, None])
    return nodes("Reshape", nodes("Cast", number, to=TensorProto.INT64), np.array([-1]))


def _bounded(values: str, nodes: Nodes) -> str:
    from core.automl import MADE_LIMIT

    return nodes("Clip", values, -MADE_LIMIT, MADE_LIMIT)
