"""One threshold a group: as near to the best randomised rules as thresholds come, with the difference that remains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.fairness.metrics.counts import rate
from core.fairness.postprocessing.hull import Mixture, mix
from core.fairness.postprocessing.problem import CONSTRAINTS, Problem

__all__ = ["nearest_thresholds"]

Array = NDArray[np.float64]


class _Candidates:
    """The thresholds of one group that are tried: those of its hull, and an even share of the others."""

    def __init__(self, problem: Problem, group: int, count: int) -> None:
        threshold, selected, hits = problem.table.sorted.of(group)
        false = selected - hits
        along = selected / max(selected[-1], 1.0)
        keep = np.searchsorted(along, np.linspace(0, 1, count + 1)).clip(0, len(along) - 1)
        hull = np.searchsorted(-threshold, -problem.table.hulls[group][0])
        keep = np.unique(np.r_[0, keep, hull.clip(0, len(along) - 1), len(along) - 1])
        rows, positives = problem.rows[group], problem.positives[group]
        cells = np.stack([rows - positives - false[keep], false[keep], positives - hits[keep], hits[keep]], axis=-1)

        self.threshold = threshold[keep].copy()
        self.threshold[-1] = -np.inf
        self.rates = np.stack([rate(name, cells) for name in CONSTRAINTS[problem.constraint]], axis=-1)
        self.value = problem.gain * cells[:, 3] - problem.harm * cells[:, 1]

    def nearest(self, point: Array) -> int:
        """Return the candidate whose rates are nearest to a point; the better one of several."""
        distance = np.abs(self.rates - point).max(axis=-1)
        close = np.flatnonzero(distance <= distance.min() + 1e-12)
        return int(close[np.argmax(self.value[close])])


def nearest_thresholds(
    problem: Problem, rules: Sequence[Mixture], tolerance: float, grid_size: int, minimum_rate: float | None
) -> list[Mixture]:
    """Return the best single thresholds whose difference is within the tolerance, or as near to it as can be."""
    candidates = [_Candidates(problem, group, grid_size) for group in range(len(problem.rows))]
    if minimum_rate is not None:
        return [_at_least(each, minimum_rate) for each in candidates]

    _, _, cells = problem.outcome(rules)
    targets = np.stack([rate(name, cells) for name in CONSTRAINTS[problem.constraint]], axis=-1)
    chosen = [each.nearest(target) for each, target in zip(candidates, targets, strict=True)]
    # Exactly equal rates are hardly ever there but by selecting everybody or nobody: then as near as the nearest.
    allowed = tolerance or _gap(candidates, chosen)
    better = _windows(candidates, allowed) if targets.shape[1] == 1 else _centres(candidates, allowed)
    fits = _gap(candidates, chosen) <= allowed + 1e-12
    if better is not None and (not fits or _value(candidates, better) > _value(candidates, chosen)):
        chosen = better
    return [mix((float(each.threshold[place]), 1.0)) for each, place in zip(candidates, chosen, strict=True)]


def _gap(candidates: Sequence[_Candidates], chosen: Sequence[int]) -> float:
    rates = np.stack([each.rates[place] for each, place in zip(candidates, chosen, strict=True)])
    return float(np.ptp(rates, axis=0).max())


def _value(candidates: Sequence[_Candidates], chosen: Sequence[int]) -> float:
    return float(sum(each.value[place] for each, place in zip(candidates, chosen, strict=True)))


def _at_least(each: _Candidates, minimum: float) -> Mixture:
    allowed = np.flatnonzero(each.rates[:, 0] >= minimum - 1e-12)
    return mix((float(each.threshold[allowed[np.argmax(each.value[allowed])]]), 1.0))


def _windows(candidates: Sequence[_Candidates], width: float) -> list[int] | None:
    """Return the best candidates whose one rate lies in a common window."""
    starts = np.unique(np.concatenate([each.rates[:, 0] for each in candidates]))
    total = np.zeros(len(starts))
    picks = []
    for each in candidates:
        order = np.argsort(each.rates[:, 0], kind="stable")
        rates, values = each.rates[order, 0], each.value[order]
        low = np.searchsorted(rates, starts - 1e-12, side="left")
        high = np.searchsorted(rates, starts + width + 1e-12, side="right")
        pick = np.array(
            [
                low_ + int(np.argmax(values[low_:high_])) if high_ > low_ else -1
                for low_, high_ in zip(low, high, strict=True)
            ]
        )
        total += np.where(pick >= 0, values[pick], -np.inf)
        picks.append(np.where(pick >= 0, order[pick], -1))
    best = int(np.argmax(total))
    return [int(pick[best]) for pick in picks] if np.isfinite(total[best]) else None


def _centres(candidates: Sequence[_Candidates], width: float) -> list[int] | None:
    """Return the best of the candidates nearest to common points whose rates all lie within the width."""
    from scipy.spatial import cKDTree

    points = np.concatenate([each.rates[:: max(1, len(each.rates) // 400)] for each in candidates])
    nearest = np.stack([cKDTree(each.rates).query(points, p=np.inf)[1] for each in candidates], axis=-1)
    rates = np.stack([each.rates[nearest[:, group]] for group, each in enumerate(candidates)], axis=1)
    gap = np.ptp(rates, axis=1).max(axis=-1)
    value = np.sum([each.value[nearest[:, group]] for group, each in enumerate(candidates)], axis=0)
    allowed = np.flatnonzero(gap <= width + 1e-12)
    return None if not len(allowed) else [int(place) for place in nearest[allowed[np.argmax(value[allowed])]]]
