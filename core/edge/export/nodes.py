"""A builder of ONNX nodes that names their outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

__all__ = ["Nodes"]


class Nodes:
    """A list of nodes and constants.

    A call adds a node and returns the name of its output; an argument that is a number or an array becomes a constant
    (whole numbers int64, others float32).

    Parameters
    ----------
    prefix : str
        Prefix of all names.

    Examples
    --------
    >>> nodes = Nodes("demo/")
    >>> nodes("Add", "x", 2)
    'demo/add_0'
    >>> [node.op_type for node in nodes.nodes], len(nodes.constants)
    (['Add'], 1)
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def __call__(
        self,
        op: str,
        *inputs: str | ArrayLike,
        output: str | None = None,
        domain: str = "",
        **attributes: Any,
    ) -> str:
        """Add a node of one output and return that output's name."""
        name = f"{self._prefix}{op.lower()}_{len(self.nodes)}"
        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        self.nodes.append(helper.make_node(op, names, [output or name], name=name, domain=domain, **attributes))
        return output or name

    def double(self, value: ArrayLike) -> str:
        """Add a constant of 64 bits and return its name."""
        return self._add(np.asarray(value, dtype=np.float64))

    def constant(self, value: ArrayLike) -> str:
        """Add a constant and return its name."""
        array = np.asarray(value)
        if array.dtype.kind in "bui":
            array = array.astype(np.int64)
        elif array.dtype.kind == "f":
            array = array.astype(np.float32)
        return self._add(array)

    def model(self, features: str, width: int, answer: str, outputs: int, opsets: dict[str, int]) -> onnx.ModelProto:
        """Return the graph of these nodes, from one float32 matrix to another.

        Parameters
        ----------
        features : str
            Name of the input.
        width : int
            Number of its columns.
        answer : str
            Name of the output.
        outputs : int
            Number of its columns.
        opsets : dict of str to int
            Versions of the operators by domain.
        """
        inputs = [helper.make_tensor_value_info(features, TensorProto.FLOAT, [None, width])]
        answers = [helper.make_tensor_value_info(answer, TensorProto.FLOAT, [None, outputs])]
        graph = helper.make_graph(self.nodes, self._prefix.strip("/"), inputs, answers, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid(*opset) for opset in opsets.items()])

    def _add(self, array: NDArray[Any]) -> str:
        name = f"{self._prefix}constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name
