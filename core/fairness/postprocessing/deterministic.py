"""One threshold per group: as near to the best randomized rules as thresholds come, with the remaining difference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.fairness.metrics.arrays import FloatArray
from core.fairness.metrics.counts import rate
from core.fairness.postprocessing.hull import Mixture, mix
from core.fairness.postprocessing.problem import Problem

__all__ = ["nearest_thresholds"]


class _Candidates:
    """The candidate thresholds of one group: those of its hull, and others at even steps of the selected rows."""

    def __init__(self, problem: Problem, group: int, count: int) -> None:
        threshold, selected, hits = problem.table.cuts[group]
        false = selected - hits
        along = selected / max(selected[-1], 1.0)
        keep = np.searchsorted(along, np.linspace(0, 1, count + 1)).clip(0, len(along) - 1)
        hull = np.searchsorted(-threshold, -problem.table.hulls[group][0])
        keep = np.unique(np.r_[0, keep, hull.clip(0, len(along) - 1), len(along) - 1])
        rows, positives = problem.rows[group], problem.positives[group]
        cells = np.stack([rows - positives - false[keep], false[keep], positives - hits[keep], hits[keep]], axis=-1)

        self.threshold = threshold[keep]
        self.rates = np.stack([rate(name, cells) for name in problem.constraint.rates], axis=-1)
        self.value = problem.gain * cells[:, 3] - problem.harm * cells[:, 1]

    def nearest(self, point: FloatArray) -> int:
        """Return the candidate whose rates are nearest to a point; the best one of several."""
        distance = np.abs(self.rates - point).max(axis=-1)
        close = np.flatnonzero(distance <= distance.min() + 1e-12)
        return int(close[np.argmax(self.value[close])])


def nearest_thresholds(
    problem: Problem, rules: Sequence[Mixture], tolerance: float, grid_size: int, minimum_rate: float | None
) -> list[Mixture]:
    """Return the best single thresholds whose difference is within the tolerance, or as near to it as possible.

    Parameters
    ----------
    problem : Problem
        Objective and constraint.
    rules : sequence of mixtures
        The best randomized rules of the groups that are compared.
    tolerance : float
        Largest difference that is allowed.
    grid_size : int
        Number of candidate thresholds per group.
    minimum_rate : float, optional
        Smallest rate, in place of equal rates.
    """
    candidates = [_Candidates(problem, group, grid_size) for group in problem.compared]
    if minimum_rate is not None:
        return [_at_least(group, minimum_rate) for group in candidates]

    _, _, cells = problem.outcome(problem.complete(rules))
    targets = np.stack([rate(name, cells[problem.compared]) for name in problem.constraint.rates], axis=-1)
    chosen = [group.nearest(target) for group, target in zip(candidates, targets, strict=True)]
    # Exactly equal rates hardly exist except where all or no rows are selected: then as near as the nearest.
    allowed = tolerance or _gap(candidates, chosen)
    better = _best_in_window(candidates, allowed) if targets.shape[1] == 1 else _best_near_points(candidates, allowed)
    fits = _gap(candidates, chosen) <= allowed + 1e-12
    if better is not None and (not fits or _value(candidates, better) > _value(candidates, chosen)):
        chosen = better
    return [mix((float(group.threshold[index]), 1.0)) for group, index in zip(candidates, chosen, strict=True)]


def _gap(candidates: Sequence[_Candidates], chosen: Sequence[int]) -> float:
    rates = np.stack([group.rates[index] for group, index in zip(candidates, chosen, strict=True)])
    return float(np.ptp(rates, axis=0).max())


def _value(candidates: Sequence[_Candidates], chosen: Sequence[int]) -> float:
    return float(sum(group.value[index] for group, index in zip(candidates, chosen, strict=True)))


def _at_least(group: _Candidates, minimum: float) -> Mixture:
    allowed = np.flatnonzero(group.rates[:, 0] >= minimum - 1e-12)
    return mix((float(group.threshold[allowed[np.argmax(group.value[allowed])]]), 1.0))


def _best_in_window(candidates: Sequence[_Candidates], width: float) -> list[int] | None:
    """Return the best candidates whose one rate lies in a common window."""
    starts = np.unique(np.concatenate([group.rates[:, 0] for group in candidates]))
    total = np.zeros(len(starts))
    picks = []
    for group in candidates:
        order = np.argsort(group.rates[:, 0], kind="stable")
        rates, values = group.rates[order, 0], group.value[order]
        low = np.searchsorted(rates, starts - 1e-12, side="left")
        high = np.searchsorted(rates, starts + width + 1e-12, side="right")
        pick = np.array(
            [
                begin + int(np.argmax(values[begin:end])) if end > begin else -1
                for begin, end in zip(low, high, strict=True)
            ]
        )
        total += np.where(pick >= 0, values[pick], -np.inf)
        picks.append(np.where(pick >= 0, order[pick], -1))
    best = int(np.argmax(total))
    return [int(pick[best]) for pick in picks] if np.isfinite(total[best]) else None


def _best_near_points(candidates: Sequence[_Candidates], width: float) -> list[int] | None:
    """Return the best of the candidates nearest to common points whose rates all lie within the width."""
    from scipy.spatial import cKDTree

    points = np.concatenate([group.rates[:: max(1, len(group.rates) // 400)] for group in candidates])
    nearest = np.stack([cKDTree(group.rates).query(points, p=np.inf)[1] for group in candidates], axis=-1)
    rates = np.stack([group.rates[nearest[:, i]] for i, group in enumerate(candidates)], axis=1)
    gap = np.ptp(rates, axis=1).max(axis=-1)
    value = np.sum([group.value[nearest[:, i]] for i, group in enumerate(candidates)], axis=0)
    allowed = np.flatnonzero(gap <= width + 1e-12)
    return None if not len(allowed) else [int(index) for index in nearest[allowed[np.argmax(value[allowed])]]]
