"""The work of one run of a graph, from the real shapes of its tensors: FLOP, comparisons of trees, bytes."""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from core.edge.inspection.trees import TREES, tree_size
from core.edge.inspection.walk import operator, scopes
from core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import AttributeProto, ModelProto, NodeProto
    from pydantic import JsonValue

__all__ = ["Work", "count_work"]

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


_LINEAR = {"ai.onnx.ml.LinearClassifier", "ai.onnx.ml.LinearRegressor"}
_SAME_K = {
    "MatMul",
    "MatMulInteger",
    "QLinearMatMul",
    "com.microsoft.QLinearMatMul",
    "com.microsoft.MatMulNBits",
    "com.microsoft.MatMulIntegerToFloat",
    "com.microsoft.DynamicQuantizeMatMul",
}
_GEMM = {"Gemm", "com.microsoft.QGemm", "com.microsoft.FusedGemm"}
_CONVOLUTIONS = {"Conv": 1, "ConvInteger": 1, "com.microsoft.FusedConv": 1, "QLinearConv": 3}  # where the weight is
_RECURRENT = {"LSTM", "GRU", "RNN"}
_NORMALIZING = {
    "Softmax",
    "LogSoftmax",
    "LayerNormalization",
    "BatchNormalization",
    "InstanceNormalization",
    "GroupNormalization",
    "RMSNormalization",
    "LpNormalization",
    "ai.onnx.ml.Normalizer",
    "com.microsoft.SkipLayerNormalization",
}
_ELEMENTWISE = {
    "Abs",
    "Add",
    "BiasGelu",
    "Ceil",
    "Clip",
    "Cos",
    "Div",
    "Elu",
    "Erf",
    "Exp",
    "FastGelu",
    "Floor",
    "Gelu",
    "HardSigmoid",
    "HardSwish",
    "LeakyRelu",
    "Log",
    "Max",
    "Mean",
    "Min",
    "Mod",
    "Mul",
    "Neg",
    "PRelu",
    "Pow",
    "QuickGelu",
    "Reciprocal",
    "Relu",
    "Round",
    "Selu",
    "Sigmoid",
    "Sign",
    "Sin",
    "Softplus",
    "Sqrt",
    "Sub",
    "Sum",
    "Swish",
    "Tanh",
    "ai.onnx.ml.Scaler",
}
_REDUCING = {
    "CumSum",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "ReduceSumSquare",
}
# These move, compare or convert, or hold other nodes that are counted themselves.
_VIEWS = {"Flatten", "Identity", "Reshape", "Shape", "Size", "Squeeze", "Unsqueeze"}
_HOLDERS = {"If", "Loop", "Scan"}
_ROWS = {"Gather", "GatherElements", "GatherND", "Slice"}  # read what they return, not the whole table
_FREE = {
    *_VIEWS,
    *_HOLDERS,
    *_ROWS,
    "And",
    "ArgMax",
    "ArgMin",
    "Cast",
    "CastLike",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
    "Equal",
    "Expand",
    "Greater",
    "GreaterOrEqual",
    "IsInf",
    "IsNaN",
    "Less",
    "LessOrEqual",
    "NonZero",
    "Not",
    "OneHot",
    "Or",
    "Pad",
    "QuantizeLinear",
    "Range",
    "ScatterElements",
    "ScatterND",
    "Split",
    "StringNormalizer",
    "Tile",
    "TopK",
    "Transpose",
    "Trilu",
    "Where",
    "Xor",
    "ai.onnx.ml.ArrayFeatureExtractor",
    "ai.onnx.ml.Binarizer",
    "ai.onnx.ml.FeatureVectorizer",
    "ai.onnx.ml.Imputer",
    "ai.onnx.ml.LabelEncoder",
    "ai.onnx.ml.OneHotEncoder",
    "ai.onnx.ml.ZipMap",
    "com.microsoft.DequantizeLinear",
    "com.microsoft.QuantizeLinear",
}


