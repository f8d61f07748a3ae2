"""Equalized odds: the best points under all groups' ROC hulls that lie within a tolerance of each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from core.fairness.metrics.arrays import FloatArray
from core.fairness.postprocessing.hull import Curve

__all__ = ["equal_odds_points"]


def equal_odds_points(
    hulls: Sequence[Curve], gain: FloatArray, harm: FloatArray, tolerance: float
) -> list[tuple[float, float]]:
    """Return one point (false positive rate, true positive rate) per group.

    Parameters
    ----------
    hulls : sequence of Curve
        ROC convex hull of each group.
    gain, harm : arrays of shape (groups,)
        Increase of the objective per unit of the group's true positive rate, and decrease per unit of its false
        positive rate.
    tolerance : float
        Largest difference of either rate that is allowed.
    """
    if tolerance <= 0 or len(hulls) == 1:
        x, y = _common_point(hulls, float(gain.sum()), float(harm.sum()))
        return [(x, y)] * len(hulls)
    return _box_points(hulls, gain, harm, tolerance)


def _common_point(hulls: Sequence[Curve], gain: float, harm: float) -> tuple[float, float]:
    """Return the best point under all hulls: a corner of their lower envelope."""
    x = np.unique(np.concatenate([hull.x for hull in hulls]))
    heights = np.stack([hull.at(x) for hull in hulls])
    corners = [x]
    for first, other in combinations(range(len(hulls)), 2):  # between two corners all hulls are straight
        gap = heights[first] - heights[other]
        left, right = gap[:-1], gap[1:]
        cross = np.flatnonzero(left * right < 0)
        share = left[cross] / (left[cross] - right[cross])
        corners.append(x[cross] + share * (x[cross + 1] - x[cross]))
    x = np.concatenate(corners)
    y = np.min([hull.at(x) for hull in hulls], axis=0)
    best = int(np.argmax(gain * y - harm * x))
    return float(x[best]), float(y[best])


def _box_points(
    hulls: Sequence[Curve], gain: FloatArray, harm: FloatArray, tolerance: float
) -> list[tuple[float, float]]:
    """Solve for a box of the tolerance's size and a point of each group in it, by linear programming."""
    from scipy.optimize import linprog
    from scipy.sparse import coo_array

    groups = len(hulls)
    # Variables: the box's corner (x0, y0), then x and y of each group.
    rows: list[tuple[dict[int, float], float]] = []
    for group, hull in enumerate(hulls):
        across, up = 2 + 2 * group, 3 + 2 * group
        slopes = np.diff(hull.y) / np.diff(hull.x)
        for slope, at, height in zip(slopes, hull.x, hull.y, strict=False):
            rows.append(({up: 1.0, across: -slope}, height - slope * at))
        rows += [({0: 1.0, across: -1.0}, 0.0), ({0: -1.0, across: 1.0}, tolerance)]
        rows += [({1: 1.0, up: -1.0}, 0.0), ({1: -1.0, up: 1.0}, tolerance)]
        rows.append(({across: 1.0, up: -1.0}, 0.0))  # no worse than chance
    entries = [(i, variable, value) for i, (terms, _) in enumerate(rows) for variable, value in terms.items()]
    row, column, value = (np.array(part) for part in zip(*entries, strict=True))
    matrix = coo_array((value, (row, column)), shape=(len(rows), 2 + 2 * groups)).tocsr()
    cost = np.zeros(2 + 2 * groups)
    cost[2::2], cost[3::2] = harm, -gain
    solution = linprog(cost, A_ub=matrix, b_ub=[bound for _, bound in rows], bounds=(0, 1), method="highs")
    if not solution.success:  # the common point is always there
        x, y = _common_point(hulls, float(gain.sum()), float(harm.sum()))
        return [(x, y)] * groups
    # The solver is exact to 1e-7 only: move each point to the box and below its hull.
    x0, y0 = float(solution.x[0]), float(solution.x[1])
    points = []
    for group, hull in enumerate(hulls):
        x = float(np.clip(solution.x[2 + 2 * group], x0, min(x0 + tolerance, 1)))
        points.append((x, float(min(np.clip(solution.x[3 + 2 * group], y0, y0 + tolerance), hull.at(x)))))
    return points
