"""Boosted trees of several sites: the coordinator sees histograms over all rows, and says where to split.

The result is what LightGBM would grow on the rows of all sites in one place, with the same bins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.federated.algorithms.boosting.bins import Bins, make_bins
from core.federated.algorithms.boosting.lightgbm_model import lightgbm_estimator
from core.federated.algorithms.boosting.tree import Leaf, Tree, best_split, leaf_output
from core.federated.algorithms.rounds import Rounds
from core.federated.algorithms.state import ModelState
from core.federated.features.summary import encoded_summary
from core.federated.site.site import Plan

if TYPE_CHECKING:
    from core.federated._settings import FederatedSettings
    from core.federated.coordinator.features import SharedFeatures
    from core.federated.coordinator.study import Study, Total

__all__ = ["assemble", "fit", "read_trees"]

Doubles = NDArray[np.float64]


def fit(study: Study, plan: Plan, features: SharedFeatures, rounds: Rounds) -> ModelState:
    """Grow trees round by round, one per class where there are more than two.

    Returns
    -------
    ModelState
        Content start (scores before the first tree) and trees (records of `Tree`).
    """
    settings = plan.settings
    bins = make_bins(encoded_summary(features.columns), settings.bins)
    total = study.total("label_sums")
    start = _start(total["sums"], float(total["rows"][0]), plan.classes)
    columns = len(start)
    trees: list[list[Tree]] = []
    values: Doubles | None = None
    while rounds.left:
        grown: list[Tree] = []
        with rounds.next() as done:
            for number in range(columns):
                arrays: dict[str, NDArray[np.generic]] = {"start": start}
                if values is not None:
                    arrays["values"] = values
                first = study.total("tree", {"class": number, "tree": len(trees) * columns + number}, arrays)
                if number == 0:
                    done(first)
                tree = _grow(study, plan, bins, first)
                values = np.array(tree.values)
                grown.append(tree)
        if all(not tree.features for tree in grown):
            break
        trees.append(grown)
    center, width = features.scale
    start = start if plan.classes else center + width * start
    factor = 1.0 if plan.classes else width
    return ModelState(
        {"start": start.tolist(), "trees": [[_record(tree, factor) for tree in grown] for grown in trees]}
    )


def _start(sums: Doubles, rows: float, classes: int) -> Doubles:
    """Return the scores that a model without trees has: LightGBM's boost_from_average."""
    if not classes:
        return sums / rows
    shares = np.maximum(sums / rows, 1e-15)
    if classes == 2:
        return np.array([np.log(shares[1] / shares[0])])
    return np.log(shares)


def _grow(study: Study, plan: Plan, bins: Bins, first: Total) -> Tree:
    settings, offsets = plan.settings, bins.offsets
    width = int(offsets[1])
    histogram = first["histogram"]
    root = Leaf(histogram[:width].sum(axis=0), histogram)
    leaves, tree = [root], Tree()
    root.split = best_split(root, offsets, settings.l2, settings.min_leaf_rows)
    while len(leaves) < settings.max_leaves:
        gains = [-np.inf if leaf.split is None else leaf.split.gain for leaf in leaves]
        number = int(np.argmax(gains))
        leaf = leaves[number]
        split = leaf.split
        if split is None:
            break
        node = tree.grow(number, leaf, split, float(bins.edges[split.feature][split.bin]))
        side = "left" if split.left[2] < split.right[2] else "right"
        content = {
            "leaf": number,
            "new": len(leaves),
            "feature": split.feature,
            "position": int(offsets[split.feature]) + split.bin,
            "asked": number if side == "left" else len(leaves),
        }
        asked = study.total("leaf", content)["histogram"]
        other = leaf.histogram - asked
        by_side = {side: asked, "right" if side == "left" else "left": other}
        leaves[number] = Leaf(split.left, by_side["left"], (node, "left"), leaf.features)
        leaves.append(Leaf(split.right, by_side["right"], (node, "right"), leaf.features))
        for grown in (leaves[number], leaves[-1]):
            grown.split = best_split(grown, offsets, settings.l2, settings.min_leaf_rows)
    tree.leaves = [leaf.sums for leaf in leaves]
    single = len(leaves) == 1  # LightGBM keeps no output of a tree without a split
    tree.values = [0.0 if single else settings.step * leaf_output(leaf.sums, settings.l2) for leaf in leaves]
    return tree


def _record(tree: Tree, factor: float) -> dict[str, object]:
    """Return a tree as JSON values, with its outputs in the unit of the target."""
    return {
        "features": tree.features,
        "thresholds": tree.thresholds,
        "gains": tree.gains,
        "children": tree.children,
        "inner": [sums.tolist() for sums in tree.inner],
        "leaves": [sums.tolist() for sums in tree.leaves],
        "values": [factor * value for value in tree.values],
    }


def read_trees(state: ModelState, features: int, settings: FederatedSettings) -> list[list[Tree]]:
    """Return the trees of a state, by round and class.

    Parameters
    ----------
    state : ModelState
        Parameters that were learned.
    features : int
        Number of encoded features.
    settings : FederatedSettings
        Settings of the study.

    Raises
    ------
    InputError
        When a tree is none that this study could have grown: a site gets them from elsewhere.
    """
    try:
        columns = len(state.content["start"])
        trees = [[_tree(record, features, settings.max_leaves) for record in grown] for grown in state.content["trees"]]
        if len(trees) > settings.rounds_to_train or any(len(grown) != columns for grown in trees):
            raise ValueError("their number")
        if not np.isfinite(np.asarray(state.content["start"], dtype=np.float64)).all():
            raise ValueError("their start")
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(
            f"The trees of the model are not those of this study ({error}).", "Start a new study."
        ) from error
    return trees


def _tree(record: Mapping[str, Any], features: int, most: int) -> Tree:
    """Return a tree of its record, in which every node and leaf is reached once."""
    split_features = [int(feature) for feature in record["features"]]
    thresholds, gains = ([float(value) for value in record[name]] for name in ("thresholds", "gains"))
    children = [[int(left), int(right)] for left, right in record["children"]]
    inner, leaves = ([np.asarray(sums, dtype=np.float64) for sums in record[name]] for name in ("inner", "leaves"))
    values = [float(value) for value in record["values"]]
    nodes = len(split_features)
    lengths = {len(thresholds), len(gains), len(children), len(inner), len(leaves) - 1, len(values) - 1}
    if lengths != {nodes} or nodes >= most or not all(0 <= feature < features for feature in split_features):
        raise ValueError("a tree's shape")
    reached = [child for pair in children for child in pair]
    expected = [*range(1, nodes), *range(-len(leaves), 0)] if nodes else []
    ordered = all(child > node for node, pair in enumerate(children) for child in pair if child >= 0)
    if sorted(reached) != sorted(expected) or not ordered:
        raise ValueError("a tree's children")
    numbers = np.concatenate([thresholds, gains, values, *inner, *leaves])
    if not np.isfinite(numbers).all() or any(sums.shape != (3,) for sums in (*inner, *leaves)):
        raise ValueError("a tree's numbers")
    return Tree(split_features, thresholds, gains, children, inner, leaves, values)


def assemble(state: ModelState, plan: Plan, features: SharedFeatures) -> object:
    """Return the model as LightGBM's own classifier or regressor."""
    summary = encoded_summary(features.columns)
    trees = read_trees(state, summary.shape[1], plan.settings)
    start = np.asarray(state.content["start"], dtype=np.float64)
    return lightgbm_estimator(trees, start, plan.classes, summary, plan.settings)