@dataclass(frozen=True)
class Work:
    """The work of one run of a graph.

    Parameters
    ----------
    flop : int
        Multiplications and additions (a multiply-add is two), whether of floats or of quantised numbers.
    flop_by_operator : dict
        The same by type of operator, most first.
    comparisons : int
        Comparisons of tree ensembles: rows times trees times the mean depth of a leaf, where all leaves count alike.
    bytes_least : int
        Bytes that any implementation has to move: inputs, outputs, and each weight once per use; for a table that is
        gathered from, only the rows that are read.
    bytes_moved : int
        Bytes that all operators read and write when each one runs by itself; caches and fusion save some.
    uncounted : dict
        Number of runs of the operators whose work is unknown.
    shapes : dict
        Shape of each input of that run.
    """

    flop: int
    flop_by_operator: dict[str, int]
    comparisons: int
    bytes_least: int
    bytes_moved: int
    uncounted: dict[str, int]
    shapes: dict[str, tuple[int, ...]]

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the counts as JSON-serializable values."""
        return asdict(self) | {"shapes": {name: list(shape) for name, shape in self.shapes.items()}}


def count_work(model: ModelProto, feeds: Mapping[str, NDArray[Any]]) -> Work:
    """Run a graph once, unoptimized and traced, and count its work.

    Multiply-adds of matrix products, convolutions and recurrent layers count as two; elementwise operators as one per
    output, reductions and pooling as one per input that they read, softmax and normalization as five per output.
    Moving, converting, comparing and quantizing do not count.

    Parameters
    ----------
    model : ModelProto
        The model; its nodes are renamed.
    feeds : mapping of str to array
        Inputs of the run.

    Raises
    ------
    InputError
        When ONNX Runtime cannot load or run it.
    """
    nodes = {}
    for index, node in enumerate(node for scope, _ in scopes(model) for node in scope.node):
        node.name = f"n{index}"  # names may be missing or equal, and events have nothing else
        nodes[node.name] = node
    flop: Counter[str] = Counter()
    uncounted: Counter[str] = Counter()
    comparisons = 0.0
    least, moved = 0, 0
    per_row = {name: tree_size(node).comparisons for name, node in nodes.items() if operator(node) in TREES}
    events, returned = _trace(model, feeds)
    for event in events:
        arguments = event["args"]
        known_node = nodes.get(event["name"].removesuffix("_kernel_time"))
        kind = arguments["op_name"] if known_node is None else operator(known_node)
        ins, outs = _shapes(arguments["input_type_shape"]), _shapes(arguments["output_type_shape"])
        weights, read = int(arguments["parameter_size"]), int(arguments["activation_size"])
        written = int(arguments["output_size"])
        if known_node is not None and known_node.name in per_row:
            comparisons += (ins[0][0] if ins and len(ins[0]) > 1 else 1) * per_row[known_node.name]
        elif kind not in _FREE:
            count = _flop(kind, known_node, ins, outs)
            if count is None:
                uncounted[kind] += 1
            elif kind not in _ELEMENTWISE or _has_floats(arguments["output_type_shape"]):
                flop[kind] += count
        if kind in _ROWS:
            least += written if weights else 0
            moved += 2 * written
        elif kind not in _VIEWS | _HOLDERS:
            least += weights
            moved += weights + read + written
    least += returned + sum(_bytes(array) for array in feeds.values())
    return Work(
        sum(flop.values()),
        dict(flop.most_common()),
        round(comparisons),
        least,
        moved,
        dict(sorted(uncounted.items())),
        {name: tuple(array.shape) for name, array in feeds.items()},
    )


def _trace(model: ModelProto, feeds: Mapping[str, NDArray[Any]]) -> tuple[list[NodeEvent], int]:
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
    return nodes, sum(_bytes(output) for output in outputs)


def _bytes(value: object) -> int:
    """Return the bytes of a tensor's numbers; strings, and values that are not tensors, do not count."""
    return value.nbytes if isinstance(value, np.ndarray) and value.dtype.kind not in "OUS" else 0


def _shapes(type_shapes: TypeShapes) -> Shapes:
    return [tuple(shape) for by_type in type_shapes for shape in by_type.values()]


def _has_floats(type_shapes: TypeShapes) -> bool:
    """Return whether an output holds floats; arithmetic of shapes and ids does not count as FLOP."""
    return any(name.startswith(("float", "double", "bfloat")) for by_type in type_shapes for name in by_type)


def _flop(kind: str, node: NodeProto | None, ins: Shapes, outs: Shapes) -> int | None:
    """Return the FLOP of one run of an operator; None when they are unknown."""
    try:
        out = math.prod(outs[0])
        if kind in _SAME_K:
            return 2 * out * ins[0][-1]
        if kind in _GEMM:
            return 2 * out * (math.prod(ins[0]) // max(outs[0][0], 1))
        if kind in _CONVOLUTIONS:
            return 2 * out * math.prod(ins[_CONVOLUTIONS[kind]][1:])
        if kind == "ConvTranspose":
            return 2 * math.prod(ins[0]) * math.prod(ins[1][1:])
        if kind in _RECURRENT:
            return 2 * math.prod(ins[0][:2]) * (math.prod(ins[1]) + math.prod(ins[2]))
        if kind in _LINEAR and node is not None:
            rows = ins[0][0] if len(ins[0]) > 1 else 1
            return 2 * rows * len(_attribute(node, "coefficients").floats)
        if kind in ("AveragePool", "MaxPool") and node is not None:
            return int(out * math.prod(_attribute(node, "kernel_shape").ints))
        if kind in _REDUCING:
            return math.prod(ins[0])
    except (IndexError, StopIteration):  # an input or attribute that is missing, or a shape without axes
        return None
    if kind in _NORMALIZING:
        return 5 * out
    return out if kind.removeprefix("com.microsoft.") in _ELEMENTWISE else None


def _attribute(node: NodeProto, name: str) -> AttributeProto:
    """Return an attribute of a node; StopIteration when it has none of this name."""
    match: AttributeProto = next(attribute for attribute in node.attribute if attribute.name == name)
    return match
