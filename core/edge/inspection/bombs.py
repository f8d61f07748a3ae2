"""Tensors of an ONNX file whose data do not match their shape, or that would become huge."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.edge.inspection.walk import BITS, Scope, elements, operator, scopes, tensors, text
from core.errors import InputError, LimitError

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

__all__ = ["check_sizes"]

_INT64 = 7
_STRING = 8
_MAX_AXES = 64


def check_sizes(model: ModelProto, max_bytes: int) -> None:
    """Check that tensors have the data of their shape, and that none becomes visibly larger than a limit.

    Parameters
    ----------
    model : ModelProto
        The model.
    max_bytes : int
        Largest size of a tensor, bytes.

    Raises
    ------
    InputError
        When a tensor's data do not match its type and shape.
    LimitError
        When an operator with a constant shape, a sparse tensor, or an input with a fixed shape is too large.
    """
    for scope, _ in scopes(model):
        for tensor in tensors(scope):
            _check_data(tensor)
        for name, size in _visible_sizes(scope):
            if size > max_bytes:
                raise LimitError(
                    f"'{name}' is a tensor of {size / 1e9:,.1f} GB; at most {max_bytes / 1e9:,.1f} are allowed.",
                    "Export the model for smaller inputs.",
                )


def _check_data(tensor: TensorProto) -> None:
    name = text(tensor.name) or "without a name"
    if tensor.data_type not in BITS and tensor.data_type != _STRING:
        raise InputError(f"The tensor '{name}' has an unknown type ({tensor.data_type}).", "Export the model again.")
    if any(size < 0 for size in tensor.dims):
        raise InputError(f"The tensor '{name}' has a negative size.", "Export the model again.")
    declared, stored = elements(tensor), _count_stored(tensor)
    if declared != stored:
        raise InputError(
            f"The tensor '{name}' should have {declared:,} elements, and has data for {stored:,}.",
            "The file is damaged or was altered: export the model again.",
        )


def _count_stored(tensor: TensorProto) -> int:
    """Return the number of elements that there are data for."""
    if tensor.data_type == _STRING:
        return len(tensor.string_data)
    bits, declared = BITS[tensor.data_type], elements(tensor)
    if tensor.HasField("raw_data"):
        stored = len(tensor.raw_data) * 8
        return declared if stored == -(-declared * bits // 8) * 8 else stored // bits
    per_field = {
        1: (tensor.float_data, 1),
        14: (tensor.float_data, 2),
        11: (tensor.double_data, 1),
        15: (tensor.double_data, 2),
        7: (tensor.int64_data, 1),
        12: (tensor.uint64_data, 1),
        13: (tensor.uint64_data, 1),
    }
    values, per_element = per_field.get(tensor.data_type, (tensor.int32_data, 1))
    if bits < 8:  # several elements per value
        return declared if len(values) == -(-declared * bits // 8) else len(values) * 8 // bits
    return len(values) // per_element if len(values) % per_element == 0 else -1


def _visible_sizes(scope: Scope) -> Iterator[tuple[str, int]]:
    """Yield the tensors whose size is visible, with their bytes (4 per element where the type is unknown)."""
    for sparse in getattr(scope, "sparse_initializer", ()):
        yield text(sparse.values.name), math.prod(sparse.dims) * BITS.get(sparse.values.data_type, 8) // 8
    for info in (*getattr(scope, "value_info", ()), *_infos(scope)):
        sizes = [dim.dim_value for dim in info.type.tensor_type.shape.dim if dim.HasField("dim_value")]
        yield text(info.name), math.prod(sizes) * BITS.get(info.type.tensor_type.elem_type, 8) // 8
    constants: dict[str, TensorProto] = {tensor.name: tensor for tensor in getattr(scope, "initializer", ())}
    for node in scope.node:
        if node.op_type == "Constant" and len(node.output) == 1:
            constants.update((node.output[0], attribute.t) for attribute in node.attribute if attribute.HasField("t"))
    for node in scope.node:
        yield f"{operator(node)} {text(node.name)}".strip(), _elements_made(node, constants) * 4


def _infos(scope: Scope) -> list[ValueInfoProto]:
    """Return typed inputs and outputs; those of a function are only names."""
    return [info for info in (*scope.input, *scope.output) if not isinstance(info, str | bytes)]


def _elements_made(node: NodeProto, constants: dict[str, TensorProto]) -> int:
    """Return the number of elements that an operator makes from constants; 0 where that is not visible."""
    values = [_numbers(constants.get(name)) for name in node.input]
    if node.op_type == "ConstantOfShape" and values and values[0] is not None:
        return abs(math.prod(values[0]))
    if node.op_type in ("Expand", "Tile") and len(values) > 1 and values[1] is not None:
        return abs(math.prod(values[1]))
    if node.op_type == "Range" and len(values) == 3 and all(values):
        start, limit, delta = (value[0] for value in values if value)
        return max(0, (limit - start) // delta) if delta else 0
    if text(node.op_type).startswith("Random"):
        shape = [attribute.ints for attribute in node.attribute if attribute.name == "shape"]
        return abs(math.prod(int(size) for sizes in shape for size in sizes))
    return 0


def _numbers(tensor: TensorProto | None) -> list[int] | None:
    """Return the numbers of a small int64 tensor whose data were checked."""
    if tensor is None or tensor.data_type != _INT64 or elements(tensor) > _MAX_AXES:
        return None
    from onnx import numpy_helper

    return [int(value) for value in numpy_helper.to_array(tensor).reshape(-1)]
