"""Boosted trees of several sites: the coordinator sees histograms over all rows, and says where to split.

The result is what LightGBM would grow on the rows of all sites in one place, with the same bins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.federated.algorithms.boosting.bins import Bins, make_bins
from core.federated.algorithms.boosting.lightgbm_model import lightgbm_estimator
from core.federated.algorithms.boosting.tree import Leaf, Tree, best_split, leaf_output
from core.federated.algorithms.rounds import Rounds
from core.federated.algorithms.state import ModelState
from core.federated.features.summary import encoded_summary
from core.federated.site.site import Plan

if TYPE_CHECKING:
    from core.automl import AutoMLResult  # noqa: F401
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
    return ModelState({"start": start.tolist(), "trees": [[_record(tree) for tree in grown] for grown in trees]})


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


def _record(tree: Tree) -> dict[str, object]:
    return {
        "features": tree.features,
        "thresholds": tree.thresholds,
        "gains": tree.gains,
        "children": tree.children,
        "inner": [sums.tolist() for sums in tree.inner],
        "leaves": [sums.tolist() for sums in tree.leaves],
        "values": tree.values,
    }


def read_trees(state: ModelState) -> list[list[Tree]]:
    """Return the trees of a state, by round and class."""
    return [
        [
            Tree(
                record["features"],
                record["thresholds"],
                record["gains"],
                record["children"],
                [np.asarray(sums) for sums in record["inner"]],
                [np.asarray(sums) for sums in record["leaves"]],
                record["values"],
            )
            for record in grown
        ]
        for grown in state.content["trees"]
    ]


def assemble(state: ModelState, plan: Plan, features: SharedFeatures) -> object:
    """Return the model as LightGBM's own classifier or regressor."""
    summary = encoded_summary(features.columns)
    start = np.asarray(state.content["start"], dtype=np.float64)
    return lightgbm_estimator(read_trees(state), start, plan.classes, summary, plan.settings)
