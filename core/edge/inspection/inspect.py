"""`inspect_onnx`: the inspection of an ONNX file that a user uploaded, before anything runs it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from core.edge.inspection.bombs import check_sizes
from core.edge.inspection.graph import Graph, graph_of, load
from core.edge.inspection.signatures import refuse_other_formats
from core.edge.inspection.walk import Scope, operator, scopes, tensors, text
from core.errors import InputError, LimitError

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto
    from pydantic import JsonValue

__all__ = ["Inspection", "OnnxLimits", "inspect_onnx"]

_DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
_FILES = {"com.microsoft.EPContext"}  # names a file to load
FunctionKey = tuple[str, str, str]
"""Domain, name and overload of a function."""
_EXPORT = "Export it again with standard operators, in one file."
_UNKNOWN = "plumbline.unknown"


@dataclass(frozen=True)
class OnnxLimits:
    """Limits of a file.

    Parameters
    ----------
    max_bytes : int, default=300000000
        Size of the file.
    max_nodes : int, default=50000
        Number of nodes, including those of subgraphs, and those of a function once for each call.
    max_depth : int, default=16
        Depth of nested subgraphs.
    max_tensor_bytes : int, default=1000000000
        Size of a tensor that the graph visibly makes, or takes.
    """

    max_bytes: int = 300_000_000
    max_nodes: int = 50_000
    max_depth: int = 16
    max_tensor_bytes: int = 1_000_000_000


@dataclass(frozen=True)
class Inspection:
    """An ONNX file that may be run, in a process with limits.

    Parameters
    ----------
    size_bytes : int
        Size of the file.
    sha256 : str
        Hash of the file.
    graph : Graph
        Description of the graph, with its inputs and outputs.
    kind : {"table", "text"} or None
        Kind of the model, for a file that Plumbline exported.
    """

    size_bytes: int
    sha256: str
    graph: Graph
    kind: str | None

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the inspection as JSON-serializable values."""
        return {
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
            "graph": self.graph.to_dict(),
            "kind": self.kind,
        }


def inspect_onnx(data: bytes, *, limits: OnnxLimits | None = None) -> Inspection:
    """Refuse a file that is not ONNX, or that may not be run; nothing of it is run, and no other file is read.

    The inspection covers the format by its first bytes (never a name), the size, the number and nesting of nodes, their
    domains, functions that call each other, references to other files, whether tensors have the data of their shape,
    the version of the operators, the result of ONNX's own checker, and tensors that visibly become huge. *Not* every
    such tensor is visible: sizes that are computed while the graph runs (a ``Loop``, a ``Tile`` of an input) are left
    to the memory limit of the child process that runs the file. Decoding takes several times the file's size, so the
    inspection belongs in a child process, too.

    Parameters
    ----------
    data : bytes
        Content of the file.
    limits : OnnxLimits, optional
        Limits of the file; by default `OnnxLimits()`.

    Returns
    -------
    Inspection

    Raises
    ------
    LimitError
        When a limit is exceeded.
    InputError
        When it has another format, is damaged, or uses something that is not allowed.

    Examples
    --------
    >>> inspect_onnx(b"\\x80\\x04K\\x01.")
    Traceback (most recent call last):
    ...
    core.errors.InputError: This is a Python pickle, not an ONNX file. A pickle can run any code when it is opened...
    """
    limits = limits or OnnxLimits()
    if not data:
        raise InputError("The file is empty.", "Choose a file that ends in .onnx.")
    if len(data) > limits.max_bytes:
        raise LimitError(
            f"The file has {len(data) / 1e6:,.0f} MB; the limit is {limits.max_bytes / 1e6:,.0f} MB.",
            "Quantize it to 8 bits first, which takes a quarter of the space.",
        )
    refuse_other_formats(data)
    model = load(data)
    _check_structure(model, limits)
    _check_functions(model, limits)
    _check_versions(model)
    check_sizes(model, limits.max_tensor_bytes)
    _check(model, data)
    graph = graph_of(model)
    if not graph.outputs:
        raise InputError("The model has no outputs, so there is nothing to run.", _EXPORT)
    metadata = {text(entry.key): text(entry.value) for entry in model.metadata_props}
    kind = metadata.get("plumbline.kind")
    return Inspection(len(data), hashlib.sha256(data).hexdigest(), graph, kind if kind in ("table", "text") else None)


def _check_structure(model: ModelProto, limits: OnnxLimits) -> None:
    """Check the number and nesting of nodes, their domains, and that nothing is stored in other files."""
    own = {(function.domain, function.name) for function in model.functions}
    count = 0
    for scope, depth in scopes(model):
        count += len(scope.node)
        if count > limits.max_nodes:
            raise _too_many_nodes(limits)
        if depth > limits.max_depth:
            raise LimitError(
                f"The graph has subgraphs nested more than {limits.max_depth} deep.",
                "Export it without nested loops and conditions.",
            )
        for node in scope.node:
            if node.domain not in _DOMAINS and (node.domain, node.op_type) not in own:
                raise InputError(
                    f"The operator '{operator(node)}' is not one of ONNX's or ONNX Runtime's own (its domain is "
                    f"'{text(node.domain)}').",
                    "Export the model with standard operators: a custom one needs code that is not in the file.",
                )
            if operator(node) in _FILES:
                raise InputError(f"The operator '{operator(node)}' reads another file.", _EXPORT)
        for tensor in tensors(scope):
            if tensor.data_location != tensor.DEFAULT or tensor.external_data:
                raise InputError(
                    f"The tensor '{text(tensor.name)}' is stored in another file (external data).",
                    "Save the model as one file: onnx.save(onnx.load(path), other) without save_as_external_data.",
                )


