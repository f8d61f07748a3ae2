"""4-bit weights in blocks, by ONNX Runtime's own quantizer: products as MatMulNBits, tables as GatherBlockQuantized."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.edge.inspection.walk import elements

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

__all__ = ["BLOCK", "quantize_weights4"]

BLOCK = 32
"""Weights that share a scale."""
_ACCURACY_LEVEL = 4  # products of 8-bit activations: 1 (32-bit floats) is slower on processors with VNNI
_MIN_WEIGHTS = 4_096  # of a tensor: a classifier's last layer is small, and its errors are the answer's
_FLOATS = (1, 10)  # of TensorProto.DataType: float, float16


def quantize_weights4(model: ModelProto) -> ModelProto:
    """Return a model whose large weights have 4 bits, with a scale and a zero point per block.

    Parameters
    ----------
    model : ModelProto
        The model; it is changed.

    Raises
    ------
    ValueError
        When no weight is large enough.
    """
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
    from onnxruntime.quantization.onnx_model import ONNXModel

    editor = ONNXModel(model)
    editor.replace_gemm_with_matmul()
    model = editor.model
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    excluded = []
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{number}"  # the quantizer leaves nodes out by their names
        if node.op_type in ("MatMul", "Gather") and not _is_large(node, tensors):
            excluded.append(node.name)
    quantizer = MatMulNBitsQuantizer(
        model,
        bits=4,
        block_size=BLOCK,
        is_symmetric=False,
        accuracy_level=_ACCURACY_LEVEL,
        nodes_to_exclude=excluded,
        op_types_to_quantize=("MatMul", "Gather"),
        quant_axes=(("MatMul", 0), ("Gather", 1)),
    )
    quantizer.process()
    quantized: ModelProto = quantizer.model.model
    if not any(node.op_type in ("MatMulNBits", "GatherBlockQuantized") for node in quantized.graph.node):
        raise ValueError(f"no matrix of weights has {_MIN_WEIGHTS:,} numbers")
    return quantized


def _is_large(node: NodeProto, tensors: dict[str, TensorProto]) -> bool:
    """Return whether a node's weights are a large matrix of floats: a product's second input, a table's first."""
    tensor = tensors.get(node.input[1 if node.op_type == "MatMul" else 0])
    return (
        tensor is not None
        and tensor.data_type in _FLOATS
        and len(tensor.dims) == 2
        and elements(tensor) >= _MIN_WEIGHTS
    )
