"""Iterators over all graphs, nodes and tensors of an ONNX file, including those in subgraphs and functions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias, Union

if TYPE_CHECKING:
    from onnx import FunctionProto, GraphProto, ModelProto, NodeProto, SparseTensorProto, TensorProto

__all__ = ["BITS", "Scope", "elements", "operator", "scopes", "tensor_bytes", "tensors", "text"]

Scope: TypeAlias = Union["GraphProto", "FunctionProto"]

# By the numbers of TensorProto.DataType; strings have no fixed width. The 6-bit floats are left out: nothing runs them.
BITS = {
    **dict.fromkeys((22, 21, 23), 4),  # int4, uint4, float4
    **dict.fromkeys((25, 26), 2),  # uint2, int2
    **dict.fromkeys((2, 3, 9, 17, 18, 19, 20, 24), 8),  # uint8, int8, bool, float8
    **dict.fromkeys((4, 5, 10, 16), 16),  # uint16, int16, float16, bfloat16
    **dict.fromkeys((1, 6, 12), 32),  # float, int32, uint32
    **dict.fromkeys((7, 11, 13, 14), 64),  # int64, double, uint64, complex64
    15: 128,  # complex128
}
"""Bits of one element, by data type."""


def scopes(model: ModelProto) -> Iterator[tuple[Scope, int]]:
    """Yield each graph and function with its depth: 0 outside, one more in each subgraph.

    A scope is searched only after it was yielded, so that a caller can stop at a limit.
    """
    training = [graph for info in model.training_info for graph in (info.initialization, info.algorithm)]
    waiting: list[tuple[Scope, int]] = [(scope, 0) for scope in (model.graph, *model.functions, *training)]
    while waiting:
        scope, depth = waiting.pop()
        yield scope, depth
        for node in scope.node:
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    waiting.append((attribute.g, depth + 1))
                waiting.extend((graph, depth + 1) for graph in attribute.graphs)


def tensors(scope: Scope) -> Iterator[TensorProto]:
    """Yield the tensors of a graph or function itself: initializers, and those in attributes of its nodes."""
    sparse: list[SparseTensorProto] = list(getattr(scope, "sparse_initializer", ()))
    yield from getattr(scope, "initializer", ())
    attributes = [attribute for node in scope.node for attribute in node.attribute]
    for attribute in (*attributes, *getattr(scope, "attribute_proto", ())):
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
        if attribute.HasField("sparse_tensor"):
            sparse.append(attribute.sparse_tensor)
        sparse.extend(attribute.sparse_tensors)
    for tensor in sparse:
        yield tensor.values
        yield tensor.indices


def elements(tensor: TensorProto) -> int:
    """Return the number of elements that a tensor's shape declares."""
    return math.prod(tensor.dims)


def tensor_bytes(tensor: TensorProto) -> int:
    """Return the bytes of a tensor's elements; for strings, those of their characters."""
    if tensor.data_type not in BITS:
        return sum(map(len, tensor.string_data))
    return -(-elements(tensor) * BITS[tensor.data_type] // 8)


def operator(node: NodeProto) -> str:
    """Return the type of a node, prefixed with its domain where that is not ONNX's own."""
    domain = text(node.domain)
    return text(node.op_type) if domain in ("", "ai.onnx") else f"{domain}.{text(node.op_type)}"


def text(value: str | bytes) -> str:
    """Return a string of a file: protobuf returns bytes where they are not UTF-8, and a hostile one has any length."""
    content = value if isinstance(value, str) else value.decode("utf-8", errors="replace")
    return content if len(content) <= 200 else f"{content[:200]}…"
