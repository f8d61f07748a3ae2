"""Scores as probabilities: isotonic calibration on the reference, and whether it can be relied on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.monitoring.score_blocks import block_codes

__all__ = ["CalibrationCheck", "ScoreCalibration", "check_calibration"]

Array = NDArray[np.float64]

_FOLDS = 5
_BINS = 20
_BLOCKS = 1_000
_SURE = 1e-3
_LARGE_ERROR = 0.02


@dataclass(frozen=True, eq=False)
class ScoreCalibration:
    """Isotonic regression of labels on scores (Zadrozny, Elkan 2002), gathered in blocks of scores.

    Parameters
    ----------
    score : array of shape (k,)
        Mean score of each block, ascending.
    count, positives : array of shape (k,)
        Rows of each block, and positive ones among them.
    """

    score: Array
    count: Array
    positives: Array

    @classmethod
    def of(
        cls, scores: Array, truth: NDArray[np.bool_], limit: int | None = _BLOCKS, *, threshold: float = 0.5
    ) -> ScoreCalibration:
        """Return the blocks of a reference's scores.

        Parameters
        ----------
        scores : array of shape (n,)
            Scores of the rows.
        truth : array of bool of shape (n,)
            Whether a row is positive.
        limit : int, default=1000
            Number of blocks at most, about.
        threshold : float, default=0.5
            Score at which a block ends.
        """
        codes = block_codes(scores, threshold=threshold, limit=limit)
        count = np.bincount(codes).astype(np.float64)
        return cls(np.bincount(codes, scores) / count, count, np.bincount(codes, truth).astype(np.float64))

    def fit(self, count: Array | None = None, positives: Array | None = None) -> Array:
        """Return the probability of each block: the isotonic fit to its share of positives, moved inside of 0 and 1.

        Parameters
        ----------
        count, positives : array of shape (k,), optional
            Other rows of the blocks, such as those of a resample.
        """
        from scipy.optimize import isotonic_regression

        rows = self.count if count is None else count
        hits = self.positives if positives is None else positives
        present = rows > 0
        fitted = isotonic_regression(hits[present] / rows[present], weights=rows[present]).x
        return np.asarray(np.interp(self.score, self.score[present], _inside(fitted, rows[present])))

    def resampled(self, random: np.random.Generator, draws: int) -> tuple[Array, Array, Array]:
        """Return rows, positives and probabilities of the blocks for halves of the rows, of shape (draws, k) each.

        A random half differs from all rows as much as these differ from the truth (half-samples, McCarthy 1969). The
        bootstrap of all rows does not hold for isotonic fits.
        """
        total, hits = self.count.astype(np.int64), self.positives.astype(np.int64)
        count = random.multivariate_hypergeometric(total, int(total.sum()) // 2, draws, method="marginals")
        positives = random.hypergeometric(hits, total - hits, count)
        rows, drawn = count.astype(np.float64), positives.astype(np.float64)
        return rows, drawn, np.stack([self.fit(*pair) for pair in zip(rows, drawn, strict=True)])

    def at(self, scores: Array, fitted: Array) -> Array:
        """Return the probabilities of scores, linear between blocks.

        Parameters
        ----------
        scores : array of shape (m,)
            Scores of other rows.
        fitted : array of shape (k,)
            Probability of each block.
        """
        return np.asarray(np.interp(scores, self.score, fitted))


def _inside(fitted: Array, rows: Array) -> Array:
    """Return probabilities without 0 and 1: n rows without a positive one have (0 + 1/2) / (n + 1), as Jeffreys' prior.

    At the ends isotonic regression is sure of what it has seen, and so expects too good a model.
    """
    low, high = fitted <= 0, fitted >= 1
    inner = fitted[~low & ~high]
    least = min(0.5 / (float(rows[low].sum()) + 1), *inner[:1], 0.5)
    most = max(1 - 0.5 / (float(rows[high].sum()) + 1), *inner[-1:], 0.5)
    return np.where(low, least, np.where(high, most, fitted))


@dataclass(frozen=True)
class CalibrationCheck:
    """Whether calibrated scores agree with labels that they were not fitted to.

    Parameters
    ----------
    p : float
        P-value of the test that shares of positives are as large as predicted, over 20 bins of the score.
    error : float
        Mean distance of shares and predictions over the bins, less what chance gives.
    loss_calibrated, loss_raw : float
        Brier score of calibrated and of raw scores; that of raw ones is infinite where they are not probabilities.
    """

    p: float
    error: float
    loss_calibrated: float
    loss_raw: float

    @property
    def is_bad(self) -> bool:
        """Whether predictions are surely off, by more than 0.02 on average."""
        return self.p < _SURE and self.error > _LARGE_ERROR

    @property
    def raw_is_better(self) -> bool:
        """Whether scores are better probabilities as they are."""
        return self.loss_raw <= self.loss_calibrated


def check_calibration(scores: Array, truth: NDArray[np.bool_], *, seed: int = 0) -> CalibrationCheck:
    """Return whether isotonic calibration holds on rows that it was not fitted to, by five-fold cross-validation.

    The test is that of Hosmer and Lemeshow (1980) over bins of the *score*: where higher scores do not mean higher
    probabilities, isotonic regression evens them out and fails there.

    Parameters
    ----------
    scores : array of shape (n,)
        Scores of the rows.
    truth : array of bool of shape (n,)
        Whether a row is positive.
    seed : int, default=0
        Seed of the random number generator that draws the folds.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> score = random.random(2_000)
    >>> truth = random.random(2_000) < score
    >>> check_calibration(score, truth).is_bad, check_calibration(-score, truth).is_bad
    (False, True)
    """
    from scipy.special import chdtrc

    folds = np.random.default_rng(seed).permutation(len(scores)) % _FOLDS
    predicted = np.empty(len(scores))
    for fold in range(_FOLDS):
        train, test = folds != fold, folds == fold
        calibration = ScoreCalibration.of(scores[train], truth[train])
        predicted[test] = calibration.at(scores[test], calibration.fit())
    codes = block_codes(scores, threshold=0.5, limit=_BINS)
    surplus = np.bincount(codes, truth - predicted)
    variance = np.bincount(codes, np.maximum(predicted * (1 - predicted), 1e-4))
    p = float(chdtrc(len(variance), float((surplus**2 / variance).sum())))
    by_chance = float(np.sqrt(2 / np.pi * variance).sum())
    raw = float(((scores - truth) ** 2).mean()) if scores.min() >= 0 and scores.max() <= 1 else float("inf")
    error = max(0.0, float(np.abs(surplus).sum()) - by_chance) / len(scores)
    return CalibrationCheck(p, error, float(((predicted - truth) ** 2).mean()), raw)
