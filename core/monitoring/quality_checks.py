"""The checks of a batch as data: one record each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.datasets import Finding
from core.monitoring.batch_checks import check_dates, check_duplicates
from core.monitoring.batch_sketch import BatchSketch
from core.monitoring.schema_checks import check_order, check_schema, check_types
from core.monitoring.unit_checks import check_units
from core.monitoring.value_checks import (
    check_constants,
    check_missing,
    check_new_levels,
    check_range,
    check_shuffled,
)
from core.registry import Registry

__all__ = ["QUALITY_CHECKS", "QualityCheck", "check_quality"]


@dataclass(frozen=True)
class QualityCheck:
    """A check of a batch as data.

    Parameters
    ----------
    name : str
        Key of the check.
    title : str
        Name on pages.
    help : str
        Explanation of what is looked for.
    run : callable
        Takes the sketches of the reference and of the batch, and the names of the columns; returns findings.

    Examples
    --------
    >>> QUALITY_CHECKS["units"].title
    'Units'
    """

    name: str
    title: str
    help: str
    run: Callable[[BatchSketch, BatchSketch, Sequence[str]], list[Finding]]


QUALITY_CHECKS: Registry[QualityCheck] = Registry(
    "check of a batch",
    [
        QualityCheck(
            "schema", "Columns", "Columns that are missing, additional, or there by another name.", check_schema
        ),
        QualityCheck("types", "Types", "Columns whose cells are of another type.", check_types),
        QualityCheck("order", "Order of the columns", "Columns that come in another order.", check_order),
        QualityCheck("units", "Units", "Numbers that are, say, 1,000 times as large.", check_units),
        QualityCheck("shuffled", "Exchanged labels", "Levels whose frequencies changed places.", check_shuffled),
        QualityCheck("new_levels", "New levels", "Levels that the reference does not have.", check_new_levels),
        QualityCheck("range", "Range", "Numbers outside of the reference's range.", check_range),
        QualityCheck("missing", "Missing values", "Cells that are missing more or less often.", check_missing),
        QualityCheck("constants", "Constant columns", "Columns with one value in all rows.", check_constants),
        QualityCheck("dates", "Freshness", "Dates that are old, or later than their batch.", check_dates),
        QualityCheck("duplicates", "Duplicate rows", "Rows that are exact copies of another row.", check_duplicates),
    ],
)
"""Checks of a batch by name, in the order of a report."""

_LEVELS = {"alert": 0, "notice": 1, "passed": 2}


def check_quality(
    reference: BatchSketch, current: BatchSketch, *, columns: Sequence[str] | None = None
) -> tuple[Finding, ...]:
    """Return what is wrong, or new, about a batch as data; alerts first.

    Parameters
    ----------
    reference, current : BatchSketch
        Sketches of both sides.
    columns : sequence of str, optional
        Columns of the reference to look at; all by default. Additional columns of the batch are looked at in any case.

    Examples
    --------
    >>> import pandas as pd
    >>> from core.monitoring import sketch
    >>> before = sketch(pd.DataFrame({"income": range(0, 900, 3), "age": [30, 40, 50] * 100}))
    >>> now = sketch(pd.DataFrame({"Income_EUR": range(0, 900, 3), "age": [30, 40, 50] * 100}))
    >>> [finding.message for finding in check_quality(before, now)]
    ["'income' is missing; 'Income_EUR' looks like it."]
    """
    names = list(reference.columns) if columns is None else [name for name in reference.columns if name in columns]
    findings = [finding for check in QUALITY_CHECKS.values() for finding in check.run(reference, current, names)]
    return tuple(sorted(findings, key=lambda finding: _LEVELS[finding.level]))
