"""Which models to blend: greedy selection with replacement over out-of-fold predictions, judged on other rows.

Caruana, Niculescu-Mizil, Crew, Ksikes (2004), "Ensemble selection from libraries of models". The weights fit the rows
they were chosen on, so whether to blend at all is decided on rows that did not choose them.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from core.automl._types import Codes, Groups, Target, Weights
from core.evaluation import METRICS, compute_metric

__all__ = ["Choice", "best_of_each", "choose_blend", "judging_parts", "select"]

Array = NDArray[np.floating]

STEPS = 8  # rounds of the selection, so a member weighs at least an eighth
PATIENCE = 2  # rounds without a gain that end it
PER_LEARNER = 3  # configurations of a learner that may be blended
PARTS = 5  # of the rows, each judged by the weights of the others
REPEATS = 3  # times the parts are drawn anew on a small table
SMALL = 10_000  # rows times classes
DOUBT = 0.5  # standard errors by which a blend may be worse
ROWS = 10_000  # rows that the selection looks at, at most, of two classes


@dataclass(frozen=True)
class Choice:
    """A blend and how it compares.

    Parameters
    ----------
    weights : dict of int to int
        Weight of each member by its index among the candidates.
    score, best_score : float
        Metric of the blend and of the best single candidate, both chosen on other rows than they are scored on;
        means over the parts.
    larger_is_better : bool
        Direction of the metric.
    gap_error : float, default=0
        Standard error of the difference of the two scores, from the parts; drawing them anew makes it no smaller.
    """

    weights: dict[int, int]
    score: float
    best_score: float
    larger_is_better: bool
    gap_error: float = 0.0

    @property
    def wins(self) -> bool:
        """Whether the blend is not surely worse than the best single candidate on rows that chose neither.

        Different models are nearly always better together, so the blend has the benefit of the doubt.
        """
        gap = self.score - self.best_score if self.larger_is_better else self.best_score - self.score
        return len(self.weights) > 1 and gap > -DOUBT * self.gap_error


def select(
    outputs: Sequence[Array], loss: Callable[[Array], float], costs: Sequence[float], budget: float
) -> list[int]:
    """Choose members, with replacement, so that their mean has the least loss.

    Parameters
    ----------
    outputs : sequence of array of shape (n, ...)
        Predictions of each candidate.
    loss : callable
        Loss of a mean of them; NaN counts as the worst.
    costs : sequence of float
        Cost of a candidate, the first time it is chosen.
    budget : float
        Maximum cost of all members together, besides the first.

    Returns
    -------
    list of int
        Indices of the members in the order of their choice, of the length with the least loss; at most eight.

    Examples
    --------
    >>> truth = np.array([1.0, 2.0, 3.0])
    >>> outputs = [truth + 1, truth - 1, truth + 5]
    >>> select(outputs, lambda mean: float(np.abs(mean - truth).mean()), [0, 0, 0], 0)
    [0, 1]
    """
    chosen: list[int] = []
    total: Array = np.zeros_like(outputs[0])
    best: tuple[float, list[int]] = (np.inf, [])
    left = budget
    for step in range(1, STEPS + 1):
        affordable = [index for index in range(len(outputs)) if not chosen or index in chosen or costs[index] <= left]
        losses = [loss((total + outputs[index]) / step) for index in affordable]
        losses = [value if np.isfinite(value) else np.inf for value in losses]
        lowest = int(np.argmin(losses))
        index = affordable[lowest]
        if chosen and index not in chosen:
            left -= costs[index]
        chosen.append(index)
        total = total + outputs[index]
        if losses[lowest] < best[0] - 1e-12:
            best = losses[lowest], list(chosen)
        elif step >= len(best[1]) + PATIENCE:
            break
    return best[1] or chosen[:1]


def choose_blend(
    outputs: Sequence[Array],
    learners: Sequence[str],
    y: Target,
    metric: str,
    *,
    costs: Sequence[float] | None = None,
    budget: float = np.inf,
    groups: Groups | None = None,
    sample_weight: Weights | None = None,
    seed: int = 0,
) -> Choice:
    """Select a blend on all rows, and judge the way it is selected by cross-validation over the rows.

    The judgment repeats all that the selection does, down to which configurations of a learner are looked at: the
    best of many trials is flattered by the rows that it was found to be best on.

    Parameters
    ----------
    outputs : sequence of array of shape (n, k) or (n,)
        Out-of-fold predictions of each candidate.
    learners : sequence of str
        Learner of each candidate; only the best three of a learner are blended.
    y : array of shape (n,)
        Class codes, or numbers.
    metric : str
        Key of `METRICS` to optimize.
    costs : sequence of float, optional
        Cost of each candidate; by default none costs anything.
    budget : float, default=inf
        Maximum cost of all members together, besides the first.
    groups : array of int of shape (n,), optional
        Group of each row. Rows of a group are judged together, by weights that none of them helped to choose.
    sample_weight : array of shape (n,), optional
        Weights of the rows.
    seed : int, default=0
        Seed of the sample of rows that is looked at, when there are very many.

    Returns
    -------
    Choice
    """
    sign = -1.0 if METRICS[metric].larger_is_better else 1.0
    costs = [0.0] * len(outputs) if costs is None else costs
    if len(y) > (rows := _sample_size(outputs[0])):
        kept = np.sort(np.random.default_rng(seed).choice(len(y), rows, replace=False))
        outputs, y = [output[kept] for output in outputs], y[kept]
        groups = None if groups is None else groups[kept]
        sample_weight = None if sample_weight is None else sample_weight[kept]
    outputs = [np.asarray(output, dtype=np.float64) for output in outputs]

    def loss_on(rows: Codes, mean: Array) -> float:
        weight = None if sample_weight is None else sample_weight[rows]
        return sign * compute_metric(metric, y[rows], mean, weight)

    def chosen_on(rows: Codes) -> list[int]:
        inside = [output[rows] for output in outputs]
        losses = np.array([loss_on(rows, output) for output in inside])
        ranked = np.argsort(np.where(np.isfinite(losses), losses, np.inf), kind="stable").tolist()
        best = best_of_each(ranked, learners)
        members = select(
            [inside[index] for index in best], partial(loss_on, rows), [costs[index] for index in best], budget
        )
        return [best[index] for index in members]

    everything = np.arange(len(y))
    losses: list[tuple[float, float]] = []
    for part in judging_parts(y, outputs[0], groups):
        members = chosen_on(np.setdiff1d(everything, part))
        mixed = np.mean([outputs[index][part] for index in members], axis=0)
        single = outputs[members[0]][part]  # the first choice is the best single one
        losses.append((loss_on(part, mixed), loss_on(part, single)))
    members = chosen_on(everything)
    judged = np.array([pair for pair in losses if np.isfinite(pair).all()]).reshape(-1, 2)
    blended, best_single = judged.mean(axis=0) if len(judged) else (np.nan, np.nan)
    weights = {index: members.count(index) for index in dict.fromkeys(members)}
    gaps = judged[:, 1] - judged[:, 0]
    # Parts that are drawn anew hold the same rows: they make the mean steadier, and tell nothing of other rows.
    error = float(gaps.std(ddof=1) / min(len(gaps), PARTS) ** 0.5) if len(gaps) > 1 else 0.0
    return Choice(weights, float(sign * blended), float(sign * best_single), METRICS[metric].larger_is_better, error)


def best_of_each(ranked: Iterable[int], learners: Sequence[str]) -> list[int]:
    """Return the best few candidates of each learner, from indices that are given best first.

    Examples
    --------
    >>> best_of_each([3, 0, 1, 2, 4], ["a", "a", "b", "a", "a"])
    [3, 0, 1, 2]
    """
    counts: Counter[str] = Counter()
    best = []
    for index in ranked:
        counts[learners[index]] += 1
        if counts[learners[index]] <= PER_LEARNER:
            best.append(index)
    return best


def _sample_size(output: Array) -> int:
    """Return how many rows are enough to choose by, fewer with many classes, whose metrics take longer."""
    classes = output.shape[1] if output.ndim == 2 else 2
    return max(2_000, ROWS * 2 // max(classes, 2))


def judging_parts(y: Target, output: Array, groups: Groups | None = None) -> list[Codes]:
    """Return the rows that are judged by the others, in turn; the rows of a group are in one part."""
    count = min(PARTS, len(y) // 2 if groups is None else len(np.unique(groups)))
    if groups is not None and count < 2:
        return []
    parts: list[Codes] = []
    classes = output.shape[1] if output.ndim == 2 else 0
    for repeat in range(REPEATS if output.size < SMALL else 1):
        if groups is not None:
            stratified = classes and np.unique(y, return_counts=True)[1].max() >= count
            by_group = (StratifiedGroupKFold if stratified else GroupKFold)(count, shuffle=True, random_state=repeat)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # a class with fewer rows than parts
                parts += [part for _, part in by_group.split(y, y, groups) if 0 < len(part) < len(y)]
            continue
        smallest = int(np.unique(y, return_counts=True)[1].min()) if classes else 0
        splitter = StratifiedKFold if classes and smallest >= count else KFold
        parts += [part for _, part in splitter(count, shuffle=True, random_state=repeat).split(y, y)]
    return parts
