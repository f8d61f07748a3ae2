"""Which models to blend: greedy selection with replacement over out-of-fold predictions, judged on other rows.

Caruana, Niculescu-Mizil, Crew, Ksikes (2004), "Ensemble selection from libraries of models". The weights fit the rows
they were chosen on, so whether to blend at all is decided on rows that had no say in them.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from core.evaluation import METRICS, compute_metrics

__all__ = ["Choice", "best_of_each", "choose_blend", "select"]

Array = NDArray[np.floating]

STEPS = 8  # rounds of the selection, so a member weighs at least an eighth
PATIENCE = 2  # rounds without a gain that end it
PER_KIND = 3  # configurations of a learner that may be blended
PARTS = 5  # of the rows, each judged by the weights of the others
REPEATS = 3  # times the parts are drawn anew on a small table
SMALL = 10_000  # rows times classes
ROWS = 10_000  # rows that the selection looks at, at most, of two classes


@dataclass(frozen=True)
class Choice:
    """A blend and what speaks for it.

    Parameters
    ----------
    weights : dict of int to int
        Weight of each member by its place among the candidates.
    score, best_score : float
        The metric of the blend and of the best single candidate, both chosen on other rows than they are scored on;
        means over the parts.
    """

    weights: dict[int, int]
    score: float
    best_score: float
    larger_is_better: bool

    @property
    def wins(self) -> bool:
        """Whether it is better than the best single candidate on rows that chose neither."""
        gap = self.score - self.best_score
        return len(self.weights) > 1 and (gap > 0 if self.larger_is_better else gap < 0)


def select(outputs: Sequence[Array], loss: Callable[[Array], float], costs: Sequence[float], room: float) -> list[int]:
    """Choose members, with replacement, so that their mean has the least loss.

    Parameters
    ----------
    outputs : sequence of array of shape (n, ...)
        Predictions of each candidate.
    loss : callable
        Of a mean of them; NaN counts as the worst.
    costs : sequence of float
        What a candidate costs the first time it is chosen.
    room : float
        What all members together may cost, besides the first.

    Returns
    -------
    list of int
        Places of the members in the order of their choice, of the length with the least loss; at most eight.

    Examples
    --------
    >>> truth = np.array([1.0, 2.0, 3.0])
    >>> each = [truth + 1, truth - 1, truth + 5]
    >>> select(each, lambda mean: float(np.abs(mean - truth).mean()), [0, 0, 0], 0)
    [0, 1]
    """
    chosen: list[int] = []
    total: Any = 0.0
    best: tuple[float, list[int]] = (np.inf, [])
    left = room
    for step in range(1, STEPS + 1):
        affordable = [place for place in range(len(outputs)) if not chosen or place in chosen or costs[place] <= left]
        losses = [loss((total + outputs[place]) / step) for place in affordable]
        losses = [value if np.isfinite(value) else np.inf for value in losses]
        lowest = int(np.argmin(losses))
        place = affordable[lowest]
        if chosen and place not in chosen:
            left -= costs[place]
        chosen.append(place)
        total = total + outputs[place]
        if losses[lowest] < best[0] - 1e-12:
            best = losses[lowest], list(chosen)
        elif step >= len(best[1]) + PATIENCE:
            break
    return best[1] or chosen[:1]


def choose_blend(
    outputs: Sequence[Array],
    kinds: Sequence[str],
    y: NDArray[Any],
    metric: str,
    *,
    costs: Sequence[float] | None = None,
    room: float = np.inf,
    groups: NDArray[np.intp] | None = None,
    seed: int = 0,
) -> Choice:
    """Select a blend on all rows, and judge the way it is selected by cross-validation over the rows.

    The judgement repeats all that the selection does, down to which configurations of a learner are looked at: the
    best of many trials is flattered by the rows that it was found to be best on.

    Parameters
    ----------
    outputs : sequence of array of shape (n, k) or (n,)
        Out-of-fold predictions of each candidate.
    kinds : sequence of str
        The learner of each; only the best three of a learner are blended.
    y : array of shape (n,)
        Class codes, or numbers.
    metric : str
        What to make as good as possible.
    costs, room
        As `select` takes them; no limit by default.
    groups : array of int of shape (n,), optional
        Rows of a group are judged together, by weights that no row of it had a say in.
    seed : int
        Of the rows that are looked at, when there are very many.

    Returns
    -------
    Choice
    """
    sign = -1.0 if METRICS[metric].larger_is_better else 1.0
    costs = [0.0] * len(outputs) if costs is None else costs
    if len(y) > (rows := _rows(outputs[0])):
        kept = np.sort(np.random.default_rng(seed).choice(len(y), rows, replace=False))
        outputs, y = [each[kept] for each in outputs], y[kept]
        groups = None if groups is None else groups[kept]
    outputs = [np.asarray(each, dtype=np.float64) for each in outputs]

    def loss_on(rows: NDArray[np.intp], mean: Any) -> float:
        return sign * compute_metrics([metric], y[rows], mean)[metric]

    def chosen_on(rows: NDArray[np.intp]) -> list[int]:
        inside = [each[rows] for each in outputs]
        losses = np.array([loss_on(rows, each) for each in inside])
        best = best_of_each(np.argsort(np.where(np.isfinite(losses), losses, np.inf), kind="stable").tolist(), kinds)
        members = select(
            [inside[place] for place in best], partial(loss_on, rows), [costs[place] for place in best], room
        )
        return [best[place] for place in members]

    everything = np.arange(len(y))
    scores: list[tuple[float, float]] = []
    for judged in _parts(y, outputs[0], groups):
        members = chosen_on(np.setdiff1d(everything, judged))
        mixed = np.mean([outputs[place][judged] for place in members], axis=0)
        single = outputs[members[0]][judged]  # the first choice is the best single one
        scores.append((loss_on(judged, mixed), loss_on(judged, single)))
    members = chosen_on(everything)
    judgement = np.array([pair for pair in scores if np.isfinite(pair).all()]).reshape(-1, 2)
    blended, single_loss = judgement.mean(axis=0) if len(judgement) else (np.nan, np.nan)
    weights = {place: members.count(place) for place in dict.fromkeys(members)}
    return Choice(weights, float(sign * blended), float(sign * single_loss), METRICS[metric].larger_is_better)


def best_of_each(ranked: Iterable[int], kinds: Sequence[str]) -> list[int]:
    """Return the best few of each kind, from places that are given best first.

    Examples
    --------
    >>> best_of_each([3, 0, 1, 2, 4], ["a", "a", "b", "a", "a"])
    [3, 0, 1, 2]
    """
    seen: Counter[str] = Counter()
    found = []
    for place in ranked:
        seen[kinds[place]] += 1
        if seen[kinds[place]] <= PER_KIND:
            found.append(place)
    return found


def _rows(output: Array) -> int:
    """Return how many rows are enough to choose by, fewer with many classes, whose metrics take longer."""
    classes = output.shape[1] if output.ndim == 2 else 2
    return max(2_000, ROWS * 2 // max(classes, 2))


def _parts(y: NDArray[Any], output: Array, groups: NDArray[np.intp] | None = None) -> list[NDArray[np.intp]]:
    """Return the rows that are judged by the others, in turn; the rows of a group are in one part."""
    count = min(PARTS, len(y) // 2 if groups is None else len(np.unique(groups)))
    if groups is not None and count < 2:
        return []
    found: list[NDArray[np.intp]] = []
    classes = output.shape[1] if output.ndim == 2 else 0
    for repeat in range(REPEATS if output.size < SMALL else 1):
        if groups is not None:
            stratified = classes and np.unique(y, return_counts=True)[1].max() >= count
            by_group = (StratifiedGroupKFold if stratified else GroupKFold)(count, shuffle=True, random_state=repeat)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # a class with fewer rows than parts
                found += [part for _, part in by_group.split(y, y, groups) if 0 < len(part) < len(y)]
            continue
        smallest = int(np.unique(y, return_counts=True)[1].min()) if classes else 0
        kind = StratifiedKFold if classes and smallest >= count else KFold
        found += [part for _, part in kind(count, shuffle=True, random_state=repeat).split(y, y)]
    return found