def _check_functions(model: ModelProto, limits: OnnxLimits) -> None:
    """Check the number of nodes after every call of a function is replaced by its body."""
    bodies = {(function.domain, function.name, function.overload): function for function in model.functions}
    if not bodies:
        return
    calls: dict[FunctionKey, Counter[FunctionKey]] = {}
    sizes: dict[FunctionKey, int] = {}
    for key, body in bodies.items():
        callees = [_callee(node) for node in _all_nodes(body)]
        calls[key] = Counter(callee for callee in callees if callee in bodies)
        sizes[key] = len(callees)
    total: dict[FunctionKey, int] = {}
    while len(total) < len(bodies):
        ready = [key for key in bodies if key not in total and all(callee in total for callee in calls[key])]
        if not ready:
            raise InputError("The model's functions call each other in a circle.", _EXPORT)
        for key in ready:
            total[key] = sizes[key] + sum(times * total[callee] for callee, times in calls[key].items())
    expanded = sum(1 + total.get(_callee(node), 0) for node in _all_nodes(model.graph))
    if expanded > limits.max_nodes:
        raise _too_many_nodes(limits)


def _callee(node: NodeProto) -> FunctionKey:
    return (node.domain, node.op_type, node.overload)


def _all_nodes(scope: Scope) -> list[NodeProto]:
    """Return the nodes of a graph or function and of its subgraphs."""
    waiting: list[Scope] = [scope]
    all_nodes: list[NodeProto] = []
    while waiting:
        nodes = list(waiting.pop().node)
        all_nodes += nodes
        for attribute in (attribute for node in nodes for attribute in node.attribute):
            waiting += [attribute.g] if attribute.HasField("g") else []
            waiting += list(attribute.graphs)
    return all_nodes


def _too_many_nodes(limits: OnnxLimits) -> LimitError:
    return LimitError(
        f"The graph has more than {limits.max_nodes:,} operators.", "Simplify it (onnxsim), or export a smaller model."
    )


def _check_versions(model: ModelProto) -> None:
    """Check that ONNX Runtime has the operators of that version."""
    known = _supported()
    for opset in model.opset_import:
        domain = "ai.onnx" if opset.domain == "" else opset.domain
        if domain in known and not 1 <= opset.version <= known[domain]:
            raise InputError(
                f"The file uses version {opset.version} of the operators of {domain}; ONNX Runtime here supports "
                f"versions 1 to {known[domain]}.",
                f"Export it with opset_version={known[domain]} or less.",
            )


@lru_cache(maxsize=1)
def _supported() -> dict[str, int]:
    """Return the newest version of each public domain that ONNX Runtime supports."""
    from onnxruntime.capi.onnxruntime_pybind11_state import get_all_operator_schema

    newest = {"ai.onnx": 1, "ai.onnx.ml": 1, "com.microsoft": 1}
    for schema in get_all_operator_schema():
        domain = schema.domain or "ai.onnx"
        if domain in newest:
            newest[domain] = max(newest[domain], schema.since_version)
    return newest


def _check(model: ModelProto, data: bytes) -> None:
    """Run ONNX's own checker.

    It asks for the shapes of inputs and outputs, which ONNX Runtime does not need. An input without one is checked as
    if an operator had made it about which nothing is known.
    """
    from onnx import checker, helper, shape_inference

    shapeless = [
        value.name
        for value in (*model.graph.input, *model.graph.output)
        if value.type.HasField("tensor_type") and not value.type.tensor_type.HasField("shape")
    ]
    if shapeless:
        graph = model.graph
        unknown = [value.name for value in graph.input if value.name in shapeless]
        nodes = [helper.make_node("Unknown", [], [name], domain=_UNKNOWN) for name in unknown]
        checked = type(model)()
        checked.CopyFrom(model)
        for values in (checked.graph.input, checked.graph.output):
            kept = [value for value in values if value.name not in shapeless]
            del values[:]
            values.extend(kept)
        del checked.graph.node[:]
        checked.graph.node.extend([*nodes, *graph.node])
        checked.opset_import.append(helper.make_opsetid(_UNKNOWN, 1))
        data = checked.SerializeToString()
    try:
        checker.check_model(data, full_check=True)
    except (checker.ValidationError, shape_inference.InferenceError, ValueError, RuntimeError) as error:
        lines = str(error).strip().splitlines() or ["no reason given"]
        raise InputError(f"The file is not a valid ONNX model: {lines[0][:300]}", _EXPORT) from error
