"""A first look at an ONNX file that a user uploaded, before anything runs it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from core.edge.inspection.bombs import check_sizes
from core.edge.inspection.graph import Graph, graph_of, load
from core.edge.inspection.signatures import refuse_other_formats
from core.edge.inspection.walk import operator, scopes, tensors, text
from core.errors import InputError, LimitError

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

__all__ = ["Inspection", "OnnxLimits", "inspect_onnx"]

_DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
_FILES = {"com.microsoft.EPContext"}  # names a file to load
_EXPORT = "Export it again with standard operators, in one file."


@dataclass(frozen=True)
class OnnxLimits:
    """What is read of a file at most.

    Parameters
    ----------
    max_bytes : int
        Size of the file.
    max_nodes : int
        Nodes, those of subgraphs included, and those of a function once for each call.
    max_depth : int
        Subgraphs within subgraphs.
    max_tensor_bytes : int
        Size of a tensor that the graph is seen to make, or to ask for.
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
        Of the file.
    sha256 : str
        Of the file.
    graph : Graph
        What it is made of; `graph.inputs` and `graph.outputs` say what goes in and out.
    kind : str or None
        "table" or "text", for a file that Plumbline exported.
    """

    size_bytes: int
    sha256: str
    graph: Graph
    kind: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return the inspection as JSON-serialisable values."""
        return {
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
            "graph": self.graph.to_dict(),
            "kind": self.kind,
        }


