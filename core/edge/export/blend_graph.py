"""A blend as one graph: its members side by side on the same features, and the weighted mean of their answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, compose, helper

from core.edge.export.nodes import Nodes

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from core.automl import Blend

__all__ = ["convert_blend"]


def convert_blend(
    blend: Blend, width: int, convert: Callable[[BaseEstimator, int], onnx.ModelProto], features: str
) -> onnx.ModelProto:
    """Convert a fitted blend on a float32 matrix.

    Parameters
    ----------
    blend : Blend
        A fitted blend.
    width : int
        Number of features.
    convert : callable
        Converts a member; its input is named `features`, its last output holds probabilities or numbers.
    features : str
        Name of the input.

    Returns
    -------
    ModelProto
        Its only output holds probabilities (n, classes), or numbers (n, 1).
    """
    classes = len(blend.classes_) if hasattr(blend, "predict_proba") else 0
    nodes = Nodes("blend/")
    parts, opsets = [], {"": 1}
    for number, (member, share) in enumerate(zip(blend.estimators_, blend.shares_, strict=True)):
        converted = convert(member, width)
        for opset in converted.opset_import:
            opsets[opset.domain] = max(opset.version, opsets.get(opset.domain, 1))
        prefix = f"member{number}/"
        inner = compose.add_prefix(converted, prefix).graph
        nodes("Identity", features, output=prefix + features)
        nodes.nodes.extend(inner.node)
        nodes.constants.extend(inner.initializer)
        answer = inner.output[-1].name
        if not classes:  # in 64 bits, in which members that scale their target answer
            answer = nodes("Cast", nodes("Reshape", answer, np.array([-1, 1])), to=TensorProto.DOUBLE)
            parts.append(nodes("Mul", answer, nodes.double(share)))
            continue
        if len(member.classes_) < classes:
            answer = nodes("MatMul", answer, np.eye(classes, dtype=np.float32)[np.asarray(member.classes_, dtype=int)])
        parts.append(nodes("Mul", answer, np.float32(share)))
    nodes("Sum", *parts, output="blended")
    shape = [None, classes or 1]
    graph = helper.make_graph(
        nodes.nodes,
        "blend",
        [helper.make_tensor_value_info(features, TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info("blended", TensorProto.FLOAT if classes else TensorProto.DOUBLE, shape)],
        nodes.constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid(*opset) for opset in opsets.items()])
