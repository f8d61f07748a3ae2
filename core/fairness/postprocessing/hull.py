"""The best objective of a group at every rate, from the vertices of its ROC convex hull.

Mixing two thresholds reaches every point between their vertices, so a group's best objective is a concave, piecewise
linear function of the rate that is constrained, and all optima lie at its corners. No grid is searched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.fairness.metrics.arrays import FloatArray

__all__ = ["Curve", "Mixture", "hull_vertices", "mix"]

Mixture = tuple[tuple[float, float], ...]


def mix(*parts: tuple[float, float]) -> Mixture:
    """Return thresholds with probabilities that add up to 1: equal thresholds joined, impossible ones left out.

    Examples
    --------
    >>> mix((0.5, 0.25), (0.5, 0.25), (0.7, 0.5), (0.9, 0.0))
    ((0.5, 0.5), (0.7, 0.5))
    """
    joined: dict[float, float] = {}
    for threshold, probability in parts:
        if probability > 1e-12:
            joined[threshold] = joined.get(threshold, 0.0) + probability
    total = sum(joined.values())
    return tuple(sorted((threshold, probability / total) for threshold, probability in joined.items()))


def hull_vertices(
    threshold: FloatArray, selected: FloatArray, hits: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the vertices of a ROC convex hull: threshold, false positives, true positives.

    The upper hull of counts over scores is isotonic regression of the labels (Fawcett, Niculescu-Mizil 2007).

    Parameters
    ----------
    threshold : array of shape (cuts,)
        Thresholds, highest first.
    selected, hits : array of shape (cuts,)
        Rows above each threshold, and positive rows among them.
    """
    from scipy.optimize import isotonic_regression

    keep = np.array([0, len(threshold) - 1])
    if len(threshold) > 2:
        rows, positives = np.diff(selected), np.diff(hits)
        weighted = rows > 0  # rows without weight do not move the hull
        steps = np.flatnonzero(weighted) + 1
        shares = positives[weighted] / rows[weighted]
        fitted = isotonic_regression(shares, weights=rows[weighted], increasing=False)
        keep = np.r_[0, steps[fitted.blocks[1:] - 1]]
    return threshold[keep], (selected - hits)[keep], hits[keep]


@dataclass(frozen=True)
class Curve:
    """A concave function by its corners, with the threshold that reaches each.

    Parameters
    ----------
    x, y : arrays of shape (corners,)
        The corners, with x strictly increasing.
    threshold : array of shape (corners,)
        Threshold that reaches each corner: infinity selects no row, minus infinity every row.
    """

    x: FloatArray
    y: FloatArray
    threshold: FloatArray

    @classmethod
    def of(cls, x: FloatArray, y: FloatArray, threshold: FloatArray) -> Curve:
        """Make one from the corners of a hull in their order; of several y at one x the highest is kept."""
        order = np.lexsort((y, x))
        x, y, threshold = x[order], y[order], threshold[order]
        last = np.append(np.diff(x) > 1e-15, True)
        return cls(x[last], y[last], threshold[last])

    def at(self, x: FloatArray | float) -> FloatArray:
        """Return the function's value."""
        return np.asarray(np.interp(x, self.x, self.y), dtype=np.float64)

    @property
    def best(self) -> float:
        """The x of the highest value, the smallest of several."""
        return float(self.x[np.argmax(self.y)])

    def reach(self, x: float) -> Mixture:
        """Return the mixture of the two thresholds around x that reaches the function's value there."""
        corner = int(np.clip(np.searchsorted(self.x, x, side="right") - 1, 0, max(len(self.x) - 2, 0)))
        if len(self.x) == 1:
            return mix((float(self.threshold[0]), 1.0))
        left, right = self.x[corner], self.x[corner + 1]
        share = float(np.clip((x - left) / (right - left), 0, 1))
        return mix((float(self.threshold[corner]), 1 - share), (float(self.threshold[corner + 1]), share))
