"""What an ONNX file is made of: operators, parameters, inputs and outputs, and the work of one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    """An input or output: its name, the type of its elements, and its shape; free sizes are names or None."""

    name: str
    type: str
    shape: tuple[int | str | None, ...] | None

    def to_dict(self) -> dict[str, Any]:
        """Return the port as JSON-serialisable values."""
        return asdict(self) | {"shape": None if self.shape is None else list(self.shape)}


@dataclass(frozen=True)
class Graph:
    """What an ONNX file is made of.

    Parameters
    ----------
    operators : dict
        How many nodes there are of each type, most first; those of other domains than ONNX's own with their domain.
        Nodes of subgraphs and functions count once each.
    nodes : int
        All of them.
    parameters, quantized_parameters : int
        Elements of all constant tensors, and those of them with 8 bits or fewer.
    parameter_bytes : int
        Their size.
    trees, tree_nodes : int
        Of tree ensembles, whose numbers are no tensors.
    opsets : dict
        Version of the operators by domain.
    inputs, outputs : tuple of Port
        What goes in and out.
    ir_version : int
        Version of the file format.
    producer : str
        What wrote the file, as it says itself.
    work : Work or None
        That of one run, where inputs were given.
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

    def to_dict(self) -> dict[str, Any]:
        """Return the description as JSON-serialisable values."""
        return asdict(self) | {
            "inputs": [port.to_dict() for port in self.inputs],
            "outputs": [port.to_dict() for port in self.outputs],
            "work": None if self.work is None else self.work.to_dict(),
        }

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Graph:
        """Read what `to_dict` wrote."""
        ports = {
            side: tuple(
                Port(**port | {"shape": None if port["shape"] is None else tuple(port["shape"])})
                for port in found[side]
            )
            for side in ("inputs", "outputs")
        }
        return cls(**{**found, **ports, "work": None if found["work"] is None else Work.from_dict(found["work"])})


def describe_graph(source: str | Path | bytes, feeds: Mapping[str, Any] | None = None) -> Graph:
    """Describe an ONNX file, and count the work of one run from the shapes that its tensors really have.

    Parameters
    ----------
    source : path or bytes
        The file, or what is in it.
    feeds : mapping of str to array, optional
        Inputs of one run. It runs once with graph optimisation off, so that every operator is seen: the FLOP are the
        model's, whatever a runtime fuses. What a user uploaded is run in a child process only.

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
    >>> found = describe_graph(model.SerializeToString(), feeds)
    >>> found.operators, found.inputs[0].shape, found.work.flop
    ({'MatMul': 1}, ('rows', 4), 48)
    """
    model = load(source)
    return graph_of(model, None if feeds is None else count_work(model, feeds))


def load(source: str | Path | bytes) -> ModelProto:
    """Read an ONNX file; tensors that are kept in other files are not.

    Raises
    ------
    InputError
        When there is no such file, or it is none of ONNX.
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
        raise InputError("The file is no ONNX model, or it is damaged: it cannot be decoded.", _HINT) from error
    if not model.HasField("graph") or not model.graph.node:
        raise InputError("The file is no ONNX model: it has no graph.", _HINT)
    return model


def graph_of(model: ModelProto, work: Work | None = None) -> Graph:
    """Describe a model that was read."""
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
    held = {each.name for each in model.graph.initializer}  # older files list weights among their inputs
    return Graph(
        dict(sorted(operators.items(), key=lambda item: (-item[1], item[0]))),
        sum(operators.values()),
        parameters,
        quantized,
        size,
        sum(forest.trees for forest in forests),
        sum(forest.nodes for forest in forests),
        {text(each.domain) or "ai.onnx": each.version for each in model.opset_import},
        tuple(_port(each) for each in model.graph.input if each.name not in held),
        tuple(_port(each) for each in model.graph.output),
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
            each.dim_value if each.HasField("dim_value") else text(each.dim_param) or None for each in tensor.shape.dim
        )
    return Port(text(info.name), name, shape)
