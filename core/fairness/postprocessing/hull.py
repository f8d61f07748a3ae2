"""What each group can reach: the best objective at every rate, from the vertices of its ROC convex hull.

Mixing two thresholds reaches every point between their vertices, so a group's best objective is a concave, piecewise
linear function of the rate that is constrained, and all optima lie at its corners. Nothing here looks at a grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curve", "Mixture", "mix"]

Array = NDArray[np.float64]
Mixture = tuple[tuple[float, float], ...]


def mix(*parts: tuple[float, float]) -> Mixture:
    """Return thresholds with their probabilities, joined, the impossible left out, adding up to 1.

    Examples
    --------
    >>> mix((0.5, 0.25), (0.5, 0.25), (0.7, 0.5), (0.9, 0.0))
    ((0.5, 0.5), (0.7, 0.5))
    """
    found: dict[float, float] = {}
    for threshold, probability in parts:
        if probability > 1e-12:
            found[threshold] = found.get(threshold, 0.0) + probability
    total = sum(found.values())
    return tuple(sorted((threshold, probability / total) for threshold, probability in found.items()))


@dataclass(frozen=True)
class Curve:
    """A concave function by its corners, with the threshold that reaches each.

    Parameters
    ----------
    x, y : arrays of shape (corners,)
        x strictly increasing.
    threshold : array of shape (corners,)
        Infinite for nobody, minus infinite for everybody.
    """

    x: Array
    y: Array
    threshold: Array

    @classmethod
    def of(cls, x: Array, y: Array, threshold: Array) -> Curve:
        """Make one from the corners of a hull in their order; of several y at one x the highest counts."""
        order = np.lexsort((y, x))
        x, y, threshold = x[order], y[order], threshold[order]
        last = np.append(np.diff(x) > 1e-15, True)
        return cls(x[last], y[last], threshold[last])

    def at(self, x: Array | float) -> Array:
        """Return the function's value."""
        return np.asarray(np.interp(x, self.x, self.y), dtype=np.float64)

    @property
    def best(self) -> float:
        """Return the x of the highest value, the smallest of several."""
        return float(self.x[np.argmax(self.y)])

    def reach(self, x: float) -> Mixture:
        """Return the mixture of the two thresholds beside x that reaches the function's value there."""
        place = int(np.clip(np.searchsorted(self.x, x, side="right") - 1, 0, max(len(self.x) - 2, 0)))
        if len(self.x) == 1:
            return mix((float(self.threshold[0]), 1.0))
        left, right = self.x[place], self.x[place + 1]
        share = float(np.clip((x - left) / (right - left), 0, 1))
        return mix((float(self.threshold[place]), 1 - share), (float(self.threshold[place + 1]), share))
