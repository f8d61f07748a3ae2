"""The size of tree ensembles in ONNX files."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import NodeProto

__all__ = ["TREES", "TreeSize", "tree_size"]

TREES = {"ai.onnx.ml.TreeEnsembleClassifier", "ai.onnx.ml.TreeEnsembleRegressor", "ai.onnx.ml.TreeEnsemble"}
"""Operators that are tree ensembles."""

Integers = NDArray[np.int64]


class TreeSize(NamedTuple):
    """Number of trees, of their nodes (leaves included), and of comparisons per row.

    The comparisons are the mean depth of a leaf, summed over the trees. All leaves of a tree count alike, because the
    file does not say how many rows reach which leaf.
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
    attributes = {attribute.name: attribute for attribute in node.attribute}
    integers = {name: np.array(attribute.ints, dtype=np.int64) for name, attribute in attributes.items()}
    try:
        if "tree_roots" in attributes:
            return _from_roots(integers, len(attributes["leaf_targetids"].ints))
        leaf = np.array([mode == b"LEAF" for mode in attributes["nodes_modes"].strings], dtype=bool)
        return _from_lists(integers, leaf)
    except (KeyError, IndexError, ValueError):
        return TreeSize(0, 0, 0.0)


def _from_lists(lists: dict[str, Integers], leaf: NDArray[np.bool_]) -> TreeSize:
    """Read TreeEnsembleClassifier and -Regressor: a list of nodes with their trees and their numbers in these."""
    _, tree = np.unique(lists["nodes_treeids"], return_inverse=True)
    number = lists["nodes_nodeids"]
    if number.min() < 0 or number.max() >= 2**31:
        raise ValueError("node numbers out of range")
    key = tree * (number.max() + 1) + number
    order = np.argsort(key, kind="stable")
    inner = ~leaf

    def positions(children: Integers) -> Integers:
        child_keys = tree * (number.max() + 1) + children
        position: Integers = order[np.minimum(np.searchsorted(key[order], child_keys), len(key) - 1)]
        if (key[position] != child_keys)[inner].any():
            raise ValueError("a child that does not exist")
        return position

    yes, no = positions(lists["nodes_truenodeids"]), positions(lists["nodes_falsenodeids"])
    is_root = np.ones(len(key), dtype=bool)
    is_root[yes[inner]] = is_root[no[inner]] = False
    return _size(np.flatnonzero(is_root), yes, no, leaf)


def _from_roots(lists: dict[str, Integers], leaves: int) -> TreeSize:
    """Read TreeEnsemble: inner nodes and leaves are separate lists, and roots are named."""
    inner = len(lists["nodes_truenodeids"])

    def positions(side: str) -> Integers:
        children = lists[f"nodes_{side}nodeids"] + inner * (lists[f"nodes_{side}leafs"] != 0)
        return np.concatenate([children, np.zeros(leaves, dtype=np.int64)])

    return _size(lists["tree_roots"], positions("true"), positions("false"), np.arange(inner + leaves) >= inner)


def _size(roots: Integers, yes: Integers, no: Integers, leaf: NDArray[np.bool_]) -> TreeSize:
    """Descend level by level through all trees at once."""
    position, tree = roots, np.arange(len(roots))
    total, count = np.zeros(len(roots)), np.zeros(len(roots))
    left = len(leaf)
    for depth in range(len(leaf)):
        ends = leaf[position]
        np.add.at(total, tree[ends], depth)
        np.add.at(count, tree[ends], 1)
        left -= len(position)
        if left < 0:
            raise ValueError("nodes with several parents, or in a circle")
        position, tree = position[~ends], tree[~ends]
        if not len(position):
            break
        position, tree = np.concatenate([yes[position], no[position]]), np.concatenate([tree, tree])
    return TreeSize(len(roots), len(leaf), float((total / np.maximum(count, 1)).sum()))
