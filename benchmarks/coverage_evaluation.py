"""Situations of `benchmarks/coverage.py` with the test rows of a search: metrics, gains and a verdict.

Each function returns a draw: a function of a random number generator that simulates a table and returns, for each
figure, its name, its true value and its bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.evaluation import METRICS, Estimate, compare_outputs, compute_metrics, metric_choices, verdict_sentence

__all__ = ["chance_verdict", "class_metrics", "number_metrics"]

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator], list[tuple[str, float, float, float]]]


def _bounds(estimate: Estimate) -> tuple[float, float]:
    if estimate.low is None or estimate.high is None:
        return math.nan, math.nan
    return estimate.low, estimate.high


def _probabilities(random: np.random.Generator, y: NDArray[np.intp], k: int, strength: float, own: Array) -> Array:
    """Return probabilities that know the class more or less well, shifted by what rows of a group share."""
    raw = random.normal(size=(len(y), k)) + strength * np.eye(k)[y] + own[:, None] * np.eye(k)[y]
    shares = np.bincount(y, minlength=k) / len(y)
    raw = raw * max(strength, 0.3) + 0.5 * np.log(np.maximum(shares, 1e-3))
    raw = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(raw / raw.sum(axis=1, keepdims=True))


def _classes(counts: tuple[int, ...]) -> NDArray[np.intp]:
    return np.repeat(np.arange(len(counts)), counts)


def _rows(
    counts: tuple[int, ...], strength: float, groups: int, weighted: bool, clustered: float, random: np.random.Generator
) -> tuple[NDArray[np.intp], Array, Array, NDArray[np.intp] | None, Array | None]:
    """Return classes, probabilities of two models, groups and weights of a table."""
    y = _classes(counts)
    members = random.integers(0, groups, len(y)) if groups else None
    shift = np.zeros(len(y)) if members is None else random.normal(0, clustered, groups)[members]
    model = _probabilities(random, y, len(counts), strength, shift)
    other = _probabilities(random, y, len(counts), 0.7 * strength, shift)
    other = np.where(random.random((len(y), 1)) < 0.5, model, other)  # two models agree on many rows
    weights = random.gamma(2.0, 0.5, len(y)) if weighted else None
    return y, model, other, members, weights


def class_metrics(
    counts: tuple[int, ...], strength: float, groups: int = 0, weighted: bool = False, clustered: float = 0.7
) -> Draw:
    """Return a draw of all metrics of a classifier, and of its gains in three of them."""
    task = "binary" if len(counts) == 2 else "multiclass"
    names = metric_choices(task)
    gained = ("roc_auc", "accuracy", "log_loss")
    truth: dict[str, float] = {}

    def draw(random: np.random.Generator) -> list[tuple[str, float, float, float]]:
        if not truth:
            large = np.random.default_rng(7)
            scale = -(-60_000 // sum(counts))
            many = tuple(count * scale for count in counts)
            y, model, other, *_ = _rows(many, strength, groups and 20_000, False, clustered, large)
            truth.update(compute_metrics(names, y, model))
            second = compute_metrics(gained, y, other)
            for name in gained:
                sign = 1 if METRICS[name].larger_is_better else -1
                truth[f"gain {name}"] = sign * (truth[name] - second[name])
        y, model, other, members, weights = _rows(counts, strength, groups, weighted, clustered, random)
        figures = []
        for name in gained:
            compared = compare_outputs(
                task, name, y, {"model": model, "other": other}, groups=members, sample_weight=weights
            )
            gain = compared.gains["other"]
            figures.append((f"gain {name}", truth[f"gain {name}"], *_bounds(gain)))
        own = compared.metrics["model"]
        return figures + [(name, truth[name], *_bounds(own[name])) for name in names]

    return draw


def number_metrics(n: int, shape: float, spread: str, weighted: bool = False, groups: int = 0) -> Draw:
    """Return a draw of all metrics of predicted numbers, and of the gain in MAE and RMSE."""
    truth: dict[str, float] = {}

    def table(n: int, groups: int, random: np.random.Generator) -> tuple[Array, Array, Array, NDArray[np.intp] | None]:
        members = random.integers(0, groups, n) if groups else None
        shift = np.zeros(n) if members is None else random.normal(0, shape, groups)[members]
        y = random.normal(40, 2, n) + shift
        if spread == "normal":
            first, second = random.normal(0, shape, n), random.normal(0, 1.2 * shape, n)
        else:
            first = shape * random.exponential(1, n) * random.choice([-1, 1], n)
            second = 1.2 * shape * random.exponential(1, n) * random.choice([-1, 1], n)
        return y, y + first + 0.5 * shift, y + (first + second) / 1.5 + 0.5 * shift, members

    def draw(random: np.random.Generator) -> list[tuple[str, float, float, float]]:
        names = metric_choices("regression")
        if not truth:
            y, model, other, _ = table(400_000, groups and 40_000, np.random.default_rng(7))
            truth.update(compute_metrics(names, y, model))
            second = compute_metrics(["mae"], y, other)
            truth["gain mae"] = second["mae"] - truth["mae"]
        y, model, other, members = table(n, groups, random)
        weights = random.gamma(2.0, 0.5, n) if weighted else None
        compared = compare_outputs(
            "regression", "mae", y, {"model": model, "other": other}, groups=members, sample_weight=weights
        )
        own, gain = compared.metrics["model"], compared.gains["other"]
        return [(name, truth[name], *_bounds(own[name])) for name in names] + [
            ("gain mae", truth["gain mae"], *_bounds(gain))
        ]

    return draw


def chance_verdict(rare: int) -> Draw:
    """Return a draw of whether a verdict calls a model of chance alone better or worse than guessing."""

    def draw(random: np.random.Generator) -> list[tuple[str, float, float, float]]:
        y = _classes((200 - rare, rare))
        chance = np.clip(random.normal(rare / 200, 0.3 * rare / 200, 200), 0.001, 0.999)
        outputs = {
            "model": np.column_stack([1 - chance, chance]),
            "prior": np.tile([1 - rare / 200, rare / 200], (200, 1)),
        }
        gain = compare_outputs("binary", "roc_auc", y, outputs).gains["prior"]
        sentence = verdict_sentence("ROC AUC", {"prior": gain}, {"prior": "guessing"})
        wrong = sentence.startswith(("Better", "Worse"))
        return [("verdict", 0.0, 1.0 if wrong else 0.0, 2.0)]

    return draw
