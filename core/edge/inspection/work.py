"""The work of one run of a graph, from the shapes that its tensors really had: FLOP, comparisons of trees, bytes."""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.edge.inspection.trees import TREES, tree_size
from core.edge.inspection.walk import operator, scopes
from core.errors import InputError

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

__all__ = ["Work", "count_work"]

Shapes = list[tuple[int, ...]]

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
    """What one run of a graph does.

    Parameters
    ----------
    flop : int
        Multiplications and additions (a multiply-add is two), whether of floats or of quantised numbers.
    flop_by_operator : dict
        The same by type of operator, most first.
    comparisons : int
        Of tree ensembles: rows times trees times the mean depth of a leaf, each leaf counted alike.
    bytes_least : int
        Bytes that any implementation has to move: inputs, outputs, and each weight once a use; of a table that is
        gathered from, the rows that are read.
    bytes_moved : int
        Bytes that all operators read and write when each is run by itself; caches and fusion save some.
    uncounted : dict
        Operators whose work is not known, with how often they ran.
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

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as JSON-serialisable values."""
        return asdict(self) | {"shapes": {name: list(shape) for name, shape in self.shapes.items()}}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Work:
        """Read what `to_dict` wrote."""
        return cls(**{**found, "shapes": {name: tuple(shape) for name, shape in found["shapes"].items()}})


def count_work(model: ModelProto, feeds: Mapping[str, Any]) -> Work:
    """Run a graph once, unoptimised and observed, and count its work.

    Multiply-adds of matrix products, convolutions and recurrent layers count two each; elementwise operators one an
    output, reductions and pooling one an input that they read, softmax and normalisation five an output. Moving,
    converting, comparing and quantising count as none.

    Parameters
    ----------
    model : ModelProto
        Its nodes are renamed.
    feeds : mapping of str to array
        Inputs of the run.

    Raises
    ------
    InputError
        When ONNX Runtime cannot load or run it.
    """
    nodes = {}
    for place, node in enumerate(node for scope, _ in scopes(model) for node in scope.node):
        node.name = f"n{place}"  # names may be missing or the same, and are all that an event has
        nodes[node.name] = node
    flop: Counter[str] = Counter()
    uncounted: Counter[str] = Counter()
    comparisons = 0.0
    least, moved = 0, 0
    per_row = {name: tree_size(node).comparisons for name, node in nodes.items() if operator(node) in TREES}
    events, returned = _observe(model, feeds)
    for event in events:
        found = nodes.get(event["name"].removesuffix("_kernel_time"))
        kind = event["args"]["op_name"] if found is None else operator(found)
        ins, outs = (_shapes(event["args"][f"{side}_type_shape"]) for side in ("input", "output"))
        held, read, written = (int(event["args"][f"{part}_size"]) for part in ("parameter", "activation", "output"))
        if found is not None and found.name in per_row:
            comparisons += (ins[0][0] if ins and len(ins[0]) > 1 else 1) * per_row[found.name]
        elif kind not in _FREE:
            count = _flop(kind, found, ins, outs)
            if count is None:
                uncounted[kind] += 1
            elif kind not in _ELEMENTWISE or _floats(event["args"]["output_type_shape"]):
                flop[kind] += count
        if kind in _ROWS:
            least += written if held else 0
            moved += 2 * written
        elif kind not in _VIEWS | _HOLDERS:
            least += held
            moved += held + read + written
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


def _observe(model: ModelProto, feeds: Mapping[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """Return ONNX Runtime's own record of each operator that ran, with its shapes, and the bytes of the outputs."""
    import onnxruntime

    with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.add_session_config_entry("session.disable_prepacking", "1")  # a packed weight has no shape any more
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


def _bytes(value: Any) -> int:
    """Return the bytes of a tensor's numbers; of strings, and of what is no tensor, none are counted."""
    return int(value.nbytes) if getattr(value, "dtype", None) is not None and value.dtype.kind not in "OUS" else 0


def _shapes(found: list[dict[str, list[int]]]) -> Shapes:
    return [tuple(shape) for each in found for shape in each.values()]


def _floats(found: list[dict[str, list[int]]]) -> bool:
    """Say whether an output holds floats; arithmetic of shapes and ids is no FLOP."""
    return any(kind.startswith(("float", "double", "bfloat")) for each in found for kind in each)


def _flop(kind: str, node: NodeProto | None, ins: Shapes, outs: Shapes) -> int | None:
    """Return the FLOP of one run of an operator; None when they are not known."""
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
    except (IndexError, StopIteration):  # an input or attribute that is left out, or a shape without axes
        return None
    if kind in _NORMALIZING:
        return 5 * out
    return out if kind.removeprefix("com.microsoft.") in _ELEMENTWISE else None


def _attribute(node: NodeProto, name: str) -> Any:
    """Return an attribute of a node; StopIteration when it has none such."""
    return next(each for each in node.attribute if each.name == name)
