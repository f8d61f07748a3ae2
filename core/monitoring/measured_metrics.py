"""The metrics that can be estimated, measured on labels, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.evaluation import Estimate, estimate, mover, normal_quantile, wilson
from core.monitoring.cell_values import level_text
from core.monitoring.class_estimation import CLASS_METRICS
from core.monitoring.expected_metrics import EstimatedMetric

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["measure", "measure_classes"]

Array = NDArray[np.float64]

_OF_EVALUATION = ("roc_auc", "average_precision", "log_loss", "mae", "rmse")
_MIN_UNITS = 8
_SMALLEST = 1e-15


def measure(
    metric: EstimatedMetric,
    truth: NDArray[np.generic],
    score: Array,
    *,
    threshold: float = 0.5,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Return a metric of labels and scores with its interval.

    Shares have Wilson's interval, F1 that of the Jaccard index mapped, balanced accuracy MOVER's; areas, log loss and
    errors have those of `core.evaluation.estimate`.

    Parameters
    ----------
    metric : EstimatedMetric
        Metric.
    truth : array of shape (n,)
        Whether a row is positive, or its number.
    score : array of shape (n,)
        Score, or predicted number.
    threshold : float, default=0.5
        Score from which a row is selected.
    confidence : float, default=0.95
        Probability with which the interval holds the value.
    seed : int, default=0
        Seed of the bootstrap of intervals of errors.
    """
    if metric.is_of_numbers:
        return estimate(metric.name, truth, score, confidence=confidence, seed=seed)
    positive = truth.astype(bool)
    n, positives = len(positive), int(positive.sum())
    if metric.name in _OF_EVALUATION:
        if positives in (0, n):
            return Estimate(float("nan"), None, None, n, reason="no interval: all labels are of one class")
        return estimate(metric.name, positive.astype(np.int64), score, confidence=confidence, seed=seed)
    selected = score >= threshold
    hits, extra = int((positive & selected).sum()), int((~positive & selected).sum())
    missed, rest = positives - hits, n - positives - extra
    if metric.name == "balanced_accuracy":
        parts = [(hits, positives), (rest, n - positives)]
        values = [part / of if of else float("nan") for part, of in parts]
        bounds = [wilson(part, of, confidence) for part, of in parts]
        low, high = mover(values[0], bounds[0], values[1], bounds[1], sign=1)
        return _checked(sum(values) / 2, float(low) / 2, float(high) / 2, n)
    if metric.name == "brier_score":
        losses = (score - positive) ** 2
        half = normal_quantile(confidence) * float(losses.std()) / np.sqrt(max(n, 1))
        mean = float(losses.mean()) if n else float("nan")
        return _checked(mean, max(0.0, mean - half), min(1.0, mean + half), n)
    counts = {
        "accuracy": (hits + rest, n),
        "precision": (hits, hits + extra),
        "recall": (hits, positives),
        "specificity": (rest, n - positives),
        "f1": (hits, hits + extra + missed),
    }
    part, of = counts[metric.name]
    low, high = wilson(part, of, confidence)
    value = part / of if of else float("nan")
    if metric.name == "f1":  # a monotone function of the Jaccard index
        return _checked(_dice(value), _dice(float(low)), _dice(float(high)), of)
    return _checked(value, float(low), float(high), of)


def measure_classes(
    metric: EstimatedMetric,
    labels: pd.Series,
    scores: Array,
    names: Sequence[str],
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Return a metric of several classes with its interval, as `core.evaluation.estimate` computes it.

    Parameters
    ----------
    metric : EstimatedMetric
        Metric: roc_auc, accuracy, balanced_accuracy or log_loss.
    labels : Series of length n
        Labels of the rows.
    scores : array of shape (n, k)
        Probabilities.
    names : sequence of str
        Labels of the columns of probabilities.
    confidence : float, default=0.95
        Probability with which the interval holds the value.
    seed : int, default=0
        Seed of the bootstrap of intervals of errors.
    """
    if metric.name not in CLASS_METRICS:
        reason = f"no interval: {metric.title} is about two classes, and there are {len(names)}"
        return Estimate(float("nan"), None, None, len(labels), reason=reason)
    texts = labels.map(level_text).to_numpy(dtype=str)
    absent = sorted(set(names) - set(texts))
    if not set(texts) <= set(names):
        odd = sorted(set(texts) - set(names))[0]
        reason = f"no interval: the model gives no probability of '{odd}' so far"
        return Estimate(float("nan"), None, None, len(labels), reason=reason)
    if absent and metric.name == "accuracy":  # a batch without a rare class is as usual
        right = int((np.array(names)[scores.argmax(axis=1)] == texts).sum())
        low, high = wilson(right, len(texts), confidence)
        return _checked(right / len(texts), float(low), float(high), len(texts))
    if absent and metric.name == "log_loss":
        own = scores[np.arange(len(texts)), [list(names).index(text) for text in texts]]
        losses = -np.log(np.clip(own / scores.sum(axis=1), _SMALLEST, 1))
        half = normal_quantile(confidence) * float(losses.std(ddof=1)) / np.sqrt(len(losses)) if len(losses) > 1 else 0
        mean = float(losses.mean())
        return _checked(mean, max(0.0, mean - half), mean + half, len(losses))
    if absent:
        reason = f"no interval: no row has the label '{absent[0]}' so far"
        return Estimate(float("nan"), None, None, len(labels), reason=reason)
    order = np.argsort(np.array(names))  # probabilities of the labels in their sorted order
    return estimate(metric.name, texts, scores[:, order], confidence=confidence, seed=seed)


def _dice(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)


def _checked(value: float, low: float, high: float, n: int) -> Estimate:
    if np.isfinite(value) and n >= _MIN_UNITS:
        return Estimate(value, low, high, n)
    reason = f"no interval: {n:,} rows count for it" if np.isfinite(value) else "no interval: no row counts for it"
    return Estimate(value, None, None, n, reason=reason)
