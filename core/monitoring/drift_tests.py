"""The tests of drift: one record each, by the type of column that it is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.monitoring.category_tests import MANY_LEVELS, compare_levels, level_table, permute_levels
from core.monitoring.column_sketches import CategorySketch, ColumnSketch, ColumnType
from core.monitoring.date_tests import compare_ages, compare_dates
from core.monitoring.number_tests import compare_numbers
from core.monitoring.outcomes import DriftOutcome, TestContext, both_as
from core.monitoring.text_tests import classify_texts, compare_lengths, compare_unknown_words
from core.registry import Registry

__all__ = ["DRIFT_TESTS", "DriftTest", "choose_tests"]


def _always(reference: ColumnSketch, current: ColumnSketch) -> bool:
    return True


def _never(reference: ColumnSketch, current: ColumnSketch) -> bool:
    return False


def _has_many_levels(reference: ColumnSketch, current: ColumnSketch) -> bool:
    before, now = both_as(CategorySketch, reference, current)
    return len(level_table(before, now).pooled[0]) > MANY_LEVELS


def _has_few_levels(reference: ColumnSketch, current: ColumnSketch) -> bool:
    return not _has_many_levels(reference, current)


@dataclass(frozen=True)
class DriftTest:
    """A test of whether two columns are samples of one distribution.

    Parameters
    ----------
    name : str
        Key that reports use.
    title : str
        Name on pages and in reports.
    types : tuple of str
        Types of columns that it is for.
    help : str
        Explanation for the title.
    run : callable
        Takes the columns of the reference and of the batch, and a `TestContext`; returns a `DriftOutcome`.
    applies : callable, optional
        Takes both columns and returns whether it is one of the tests that are done unless others are chosen.

    Examples
    --------
    >>> DRIFT_TESTS["ks"].title, DRIFT_TESTS["ks"].types
    ('Kolmogorov–Smirnov', ('number',))
    """

    name: str
    title: str
    types: tuple[ColumnType, ...]
    help: str
    run: Callable[[ColumnSketch, ColumnSketch, TestContext], DriftOutcome]
    applies: Callable[[ColumnSketch, ColumnSketch], bool] = _always


DRIFT_TESTS: Registry[DriftTest] = Registry(
    "test of drift",
    [
        DriftTest(
            "ks",
            "Kolmogorov–Smirnov",
            ("number",),
            "Largest distance of the two distribution functions; 0 where they are equal, 1 where they do not overlap.",
            compare_numbers,
        ),
        DriftTest(
            "chi2",
            "Chi-square",
            ("category",),
            "Shares of the levels, rare ones together; the effect is the share of rows that changed their level.",
            compare_levels,
            _has_few_levels,
        ),
        DriftTest(
            "chi2_permutation",
            "Chi-square by permutation",
            ("category",),
            "Shares of more than 50 levels, judged by random permutations of the rows.",
            permute_levels,
            _has_many_levels,
        ),
        DriftTest(
            "recency",
            "Age of dates",
            ("date",),
            "Time from each date to the moment of its batch.",
            compare_ages,
        ),
        DriftTest(
            "dates",
            "Dates themselves",
            ("date",),
            "Dates that do not follow the batch, such as dates of birth.",
            compare_dates,
            _never,
        ),
        DriftTest("text_length", "Length of texts", ("text",), "Number of words per text.", compare_lengths),
        DriftTest(
            "unknown_words",
            "Unknown words",
            ("text",),
            "Mean share of a text's words that the reference does not have.",
            compare_unknown_words,
        ),
        DriftTest(
            "text_classifier",
            "Classifier of texts",
            ("text",),
            "How well a classifier tells texts of the two batches apart; 0 is not at all.",
            classify_texts,
        ),
    ],
)
"""Tests of drift by name; missing cells have their own, which every column gets."""


def choose_tests(reference: ColumnSketch, current: ColumnSketch) -> list[DriftTest]:
    """Return the tests that are done for two columns of the same type unless others are chosen.

    Examples
    --------
    >>> import pandas as pd
    >>> from core.monitoring import sketch
    >>> column = sketch(pd.DataFrame({"x": [1.0, 2.0]}))["x"]
    >>> [test.name for test in choose_tests(column, column)]
    ['ks']
    """
    own = [test for test in DRIFT_TESTS.values() if reference.type in test.types]
    return [test for test in own if test.applies(reference, current)]
