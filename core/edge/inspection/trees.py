"""The size of tree ensembles in ONNX files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import NodeProto

__all__ = ["TREES", "TreeSize", "tree_size"]

TREES = {"ai.onnx.ml.TreeEnsembleClassifier", "ai.onnx.ml.TreeEnsembleRegressor", "ai.onnx.ml.TreeEnsemble"}
"""Operators that are tree ensembles."""

Integers = NDArray[np.int64]


class TreeSize(NamedTuple):
    """Number of trees, of their nodes (leaves included), and of comparisons that a row needs.

    These are the mean depth of a leaf, summed over the trees. Every leaf of a tree counts alike, because how many rows
    reach which leaf is not in the file.
    """

    trees: int
    nodes: int
    comparisons: float


def tree_size(node: NodeProto) -> TreeSize:
    """Return the size of a tree ensemble; zeros where its lists do not fit together.

    Examples
    --------
    >>> from onnx import helper
    >>> node = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", nodes_treeids=[0, 0, 0],
    ...     nodes_nodeids=[0, 1, 2], nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"], nodes_truenodeids=[1, 0, 0],
    ...     nodes_falsenodeids=[2, 0, 0])
    >>> tree_size(node)
    TreeSize(trees=1, nodes=3, comparisons=1.0)
    """
    found = {each.name: each for each in node.attribute}
    integers = {name: np.array(each.ints, dtype=np.int64) for name, each in found.items()}
    try:
        if "tree_roots" in found:
            return _of_roots(integers, len(found["leaf_targetids"].ints))
        return _of_lists(integers, np.array([mode == b"LEAF" for mode in found["nodes_modes"].strings], dtype=bool))
    except (KeyError, IndexError, ValueError):
        return TreeSize(0, 0, 0.0)


def _of_lists(found: dict[str, Integers], leaf: NDArray[np.bool_]) -> TreeSize:
    """Read TreeEnsembleClassifier and -Regressor: a list of nodes, each with its tree and its number in it."""
    _, tree = np.unique(found["nodes_treeids"], return_inverse=True)
    number = found["nodes_nodeids"]
    if number.min() < 0 or number.max() >= 2**31:
        raise ValueError("node numbers out of range")
    key = tree * (number.max() + 1) + number
    order = np.argsort(key, kind="stable")
    inner = ~leaf

    def places(children: Integers) -> Integers:
        wanted = tree * (number.max() + 1) + children
        place = order[np.minimum(np.searchsorted(key[order], wanted), len(key) - 1)]
        if (key[place] != wanted)[inner].any():
            raise ValueError("a child that is not there")
        return np.asarray(place)

    yes, no = places(found["nodes_truenodeids"]), places(found["nodes_falsenodeids"])
    is_root = np.ones(len(key), dtype=bool)
    is_root[yes[inner]] = is_root[no[inner]] = False
    return _size(np.flatnonzero(is_root), yes, no, leaf)


def _of_roots(found: dict[str, Integers], leaves: int) -> TreeSize:
    """Read TreeEnsemble: inner nodes and leaves are lists of their own, and roots are named."""
    inner = len(found["nodes_truenodeids"])

    def places(side: str) -> Integers:
        children = found[f"nodes_{side}nodeids"] + inner * (found[f"nodes_{side}leafs"] != 0)
        return np.concatenate([children, np.zeros(leaves, dtype=np.int64)])

    return _size(found["tree_roots"], places("true"), places("false"), np.arange(inner + leaves) >= inner)


def _size(roots: Integers, yes: Integers, no: Integers, leaf: Any) -> TreeSize:
    """Descend level by level through all trees at once."""
    place, tree = roots, np.arange(len(roots))
    total, count = np.zeros(len(roots)), np.zeros(len(roots))
    left = len(leaf)
    for depth in range(len(leaf)):
        ends = leaf[place]
        np.add.at(total, tree[ends], depth)
        np.add.at(count, tree[ends], 1)
        left -= len(place)
        if left < 0:
            raise ValueError("nodes with several parents, or in a ring")
        place, tree = place[~ends], tree[~ends]
        if not len(place):
            break
        place, tree = np.concatenate([yes[place], no[place]]), np.concatenate([tree, tree])
    return TreeSize(len(roots), len(leaf), float((total / np.maximum(count, 1)).sum()))
