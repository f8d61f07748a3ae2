"""The work of one run of a graph, from the real shapes of its tensors: FLOP, comparisons of trees, bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from core.edge.inspection.flop import ELEMENTWISE, FREE, HOLDERS, ROWS, VIEWS, operator_flop
from core.edge.inspection.trace import has_floats, run_traced, tensor_bytes, tensor_shapes
from core.edge.inspection.trees import TREES, tree_size
from core.edge.inspection.walk import operator, scopes

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import ModelProto
    from pydantic import JsonValue

__all__ = ["Work", "count_work"]


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
    events, returned = run_traced(model, feeds)
    for event in events:
        arguments = event["args"]
        known_node = nodes.get(event["name"].removesuffix("_kernel_time"))
        kind = arguments["op_name"] if known_node is None else operator(known_node)
        ins, outs = tensor_shapes(arguments["input_type_shape"]), tensor_shapes(arguments["output_type_shape"])
        weights, read = int(arguments["parameter_size"]), int(arguments["activation_size"])
        written = int(arguments["output_size"])
        if known_node is not None and known_node.name in per_row:
            comparisons += (ins[0][0] if ins and len(ins[0]) > 1 else 1) * per_row[known_node.name]
        elif kind not in FREE:
            count = operator_flop(kind, known_node, ins, outs)
            if count is None:
                uncounted[kind] += 1
            elif kind not in ELEMENTWISE or has_floats(arguments["output_type_shape"]):
                flop[kind] += count
        if kind in ROWS:
            least += written if weights else 0
            moved += 2 * written
        elif kind not in VIEWS | HOLDERS:
            least += weights
            moved += weights + read + written
    least += returned + sum(tensor_bytes(array) for array in feeds.values())
    return Work(
        sum(flop.values()),
        dict(flop.most_common()),
        round(comparisons),
        least,
        moved,
        dict(sorted(uncounted.items())),
        {name: tuple(array.shape) for name, array in feeds.items()},
    )