def inspect_onnx(data: bytes, *, limits: OnnxLimits | None = None) -> Inspection:
    """Refuse what is no ONNX file, or none that may be run; nothing of it is run, and no other file is read.

    Looked at are the format by its first bytes (never a name), the size, the number and nesting of nodes, their
    domains, functions that call each other, references to other files, whether tensors are as large as they say, the
    version of the operators, what ONNX's own checker says, and tensors that are seen to become huge. *Not* every such
    tensor can be seen: sizes that are computed while the graph runs (a ``Loop``, a ``Tile`` of an input) are left to
    the memory limit of the child process that runs the file. Decoding takes several times the file's size, so this
    belongs in a child process, too.

    Parameters
    ----------
    data : bytes
        What is in the file.
    limits : OnnxLimits, optional
        By default `OnnxLimits()`.

    Returns
    -------
    Inspection

    Raises
    ------
    LimitError
        When a limit is exceeded.
    InputError
        When it is another format, damaged, or asks for something that is not allowed.

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
            f"The file has {len(data) / 1e6:,.0f} MB; at most {limits.max_bytes / 1e6:,.0f} are read.",
            "Quantise it to 8 bits first, which takes a quarter of the space.",
        )
    refuse_other_formats(data)
    model = load(data)
    _check_structure(model, limits)
    _check_functions(model, limits)
    _check_versions(model)
    check_sizes(model, limits.max_tensor_bytes)
    _check(data)
    graph = graph_of(model)
    if not graph.outputs:
        raise InputError("The model has no outputs, so there is nothing to run.", _EXPORT)
    told = {text(each.key): text(each.value) for each in model.metadata_props}
    kind = told.get("plumbline.kind")
    return Inspection(len(data), hashlib.sha256(data).hexdigest(), graph, kind if kind in ("table", "text") else None)


def _check_structure(model: ModelProto, limits: OnnxLimits) -> None:
    """Check the number and nesting of nodes, their domains, and that nothing is kept in other files."""
    own = {(each.domain, each.name) for each in model.functions}
    count = 0
    for scope, depth in scopes(model):
        count += len(scope.node)
        if count > limits.max_nodes:
            raise _too_many(limits)
        if depth > limits.max_depth:
            raise LimitError(
                f"The graph has subgraphs within subgraphs, more than {limits.max_depth} deep.",
                "Export it without nested loops and conditions.",
            )
        for node in scope.node:
            if node.domain not in _DOMAINS and (node.domain, node.op_type) not in own:
                raise InputError(
                    f"The operator '{operator(node)}' is none of ONNX's or ONNX Runtime's own (its domain is "
                    f"'{text(node.domain)}').",
                    "Export the model with standard operators: a custom one needs code that is not in the file.",
                )
            if operator(node) in _FILES:
                raise InputError(f"The operator '{operator(node)}' reads another file.", _EXPORT)
        for tensor in tensors(scope):
            if tensor.data_location != tensor.DEFAULT or tensor.external_data:
                raise InputError(
                    f"The tensor '{text(tensor.name)}' is kept in another file (external data).",
                    "Save the model as one file: onnx.save(onnx.load(path), other) without save_as_external_data.",
                )


def _check_functions(model: ModelProto, limits: OnnxLimits) -> None:
    """Check how many nodes there are once every function is put in place of its calls."""
    bodies = {(each.domain, each.name, each.overload): each for each in model.functions}
    if not bodies:
        return
    calls: dict[Any, Counter[Any]] = {}
    sizes: dict[Any, int] = {}
    for key, body in bodies.items():
        nodes = [_called(node) for node in _nodes_within(body)]
        calls[key] = Counter(each for each in nodes if each in bodies)
        sizes[key] = len(nodes)
    total: dict[Any, int] = {}
    while len(total) < len(bodies):
        ready = [key for key in bodies if key not in total and all(called in total for called in calls[key])]
        if not ready:
            raise InputError("The model's functions call each other in a ring.", _EXPORT)
        for key in ready:
            total[key] = sizes[key] + sum(times * total[called] for called, times in calls[key].items())
    expanded = sum(1 + total.get(_called(node), 0) for node in _nodes_within(model.graph))
    if expanded > limits.max_nodes:
        raise _too_many(limits)


def _called(node: NodeProto) -> tuple[Any, ...]:
    return (node.domain, node.op_type, node.overload)


def _nodes_within(scope: Any) -> list[Any]:
    """Return the nodes of a graph or function and of its subgraphs."""
    waiting, found = [scope], []
    while waiting:
        nodes = list(waiting.pop().node)
        found += nodes
        for attribute in (attribute for node in nodes for attribute in node.attribute):
            waiting += [attribute.g] if attribute.HasField("g") else []
            waiting += list(attribute.graphs)
    return found


def _too_many(limits: OnnxLimits) -> LimitError:
    return LimitError(
        f"The graph has more than {limits.max_nodes:,} operators.", "Simplify it (onnxsim), or export a smaller model."
    )


def _check_versions(model: ModelProto) -> None:
    """Check that ONNX Runtime knows the operators of that version."""
    known = _supported()
    for each in model.opset_import:
        domain = "ai.onnx" if each.domain == "" else each.domain
        if domain in known and not 1 <= each.version <= known[domain]:
            raise InputError(
                f"The file uses version {each.version} of the operators of {domain}; ONNX Runtime here knows versions "
                f"1 to {known[domain]}.",
                f"Export it with opset_version={known[domain]} or less.",
            )


@lru_cache(maxsize=1)
def _supported() -> dict[str, int]:
    """Return the newest version of each public domain that ONNX Runtime has operators of."""
    from onnxruntime.capi.onnxruntime_pybind11_state import get_all_operator_schema

    newest = {"ai.onnx": 1, "ai.onnx.ml": 1, "com.microsoft": 1}
    for schema in get_all_operator_schema():
        domain = schema.domain or "ai.onnx"
        if domain in newest:
            newest[domain] = max(newest[domain], schema.since_version)
    return newest


def _check(data: bytes) -> None:
    from onnx import checker, shape_inference

    try:
        checker.check_model(data, full_check=True)
    except (checker.ValidationError, shape_inference.InferenceError, ValueError, RuntimeError) as error:
        lines = str(error).strip().splitlines() or ["no reason is given"]
        raise InputError(f"The file is no valid ONNX model: {lines[0][:300]}", _EXPORT) from error
