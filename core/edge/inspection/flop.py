"""The FLOP of one run of an operator, and the operators that do none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import AttributeProto, NodeProto

    from core.edge.inspection.trace import Shapes

__all__ = ["ELEMENTWISE", "FREE", "HOLDERS", "ROWS", "VIEWS", "operator_flop"]

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
ELEMENTWISE = {
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
VIEWS = {"Flatten", "Identity", "Reshape", "Shape", "Size", "Squeeze", "Unsqueeze"}
HOLDERS = {"If", "Loop", "Scan"}
# They read what they return, not the whole table.
ROWS = {"Gather", "GatherElements", "GatherND", "Slice", "com.microsoft.GatherBlockQuantized"}
FREE = {
    *VIEWS,
    *HOLDERS,
    *ROWS,
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


def operator_flop(kind: str, node: NodeProto | None, ins: Shapes, outs: Shapes) -> int | None:
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
    return out if kind.removeprefix("com.microsoft.") in ELEMENTWISE else None


def _attribute(node: NodeProto, name: str) -> AttributeProto:
    """Return an attribute of a node; StopIteration when it has none of this name."""
    match: AttributeProto = next(attribute for attribute in node.attribute if attribute.name == name)
    return match
