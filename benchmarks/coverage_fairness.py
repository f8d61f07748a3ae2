"""Situations of `benchmarks/coverage.py` with groups: metrics of each, gaps, ratios, and tests where nothing differs.

Each function returns a draw: a function of a random number generator that simulates a table and returns, for each
figure, its name, its true value and its bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.fairness import GroupMetrics, group_metrics, pairwise_gaps

__all__ = ["decisions", "null_decisions", "null_numbers", "null_scores", "numbers", "scores"]

Array = NDArray[np.float64]
Figures = list[tuple[str, float, float, float]]
Draw = Callable[[np.random.Generator], Figures]
Weighting = Literal["none", "random", "class"]

LARGE = 60_000
OTHER = {"base": 0.4, "true": 0.6, "false": 0.2}
RATIOS = ("selection_rate", "true_positive_rate", "accuracy")
SHOWN = (
    "selection_rate",
    "accuracy",
    "balanced_accuracy",
    "precision",
    "true_positive_rate",
    "false_positive_rate",
    "f1",
)


def _weights(weighting: Weighting, y: NDArray[np.bool_], random: np.random.Generator) -> Array | None:
    if weighting == "none":
        return None
    return random.gamma(2.0, 0.5, len(y)) if weighting == "random" else np.where(y, 4.0, 1.0)


def _figures(metrics: GroupMetrics, truth: dict[str, float], other: dict[str, float], names: Sequence[str]) -> Figures:
    """Return the intervals of group "a", its gaps to group "b", and its ratios."""
    own, gaps = (table.loc["a", ["low", "high"]].T for table in (metrics.intervals, metrics.difference_intervals))
    figures: Figures = []
    for name in names:
        figures.append((name, truth[name], *own[name]))
        figures.append((f"gap {name}", truth[name] - other[name], *gaps[name]))
    if metrics.rates is not None and "selection_rate" in names:
        ratios = metrics.ratio_intervals.loc["a", ["low", "high"]].T
        for name in RATIOS:
            ratio = truth[name] / other[name] if other[name] else np.nan
            figures.append((f"ratio {name}", ratio, *ratios[name]))
    return figures


def decisions(n: int, others: int, base: float, true: float, false: float, weighting: Weighting = "none") -> Draw:
    """Return a draw of the rates of decisions of a group of n rows beside another."""
    truth: dict[str, dict[str, float]] = {}

    def table(sizes: tuple[int, int], random: np.random.Generator) -> GroupMetrics:
        group = np.repeat(["a", "b"], sizes)
        first = group == "a"
        y = random.random(len(group)) < np.where(first, base, OTHER["base"])
        rate = np.where(y, np.where(first, true, OTHER["true"]), np.where(first, false, OTHER["false"]))
        selected = random.random(len(group)) < rate
        weights = _weights(weighting, y, random)
        return group_metrics(y, selected, group, sample_weight=weights, reference_group="b", min_group_size=0)

    def draw(random: np.random.Generator) -> Figures:
        if not truth:
            large = table((LARGE, LARGE), np.random.default_rng(7)).by_group
            truth.update({name: dict(large.loc[name]) for name in ("a", "b")})
        return _figures(table((n, others), random), truth["a"], truth["b"], SHOWN)

    return draw


def _scored(
    sizes: Sequence[int], strength: float, base: float, shift: float, slope: float, random: np.random.Generator
) -> tuple[NDArray[np.str_], NDArray[np.bool_], Array, Array]:
    """Return groups, labels, probabilities and true probabilities; those of the first group are shifted."""
    names = [chr(ord("a") + number) for number in range(len(sizes))]
    group = np.repeat(names, sizes)
    logit = random.normal(np.log(base / (1 - base)), strength, len(group))
    chance = 1 / (1 + np.exp(-logit))
    first = group == "a"
    score = 1 / (1 + np.exp(-np.where(first, slope * logit + shift, logit)))
    return group, random.random(len(group)) < chance, score, chance


def scores(
    n: int,
    others: int,
    strength: float,
    base: float,
    shift: float = 0.0,
    slope: float = 1.0,
    weighting: Weighting = "none",
) -> Draw:
    """Return a draw of the metrics of scores of a group of n rows beside another."""
    truth: dict[str, dict[str, float]] = {}
    names = ("roc_auc", "log_loss", "brier_score", "calibration_error")

    def measure(sizes: tuple[int, int], random: np.random.Generator) -> tuple[GroupMetrics, tuple[Array, ...]]:
        group, y, score, chance = _scored(sizes, strength, base, shift, slope, random)
        weights = _weights(weighting, y, random)
        metrics = group_metrics(
            y, score > 0.5, group, y_score=score, sample_weight=weights, reference_group="b", min_group_size=0
        )
        # The expected weight of a row with a label, by which a weighted share of positives is the true one.
        heavy = 4.0 if weighting == "class" else 1.0
        return metrics, (group == "a", score, heavy * chance, (1 - chance) + heavy * chance)

    def draw(random: np.random.Generator) -> Figures:
        if not truth:
            metrics, (first, score, hits, rows) = measure((LARGE, LARGE), np.random.default_rng(7))
            for name, own in (("a", first.astype(bool)), ("b", ~first.astype(bool))):
                truth[name] = dict(metrics.by_group.loc[name])
                bins = np.clip((score[own] * 10).astype(int), 0, 9)
                gaps = np.bincount(bins, hits[own] - rows[own] * score[own])
                truth[name]["calibration_error"] = float(np.abs(gaps).sum() / rows[own].sum())
        return _figures(measure((n, others), random)[0], truth["a"], truth["b"], names)

    return draw


def _errors(sizes: Sequence[int], spread: str, scale: float, random: np.random.Generator) -> pd.DataFrame:
    """Return groups, true and predicted numbers; the errors of the first group are scaled."""
    group = np.repeat([chr(ord("a") + number) for number in range(len(sizes))], sizes)
    n = len(group)
    y = random.normal(40, 2, n)
    errors = {
        "normal": lambda: random.normal(0, 1, n),
        "exponential": lambda: random.exponential(1, n) * random.choice([-1, 1], n),
        "one-sided": lambda: random.exponential(1, n) - 1,
        "uneven": lambda: random.normal(0, 1, n) * random.choice([0.4, 1.6], n),
    }[spread]()
    return pd.DataFrame({"group": group, "y": y, "p": y + errors * np.where(group == "a", scale, 1.0)})


def numbers(n: int, others: int, spread: str, scale: float, weighting: Weighting = "none") -> Draw:
    """Return a draw of the metrics of predicted numbers of a group of n rows beside another."""
    truth: dict[str, dict[str, float]] = {}
    names = ("mean_prediction", "mean_error", "mae", "rmse", "r2")

    def measure(sizes: tuple[int, int], random: np.random.Generator) -> GroupMetrics:
        table = _errors(sizes, spread, scale, random)
        weights = None if weighting == "none" else random.gamma(2.0, 0.5, len(table))
        return group_metrics(
            table["y"], table["p"], table["group"], sample_weight=weights, reference_group="b", min_group_size=0
        )

    def draw(random: np.random.Generator) -> Figures:
        if not truth:
            large = measure((LARGE, LARGE), np.random.default_rng(7)).by_group
            truth.update({name: dict(large.loc[name]) for name in ("a", "b")})
        return _figures(measure((n, others), random), truth["a"], truth["b"], names)

    return draw


def _levels(metrics: GroupMetrics, names: Sequence[str], surest: Sequence[str]) -> Figures:
    """Return tests as figures whose interval holds 0 where the test finds nothing."""
    figures: Figures = []
    for name in names:
        p = float(metrics.tests.loc[name, "p_value"])
        figures.append((f"test of {name}", 0.0, 0.0 if p >= 0.05 else 1.0, np.nan if np.isnan(p) else 2.0))
    for name in surest:
        gap = pairwise_gaps(metrics, name).surest
        figures.append((f"surest gap in {name}", 0.0, *((np.nan, np.nan) if gap is None else (gap.low, gap.high))))
    return figures


def null_decisions(sizes: Sequence[int], share: float, weighting: Weighting = "none") -> Draw:
    """Return a draw of the tests of rates where all groups are alike."""

    def draw(random: np.random.Generator) -> Figures:
        group = np.repeat(np.arange(len(sizes)), sizes)
        y = random.random(len(group)) < 0.4
        selected = random.random(len(group)) < share + 0.3 * y
        weights = _weights(weighting, y, random)
        metrics = group_metrics(y, selected, group, sample_weight=weights, n_boot=200, min_group_size=0)
        return _levels(metrics, SHOWN, ("selection_rate", "true_positive_rate"))

    return draw


def null_scores(sizes: Sequence[int], strength: float, weighting: Weighting = "none") -> Draw:
    """Return a draw of the tests of scores where all groups are alike."""

    def draw(random: np.random.Generator) -> Figures:
        group, y, score, _ = _scored(sizes, strength, 0.4, 0.0, 1.0, random)
        weights = _weights(weighting, y, random)
        metrics = group_metrics(
            y, score > 0.5, group, y_score=score, sample_weight=weights, n_boot=200, min_group_size=0
        )
        names = ("roc_auc", "log_loss", "brier_score")
        return _levels(metrics, names, (*names, "calibration_error"))

    return draw


def null_numbers(sizes: Sequence[int], spread: str, weighting: Weighting = "none") -> Draw:
    """Return a draw of the tests of predicted numbers where all groups are alike."""

    def draw(random: np.random.Generator) -> Figures:
        table = _errors(sizes, spread, 1.0, random)
        weights = None if weighting == "none" else random.gamma(2.0, 0.5, len(table))
        metrics = group_metrics(
            table["y"], table["p"], table["group"], sample_weight=weights, n_boot=200, min_group_size=0
        )
        names = ("mean_prediction", "mean_error", "mae", "rmse", "r2")
        return _levels(metrics, names, names)

    return draw
