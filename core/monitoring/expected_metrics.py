"""Metrics that can be estimated without labels: one record each.

A metric of classes is a formula over the positives of each block of scores, be they counted or expected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.monitoring.score_blocks import ScoreBlocks
from core.registry import Registry

__all__ = ["ESTIMATED_METRICS", "BlockOutcomes", "EstimatedMetric"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BlockOutcomes:
    """Positives of blocks of scores, for several draws at once.

    Parameters
    ----------
    blocks : ScoreBlocks
        The blocks.
    positives : array of shape (draws, k)
        Positive rows of each block.
    expected : bool, default=False
        Whether these are expected numbers, of rows that are positive independently of each other; a row then makes no
        pair with itself.
    """

    blocks: ScoreBlocks
    positives: Array
    expected: bool = False

    @property
    def negatives(self) -> Array:
        """Negative rows of each block."""
        return np.asarray(self.blocks.count - self.positives)

    @property
    def true_positives(self) -> Array:
        """Positive rows that are selected."""
        return np.asarray(self.positives[:, self.blocks.selected].sum(axis=1))

    @property
    def false_positives(self) -> Array:
        """Negative rows that are selected."""
        return np.asarray(self.negatives[:, self.blocks.selected].sum(axis=1))

    @property
    def false_negatives(self) -> Array:
        """Positive rows that are not selected."""
        return np.asarray(self.positives[:, ~self.blocks.selected].sum(axis=1))

    @property
    def true_negatives(self) -> Array:
        """Negative rows that are not selected."""
        return np.asarray(self.negatives[:, ~self.blocks.selected].sum(axis=1))

    @property
    def own_pairs(self) -> Array:
        """Expected pairs of a positive and a negative row that are one row, in each block; these do not exist."""
        if not self.expected:
            return np.zeros_like(self.positives)
        return np.asarray(self.positives * self.negatives / np.maximum(self.blocks.count, 1))


def _ratio(numerator: Array, denominator: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(denominator > 0, numerator / denominator, np.nan)


def _roc_auc(outcomes: BlockOutcomes) -> Array:
    below = np.cumsum(outcomes.negatives, axis=1) - outcomes.negatives
    own = outcomes.own_pairs
    ordered = (outcomes.positives * below + (outcomes.positives * outcomes.negatives - own) / 2).sum(axis=1)
    pairs = outcomes.positives.sum(axis=1) * outcomes.negatives.sum(axis=1) - own.sum(axis=1)
    return _ratio(ordered, pairs)


def _average_precision(outcomes: BlockOutcomes) -> Array:
    hits = np.cumsum(outcomes.positives[:, ::-1], axis=1)
    selected = np.cumsum(outcomes.blocks.count[..., ::-1], axis=-1)
    # A positive row is surely among the hits at its own score.
    weighted = outcomes.positives[:, ::-1] * hits + outcomes.own_pairs[:, ::-1]
    return _ratio((weighted / np.maximum(selected, 1)).sum(axis=1), hits[:, -1])


def _accuracy(outcomes: BlockOutcomes) -> Array:
    return np.asarray((outcomes.true_positives + outcomes.true_negatives) / outcomes.blocks.rows)


def _recall(outcomes: BlockOutcomes) -> Array:
    return _ratio(outcomes.true_positives, outcomes.true_positives + outcomes.false_negatives)


def _specificity(outcomes: BlockOutcomes) -> Array:
    return _ratio(outcomes.true_negatives, outcomes.true_negatives + outcomes.false_positives)


def _precision(outcomes: BlockOutcomes) -> Array:
    return _ratio(outcomes.true_positives, outcomes.true_positives + outcomes.false_positives)


def _f1(outcomes: BlockOutcomes) -> Array:
    hits = 2 * outcomes.true_positives
    return _ratio(hits, hits + outcomes.false_positives + outcomes.false_negatives)


def _log_loss(outcomes: BlockOutcomes) -> Array:
    blocks = outcomes.blocks
    total = outcomes.positives @ blocks.loss_positive + outcomes.negatives @ blocks.loss_negative
    return np.asarray(total / blocks.rows)


def _brier_score(outcomes: BlockOutcomes) -> Array:
    blocks = outcomes.blocks
    total = outcomes.positives @ blocks.square_positive + outcomes.negatives @ blocks.square_negative
    return np.asarray(total / blocks.rows)


@dataclass(frozen=True)
class EstimatedMetric:
    """A metric that can be estimated without labels.

    Parameters
    ----------
    name : str
        Key in settings and results.
    title : str
        Usual name.
    larger_is_better : bool
        Direction of better.
    help : str
        One sentence about what the metric measures.
    formula : callable, optional
        Takes `BlockOutcomes` and returns an array of shape (draws,): a metric of two classes.
    needs_probabilities : bool, default=False
        Whether the score must be a probability, and not only rank the rows.
    error : {"absolute", "squared"}, optional
        Error of a row whose mean is the metric, or its square: a metric of predicted numbers.

    Examples
    --------
    >>> ESTIMATED_METRICS["roc_auc"].title, ESTIMATED_METRICS["rmse"].is_of_numbers
    ('ROC AUC', True)
    """

    name: str
    title: str
    larger_is_better: bool
    help: str
    formula: Callable[[BlockOutcomes], Array] | None = None
    needs_probabilities: bool = False
    error: Literal["absolute", "squared"] | None = None

    def __post_init__(self) -> None:
        if (self.formula is None) == (self.error is None):
            raise ValueError(f"The metric '{self.name}' needs either a formula or an error.")

    @property
    def is_of_numbers(self) -> bool:
        """Whether it is about predicted numbers, and not classes."""
        return self.error is not None


ESTIMATED_METRICS: Registry[EstimatedMetric] = Registry(
    "metric to estimate",
    [
        EstimatedMetric(
            "roc_auc", "ROC AUC", True, "How often a positive row has a higher score than a negative one.", _roc_auc
        ),
        EstimatedMetric("accuracy", "Accuracy", True, "Share of rows with the right decision.", _accuracy),
        EstimatedMetric(
            "balanced_accuracy",
            "Balanced accuracy",
            True,
            "Mean of recall and specificity.",
            lambda outcomes: (_recall(outcomes) + _specificity(outcomes)) / 2,
        ),
        EstimatedMetric("precision", "Precision", True, "Share of the selected rows that are positive.", _precision),
        EstimatedMetric("recall", "Recall", True, "Share of the positive rows that are selected.", _recall),
        EstimatedMetric(
            "specificity", "Specificity", True, "Share of the negative rows that are not selected.", _specificity
        ),
        EstimatedMetric("f1", "F1", True, "Harmonic mean of precision and recall.", _f1),
        EstimatedMetric(
            "average_precision",
            "Average precision",
            True,
            "Mean precision over all thresholds, weighted by the gain in recall.",
            _average_precision,
        ),
        EstimatedMetric(
            "log_loss",
            "Log loss",
            False,
            "Mean negative logarithm of the true class's probability.",
            _log_loss,
            needs_probabilities=True,
        ),
        EstimatedMetric(
            "brier_score",
            "Brier score",
            False,
            "Mean squared distance of the probability from the outcome.",
            _brier_score,
            needs_probabilities=True,
        ),
        EstimatedMetric("mae", "MAE", False, "Mean absolute error, in the target's unit.", error="absolute"),
        EstimatedMetric("rmse", "RMSE", False, "Root of the mean squared error.", error="squared"),
    ],
)
"""Metrics that can be estimated without labels, by name."""
