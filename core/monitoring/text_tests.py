"""Tests of texts: their length, words that the reference lacks, and a classifier that tells the batches apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.monitoring.column_sketches import ColumnSketch, TextSketch
from core.monitoring.number_tests import compare_points
from core.monitoring.outcomes import DriftOutcome, TestContext, both_as, too_few
from core.monitoring.word_hashes import embed

__all__ = ["classify_texts", "compare_lengths", "compare_unknown_words", "unknown_shares"]

Array = NDArray[np.float64]


def compare_lengths(reference: ColumnSketch, current: ColumnSketch, context: TestContext) -> DriftOutcome:
    """Return Kolmogorov and Smirnov's test of the number of words per text."""
    before, now = both_as(TextSketch, reference, current)
    return compare_points("text_length", before.lengths, now.lengths, seed=context.seed)


def unknown_shares(sketch: TextSketch, vocabulary: TextSketch, *, own: bool) -> Array:
    """Return for each kept row with words the share of its words that no other row of the reference has.

    Parameters
    ----------
    sketch : TextSketch
        Column whose rows are looked at.
    vocabulary : TextSketch
        Column of the reference.
    own : bool
        Whether the rows are the reference's: then a word that only this row has is unknown as well, so that rows of
        both sides are treated alike.
    """
    known = np.isin(sketch.words, vocabulary.vocabulary[vocabulary.repeated] if own else vocabulary.vocabulary)
    lengths = np.diff(sketch.starts)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    unknown = np.bincount(rows, ~known, minlength=len(lengths))
    return np.asarray(unknown[lengths > 0] / lengths[lengths > 0])


def compare_unknown_words(reference: ColumnSketch, current: ColumnSketch, context: TestContext) -> DriftOutcome:
    """Return Welch's test (1947) of the mean share of words that the other rows of the reference do not have."""
    before, now = both_as(TextSketch, reference, current)
    first, other = unknown_shares(before, before, own=True), unknown_shares(now, before, own=False)
    few = too_few("unknown_words", len(first), len(other))
    if few is not None:
        return few
    from scipy.special import stdtr, stdtrit

    difference = float(other.mean() - first.mean())
    parts = first.var(ddof=1) / len(first), other.var(ddof=1) / len(other)
    values = {"reference": float(first.mean()), "current": float(other.mean())}
    variance = float(sum(parts))
    if variance == 0:
        return DriftOutcome("unknown_words", 0.0, 1.0 if difference == 0 else 0.0, abs(difference), values=values)
    freedom = variance**2 / (parts[0] ** 2 / (len(first) - 1) + parts[1] ** 2 / (len(other) - 1))
    error = float(np.sqrt(variance))
    half = float(stdtrit(freedom, 0.975)) * error
    low, high = abs(difference) - half, abs(difference) + half
    return DriftOutcome(
        "unknown_words",
        difference / error,
        float(2 * stdtr(freedom, -abs(difference) / error)),
        abs(difference),
        max(0.0, low),
        min(1.0, high),
        values=values,
    )


def classify_texts(reference: ColumnSketch, current: ColumnSketch, context: TestContext) -> DriftOutcome:
    """Return whether a classifier can tell texts of the two batches apart.

    Linear discriminant analysis on projections of the words is fitted on one half of the rows and tells the other half
    apart, and the other way around. Each half has an exact test of Mann and Whitney (1947), and the p-value is twice
    the smaller one (Bonferroni), which holds although the halves depend on each other. The idea is that of Lopez-Paz,
    Oquab (2017), "Revisiting classifier two-sample tests". The effect is 2 AUC - 1, and 0 below an AUC of 0.5.
    """
    before, now = both_as(TextSketch, reference, current)
    first, other = embed(before.words, before.starts), embed(now.words, now.starts)
    few = too_few("text_classifier", len(first), len(other))
    if few is not None:
        return few
    from scipy.stats import mannwhitneyu

    random = np.random.default_rng(context.seed)
    halves = [np.array_split(random.permutation(len(side)), 2) for side in (first, other)]
    areas, p_values = [], []
    for test in (0, 1):
        train = 1 - test
        weights = _direction(first[halves[0][train]], other[halves[1][train]])
        own, foreign = first[halves[0][test]] @ weights, other[halves[1][test]] @ weights
        result = mannwhitneyu(foreign, own, alternative="greater", method="asymptotic")
        areas.append(float(result.statistic) / (len(own) * len(foreign)))
        p_values.append(float(result.pvalue))
    area = float(np.mean(areas))
    error = float(np.sqrt((1 / len(first) + 1 / len(other)) / 12)) * 1.96
    return DriftOutcome(
        "text_classifier",
        area,
        min(1.0, 2 * min(p_values)),
        max(0.0, 2 * area - 1),
        max(0.0, 2 * (area - error) - 1),
        min(1.0, max(0.0, 2 * (area + error) - 1)),
        values={"auc": area},
    )


def _direction(first: Array, other: Array) -> Array:
    """Return the direction that separates two samples best: Fisher's discriminant (1936), a little shrunk."""
    centered = np.vstack([first - first.mean(axis=0), other - other.mean(axis=0)])
    within = centered.T @ centered / len(centered)
    ridge = 0.1 * float(np.trace(within)) / len(within) + 1e-9
    return np.asarray(np.linalg.solve(within + ridge * np.eye(len(within)), other.mean(axis=0) - first.mean(axis=0)))
