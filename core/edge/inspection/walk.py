"""Every graph, node and tensor of an ONNX file, those within subgraphs and functions included."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

__all__ = ["BITS", "elements", "operator", "scopes", "tensor_bytes", "tensors", "text"]

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


def scopes(model: ModelProto) -> Iterator[tuple[Any, int]]:
    """Yield each graph and function with its depth: 0 outside, one more in each subgraph.

    What a scope holds is looked at only after it was yielded, so that a caller can stop at a limit.
    """
    training = [graph for each in model.training_info for graph in (each.initialization, each.algorithm)]
    waiting = [(scope, 0) for scope in (model.graph, *model.functions, *training)]
    while waiting:
        scope, depth = waiting.pop()
        yield scope, depth
        for node in scope.node:
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    waiting.append((attribute.g, depth + 1))
                waiting.extend((graph, depth + 1) for graph in attribute.graphs)


def tensors(scope: Any) -> Iterator[TensorProto]:
    """Yield the tensors that a graph or function holds itself: initializers, and those in attributes of its nodes."""
    sparse = list(getattr(scope, "sparse_initializer", ()))
    yield from getattr(scope, "initializer", ())
    attributes = [attribute for node in scope.node for attribute in node.attribute]
    for attribute in (*attributes, *getattr(scope, "attribute_proto", ())):
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
        if attribute.HasField("sparse_tensor"):
            sparse.append(attribute.sparse_tensor)
        sparse.extend(attribute.sparse_tensors)
    for each in sparse:
        yield each.values
        yield each.indices


def elements(tensor: TensorProto) -> int:
    """Return how many elements a tensor says it has."""
    return math.prod(tensor.dims)


def tensor_bytes(tensor: TensorProto) -> int:
    """Return the bytes of a tensor's elements; of strings, those of their characters."""
    if tensor.data_type not in BITS:
        return sum(map(len, tensor.string_data))
    return -(-elements(tensor) * BITS[tensor.data_type] // 8)


def operator(node: NodeProto) -> str:
    """Return the type of a node, after its domain where that is not ONNX's own."""
    domain = text(node.domain)
    return text(node.op_type) if domain in ("", "ai.onnx") else f"{domain}.{text(node.op_type)}"


def text(value: str | bytes) -> str:
    """Return a string of a file: protobuf gives bytes where they are no UTF-8, and a hostile one has any length."""
    found = value if isinstance(value, str) else value.decode("utf-8", errors="replace")
    return found if len(found) <= 200 else f"{found[:200]}…"
