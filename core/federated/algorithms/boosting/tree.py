"""One tree, grown leaf by leaf from histograms: where LightGBM would split, by sums over the rows of all sites."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["GAIN", "MIN_HESSIAN", "Leaf", "Split", "Tree", "best_split", "leaf_output"]

Doubles = NDArray[np.float64]
GAIN = 1e-15
"""LightGBM's kEpsilon: what is added to sums of second derivatives."""
MIN_HESSIAN = 1e-3
"""Sum of second derivatives of a leaf, at least, as in LightGBM."""


@dataclass(frozen=True)
class Split:
    """A split of a leaf.

    Parameters
    ----------
    gain : float
        Gain in the loss, twice.
    feature : int
        Encoded feature.
    bin : int
        Last bin of the feature on the left side.
    left, right : array of shape (3,)
        Sums of first and second derivatives and of rows on both sides.
    """

    gain: float
    feature: int
    bin: int
    left: Doubles
    right: Doubles


@dataclass
class Leaf:
    """A leaf while its tree grows.

    Parameters
    ----------
    sums : array of shape (3,)
        Sums of first and second derivatives and of rows.
    histogram : array of shape (bins, 3)
        The same by bin of all features.
    parent : (int, str) or None
        Inner node above it, and the side.
    features : list of int or None
        Features that may gain something; None: all.
    split : Split or None
        Its best split.
    """

    sums: Doubles
    histogram: Doubles
    parent: tuple[int, str] | None = None
    features: list[int] | None = None
    split: Split | None = None


@dataclass
class Tree:
    """A grown tree, in the layout of LightGBM's files.

    Attributes
    ----------
    features, thresholds, gains : list
        Feature, threshold and gain of each inner node.
    children : list of [int, int]
        Children of each inner node: its number, or minus one minus the number of a leaf.
    inner : list of array
        Sums of each inner node.
    leaves : list of array
        Sums of each leaf.
    values : list of float
        Output of each leaf.
    """

    features: list[int] = field(default_factory=list)
    thresholds: list[float] = field(default_factory=list)
    gains: list[float] = field(default_factory=list)
    children: list[list[int]] = field(default_factory=list)
    inner: list[Doubles] = field(default_factory=list)
    leaves: list[Doubles] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def grow(self, number: int, leaf: Leaf, split: Split, threshold: float) -> int:
        """Turn a leaf into an inner node, whose left child keeps its number, and return the node's number."""
        node = len(self.features)
        if leaf.parent is not None:
            above, side = leaf.parent
            self.children[above][0 if side == "left" else 1] = node
        self.features.append(split.feature)
        self.thresholds.append(threshold)
        self.gains.append(split.gain)
        self.children.append([-1 - number, -1 - (node + 1)])
        self.inner.append(leaf.sums)
        return node


def leaf_output(sums: Doubles, l2: float) -> float:
    """Return the output of a leaf before the learning rate."""
    return float(-sums[0] / (sums[1] + l2))


def best_split(leaf: Leaf, offsets: NDArray[np.intp], l2: float, min_rows: int) -> Split | None:
    """Return the split of a leaf with the largest gain; None where no split gains anything.

    Of equal gains the one with the lower feature and the higher bin is taken, and a feature that gained nothing in a
    leaf is not tried below it: both as in LightGBM. `leaf.features` becomes the features that gain something.

    Parameters
    ----------
    leaf : Leaf
        Leaf with its histogram.
    offsets : array of int of shape (features + 1,)
        First bin of each feature.
    l2 : float
        Penalty of a leaf's output.
    min_rows : int
        Minimum number of rows on each side.
    """
    sums, best = leaf.sums, None
    if sums[2] < 2 * min_rows:
        return None
    floor = sums[0] ** 2 / (sums[1] + 2 * GAIN + l2)
    starts, widths = offsets[:-1], np.diff(offsets)
    gaining = []
    for feature in np.flatnonzero(widths > 1) if leaf.features is None else leaf.features:
        cells = leaf.histogram[starts[feature] : starts[feature] + widths[feature]]
        right = np.cumsum(cells[:0:-1], axis=0)[::-1]  # of the bins above each edge
        left = sums - right
        allowed = (left[:, 2] >= min_rows) & (right[:, 2] >= min_rows)
        allowed &= (left[:, 1] >= MIN_HESSIAN) & (right[:, 1] >= MIN_HESSIAN)
        with np.errstate(divide="ignore", invalid="ignore"):
            gains = left[:, 0] ** 2 / (left[:, 1] + GAIN + l2) + right[:, 0] ** 2 / (right[:, 1] + GAIN + l2)
        gains = np.where(allowed, gains, -np.inf)
        last = len(gains) - 1 - int(gains[::-1].argmax())
        gain = float(gains[last] - floor)
        if gain > 0:
            gaining.append(int(feature))
            if best is None or gain > best.gain:
                best = Split(gain, int(feature), last, left[last], right[last])
    leaf.features = gaining
    return best
