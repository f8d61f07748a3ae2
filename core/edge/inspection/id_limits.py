"""How many ids an input may take: the rows of the table that a graph looks them up in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.edge.inspection.walk import text

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["id_limits"]

_SAME_VALUES = {"Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose", "Expand"}
# Positions of the table and of the ids.
_TABLES = {"Gather": (0, 1), "GatherBlockQuantized": (0, 1), "EmbedLayerNormalization": (2, 0)}


def id_limits(model: ModelProto) -> dict[str, int]:
    """Return by input the number of rows of the smallest table that its values are looked up in.

    Parameters
    ----------
    model : ModelProto
        The model; inputs that are no ids are left out.

    Examples
    --------
    >>> import numpy as np
    >>> from onnx import TensorProto, helper, numpy_helper
    >>> ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"])
    >>> rows = helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["n", 2])
    >>> table = numpy_helper.from_array(np.zeros((30, 2), np.float32), "table")
    >>> graph = helper.make_graph([helper.make_node("Gather", ["table", "ids"], ["rows"])], "g", [ids], [rows], [table])
    >>> id_limits(helper.make_model(graph))
    {'ids': 30}
    """
    graph = model.graph
    sizes = {text(tensor.name): int(tensor.dims[0]) for tensor in graph.initializer if tensor.dims}
    source = {text(value.name): text(value.name) for value in graph.input if text(value.name) not in sizes}
    limits: dict[str, int] = {}
    for node in graph.node:
        kind, inputs = text(node.op_type), [text(name) for name in node.input]
        if kind in _SAME_VALUES and inputs and inputs[0] in source:
            source |= {text(name): source[inputs[0]] for name in node.output}
        elif kind in _TABLES and len(inputs) > max(_TABLES[kind]):
            axis = next((attribute.i for attribute in node.attribute if text(attribute.name) == "axis"), 0)
            table, ids = (inputs[position] for position in _TABLES[kind])
            if table in sizes and ids in source and axis == 0:
                limits[source[ids]] = min(sizes[table], limits.get(source[ids], sizes[table]))
    return limits
