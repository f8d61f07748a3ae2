"""Compares a batch with its reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from core.columns import require_columns
from core.errors import InputError, SettingsError
from core.monitoring.adjustment import adjust_p_values
from core.monitoring.batch_sketch import BatchSketch
from core.monitoring.column_drift import ColumnDrift
from core.monitoring.column_sketches import COLUMN_TYPES
from core.monitoring.column_tests import ColumnTests, run_column_tests
from core.monitoring.drift_report import DriftReport
from core.monitoring.drift_tests import DRIFT_TESTS
from core.monitoring.outcomes import TestContext
from core.monitoring.quality_checks import check_quality
from core.monitoring.sketching import sketch

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare"]

Batch: TypeAlias = "pd.DataFrame | BatchSketch"


def compare(
    reference: Batch,
    current: Batch,
    *,
    columns: Sequence[str] | None = None,
    score: str | None = None,
    importance: Mapping[str, float] | None = None,
    tests: Mapping[str, str] | None = None,
    alpha: float = 0.05,
    relevance: float = 0.05,
    seed: int = 0,
) -> DriftReport:
    """Compare a batch with a reference, column by column.

    A column drifted where a change is significant after all columns are taken into account (Benjamini, Hochberg
    1995), and is large enough to matter: for many rows everything is significant, and for few large changes are
    chance. The tests of a column, of its values and of how often they are missing, count together (Bonferroni).

    Parameters
    ----------
    reference, current : DataFrame or BatchSketch
        Rows that the batch is compared with, and the batch. Of tables sketches are made; those of up to 10,000 rows
        are compared exactly.
    columns : sequence of str, optional
        Columns to compare; by default all that both have.
    score : str, optional
        Column of the model's score, which is tested by itself; by default that of the reference's sketch.
    importance : mapping of str to float, optional
        Importance of columns to the model, by which the report is ordered.
    tests : mapping of str to str, optional
        Keys of `DRIFT_TESTS` by column, in place of those of the column's type.
    alpha : float, default=0.05
        Level of the tests: the share of false ones among the columns that are said to have drifted, on average.
    relevance : float, default=0.05
        Size of an effect, from 0 to 1, from which a significant change counts.
    seed : int, default=0
        Seed of the random number generator of permutations.

    Returns
    -------
    DriftReport

    Raises
    ------
    InputError
        When a batch has no rows, a column is unknown, or the batches have no column in common.
    SettingsError
        When a test is unknown or does not fit its column, or a level is not between 0 and 1.

    See Also
    --------
    sketch : What is kept of a batch.
    judge_look : Whether the result is worth a look or an alarm, in a series of batches.

    Examples
    --------
    >>> import pandas as pd
    >>> before = pd.DataFrame({"plan": ["basic"] * 80 + ["plus"] * 20, "seats": [1, 2, 3, 4] * 25})
    >>> after = pd.DataFrame({"plan": ["basic"] * 40 + ["plus"] * 60, "seats": [1, 2, 3, 4] * 25})
    >>> report = compare(before, after)
    >>> report.columns.loc["plan", ["test", "drifted"]].to_dict()
    {'test': 'chi2', 'drifted': True}
    >>> report["plan"].reason
    'about 34 of 100 rows are on another level than before [21, 51]'
    """
    for name, value in (("alpha", alpha), ("relevance", relevance)):
        if not 0 < value < 1:
            raise SettingsError(f"The setting '{name}' is {value}.", "Give a number between 0 and 1.")
    first = reference if isinstance(reference, BatchSketch) else _reference_sketch(reference, columns, score)
    other = current if isinstance(current, BatchSketch) else _current_sketch(current, first, columns)
    wanted = _columns(first, other, columns, score)
    for name, test in (tests or {}).items():
        require_columns(wanted, [name], what="The comparison")
        if first.columns[name].type not in DRIFT_TESTS.require(test).types:
            raise SettingsError(
                f"The test '{test}' does not fit the column '{name}' of {COLUMN_TYPES[first.columns[name].type]}.",
                f"Choose a test for this type, such as {_test_names(first.columns[name].type)}.",
            )
    score = score or first.score
    context = TestContext(first, other, seed)
    results = {name: run_column_tests(name, context, (tests or {}).get(name)) for name in wanted}
    own = results.pop(score, None) if score is not None else None
    judged = _judge(list(results.values()), alpha, relevance, importance or {})
    judged.sort(key=lambda result: (-(result.importance or 0.0), not result.drifted, -result.size, result.name))
    return DriftReport(
        results=tuple(judged),
        score=None if own is None else _judge([own], alpha, relevance, {})[0],
        data_quality=check_quality(first, other, columns=columns),
        alpha=alpha,
        relevance=relevance,
        reference_rows=first.rows,
        current_rows=other.rows,
    )


def _test_names(type_name: str) -> str:
    names = [test.name for test in DRIFT_TESTS.values() if type_name in test.types]
    return ", ".join(names) or "another column"


def _reference_sketch(frame: pd.DataFrame, columns: Sequence[str] | None, score: str | None) -> BatchSketch:
    named = [*(columns or ()), *((score,) if score is not None else ())]
    require_columns(frame.columns, named, what="The reference")
    return sketch(frame, columns=None if columns is None else list(dict.fromkeys(named)), score=score)


def _current_sketch(frame: pd.DataFrame, reference: BatchSketch, columns: Sequence[str] | None) -> BatchSketch:
    wanted = None if columns is None else list(dict.fromkeys([*columns, *filter(None, [reference.score])]))
    if wanted is not None and set(wanted) <= set(frame.columns):
        return sketch(frame, columns=wanted, like=reference)
    return sketch(frame, like=reference)  # a column that lacks may be there by another name


def _columns(
    reference: BatchSketch, current: BatchSketch, columns: Sequence[str] | None, score: str | None
) -> list[str]:
    """Return the columns to compare, in the order of the reference."""
    if score is not None:
        require_columns(reference.columns, [score], what="The reference")
    if columns is not None:
        require_columns(reference.columns, columns, what="The reference")
    wanted = [
        name
        for name in reference.columns
        if name in current.columns and (columns is None or name in columns or name == (score or reference.score))
    ]
    if not wanted:
        raise InputError(
            "The batch and its reference have no column in common.",
            f"The reference has {', '.join(repr(name) for name in list(reference.columns)[:5])}; "
            f"the batch has {', '.join(repr(name) for name in list(current.columns)[:5])}.",
        )
    return wanted


def _judge(
    results: list[ColumnTests], alpha: float, relevance: float, importance: Mapping[str, float]
) -> list[ColumnDrift]:
    """Return the results of columns that are judged together."""
    p_values = {item.name: item.p for item in results if item.p is not None}
    adjusted = dict(zip(p_values, adjust_p_values(list(p_values.values())).tolist(), strict=True))
    significant = [p_values[name] for name, value in adjusted.items() if value < alpha]
    limit = max(significant, default=-np.inf)
    return [item.judge(adjusted.get(item.name), limit, alpha, relevance, importance.get(item.name)) for item in results]
