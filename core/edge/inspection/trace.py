"""One run of a graph in ONNX Runtime, traced: which operators ran, and the shapes and bytes of their tensors."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import ModelProto

__all__ = [
    "EventArguments",
    "NodeEvent",
    "Shapes",
    "TypeShapes",
    "has_floats",
    "run_traced",
    "tensor_bytes",
    "tensor_shapes",
]

Shapes = list[tuple[int, ...]]
TypeShapes = list[dict[str, list[int]]]
"""Shapes by type, as ONNX Runtime's trace has them."""


class EventArguments(TypedDict):
    """The arguments of a trace event."""

    op_name: str
    input_type_shape: TypeShapes
    output_type_shape: TypeShapes
    parameter_size: str
    activation_size: str
    output_size: str


class NodeEvent(TypedDict):
    """An event of ONNX Runtime's trace: a node that ran."""

    name: str
    cat: str
    args: EventArguments


def run_traced(model: ModelProto, feeds: Mapping[str, NDArray[Any]]) -> tuple[list[NodeEvent], int]:
    """Return ONNX Runtime's own trace of each operator that ran, with its shapes, and the bytes of the outputs."""
    import onnxruntime

    with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.add_session_config_entry("session.disable_prepacking", "1")  # a packed weight has lost its shape
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "run")
        try:
            session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
            outputs = session.run(None, dict(feeds))
        except Exception as error:  # ONNX Runtime's errors share no base class but this
            raise InputError(
                f"The model does not run: {str(error).strip()[:300]}", "Check its inputs, and how it was exported."
            ) from error
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    nodes = [event for event in events if event.get("cat") == "Node" and event["name"].endswith("_kernel_time")]
    return nodes, sum(tensor_bytes(output) for output in outputs)


def tensor_bytes(value: object) -> int:
    """Return the bytes of a tensor's numbers; strings, and values that are not tensors, do not count."""
    return value.nbytes if isinstance(value, np.ndarray) and value.dtype.kind not in "OUS" else 0


def tensor_shapes(type_shapes: TypeShapes) -> Shapes:
    """Return the shapes of a trace without their types."""
    return [tuple(shape) for by_type in type_shapes for shape in by_type.values()]


def has_floats(type_shapes: TypeShapes) -> bool:
    """Return whether an output holds floats; arithmetic of shapes and ids does not count as FLOP."""
    return any(name.startswith(("float", "double", "bfloat")) for by_type in type_shapes for name in by_type)
