"""`describe_graph`: the operators, parameters, inputs and outputs of an ONNX file, and the work of one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from pydantic import JsonValue, TypeAdapter

from core.edge.inspection.trees import TREES, TreeSize, tree_size
from core.edge.inspection.walk import BITS, elements, operator, scopes, tensor_bytes, tensors, text
from core.edge.inspection.work import Work, count_work
from core.errors import InputError

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

__all__ = ["Graph", "Port", "Work", "describe_graph", "graph_of", "load"]

_HINT = "Export the model again, or give another file."
_BOOL = 9


@dataclass(frozen=True)
class Port:
    """An input or output of a graph.

    Parameters
    ----------
    name : str
        Its name.
    type : str
        Type of its elements.
    shape : tuple or None
        Its shape; free sizes are names or None.
    """

    name: str
    type: str
    shape: tuple[int | str | None, ...] | None


@dataclass(frozen=True)
class Graph:
    """The description of an ONNX file.

    Parameters
    ----------
    operators : dict
        Number of nodes by type, most first; types of other domains than ONNX's own have a prefix. Nodes of subgraphs
        and functions count once.
    nodes : int
        Number of all nodes.
    parameters, quantized_parameters : int
        Elements of all constant tensors, and of those with 8 bits or fewer.
    parameter_bytes : int
        Size of these tensors.
    trees, tree_nodes : int
        Number of trees and of their nodes; their values are not tensors.
    opsets : dict
        Version of the operators by domain.
    inputs, outputs : tuple of Port
        Inputs and outputs of the graph.
    ir_version : int
        Version of the file format.
    producer : str
        Program that wrote the file, as the file says.
    work : Work, optional
        Work of one run, where inputs were given.
    """

    operators: dict[str, int]
    nodes: int
    parameters: int
    quantized_parameters: int
    parameter_bytes: int
    trees: int
    tree_nodes: int
    opsets: dict[str, int]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    ir_version: int
    producer: str
    work: Work | None = None

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the description as JSON-serializable values."""
        return dict(_adapter().dump_python(self, mode="json"))

    @classmethod
    def from_dict(cls, values: Mapping[str, JsonValue]) -> Graph:
        """Read what `to_dict` wrote."""
        return _adapter().validate_python(dict(values))


@cache
def _adapter() -> TypeAdapter[Graph]:
    return TypeAdapter(Graph)


def describe_graph(source: str | Path | bytes, feeds: Mapping[str, NDArray[Any]] | None = None) -> Graph:
    """Describe an ONNX file, and count the work of one run from the real shapes of its tensors.

    Parameters
    ----------
    source : path or bytes
        The file, or its content.
    feeds : mapping of str to array, optional
        Inputs of one run. The model runs once with graph optimization off, so that every operator counts: the FLOP are
        the model's, whatever a runtime fuses. A file that a user uploaded must only be run in a child process.

    Returns
    -------
    Graph

    Raises
    ------
    InputError
        When the file cannot be read, or does not run on `feeds`.

    Examples
    --------
    >>> import numpy as np
    >>> from onnx import TensorProto, helper
    >>> x, w, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    ...            for name, shape in (("x", ["rows", 4]), ("w", [4, 3]), ("y", ["rows", 3])))
    >>> product = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "product", [x, w], [y])
    >>> model = helper.make_model(product, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    >>> feeds = {"x": np.ones((2, 4), np.float32), "w": np.ones((4, 3), np.float32)}
    >>> graph = describe_graph(model.SerializeToString(), feeds)
    >>> graph.operators, graph.inputs[0].shape, graph.work.flop
    ({'MatMul': 1}, ('rows', 4), 48)
    """
    model = load(source)
    return graph_of(model, None if feeds is None else count_work(model, feeds))


def load(source: str | Path | bytes) -> ModelProto:
    """Read an ONNX file; tensors in other files are not read.

    Raises
    ------
    InputError
        When there is no such file, or it is not ONNX.
    """
    from google.protobuf.message import DecodeError
    from onnx import ModelProto

    if not isinstance(source, bytes):
        path = Path(source)
        if not path.is_file():
            raise InputError(f"There is no file '{path.name}'.", "Give the path of an ONNX file.")
        source = path.read_bytes()
    model = ModelProto()
    try:
        model.ParseFromString(source)
    except DecodeError as error:
        raise InputError("The file is not an ONNX model, or it is damaged: it cannot be decoded.", _HINT) from error
    if not model.HasField("graph") or not model.graph.node:
        raise InputError("The file is not an ONNX model: it has no graph.", _HINT)
    return model


def graph_of(model: ModelProto, work: Work | None = None) -> Graph:
    """Describe a loaded model.

    Parameters
    ----------
    model : ModelProto
        The model.
    work : Work, optional
        Work of one run.
    """
    operators: Counter[str] = Counter()
    forests: list[TreeSize] = []
    parameters = quantized = size = 0
    for scope, _ in scopes(model):
        operators.update(operator(node) for node in scope.node)
        forests += [tree_size(node) for node in scope.node if operator(node) in TREES]
        for tensor in tensors(scope):
            count = elements(tensor)
            parameters += count
            quantized += count if BITS.get(tensor.data_type, 64) <= 8 and tensor.data_type != _BOOL else 0
            size += tensor_bytes(tensor)
    weights = {tensor.name for tensor in model.graph.initializer}  # older files list weights among their inputs
    return Graph(
        dict(sorted(operators.items(), key=lambda item: (-item[1], item[0]))),
        sum(operators.values()),
        parameters,
        quantized,
        size,
        sum(forest.trees for forest in forests),
        sum(forest.nodes for forest in forests),
        {text(opset.domain) or "ai.onnx": opset.version for opset in model.opset_import},
        tuple(_port(info) for info in model.graph.input if info.name not in weights),
        tuple(_port(info) for info in model.graph.output),
        model.ir_version,
        f"{text(model.producer_name)} {text(model.producer_version)}".strip(),
        work,
    )


def _port(info: ValueInfoProto) -> Port:
    from onnx import TensorProto

    kind = info.type.WhichOneof("value")
    if kind != "tensor_type":
        return Port(text(info.name), (kind or "unknown").removesuffix("_type"), None)
    tensor = info.type.tensor_type
    known = tensor.elem_type in TensorProto.DataType.values()
    name = TensorProto.DataType.Name(tensor.elem_type).lower() if known else f"type {tensor.elem_type}"
    shape: tuple[int | str | None, ...] | None = None
    if tensor.HasField("shape"):
        shape = tuple(
            dim.dim_value if dim.HasField("dim_value") else text(dim.dim_param) or None for dim in tensor.shape.dim
        )
    return Port(text(info.name), name, shape)
