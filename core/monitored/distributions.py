"""A column's values in the reference and in a batch, as shares of rows that a chart can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.monitoring import CategorySketch, ColumnSketch, DateSketch, NumberSketch, TextSketch

if TYPE_CHECKING:
    import pandas as pd

    from core.monitoring import BatchSketch, QuantilePoints

__all__ = ["BATCH", "MISSING", "OTHERS", "REFERENCE_ROWS", "distribution"]

REFERENCE_ROWS, BATCH = "Reference", "Batch"
MISSING, OTHERS = "(missing)", "(others)"
_BINS = 24
_MOST_LEVELS = 12
_COLUMNS = ["rows", "share", "value", "low", "high"]
Records = list[dict[str, object]]


def distribution(name: str, reference: BatchSketch, current: BatchSketch) -> pd.DataFrame:
    """Return the shares of a column's values on both sides.

    Parameters
    ----------
    name : str
        Name of the column.
    reference, current : BatchSketch
        The sketches.

    Returns
    -------
    DataFrame
        rows ("Reference" or "Batch") and share, with value for categories and missing cells, or low and high (ends of
        a bin; the outer bins hold the values beyond them, too) for numbers, dates and the number of words of texts.
        Empty where the values are not kept, or not of one type.

    Examples
    --------
    >>> import pandas as pd
    >>> from core.monitoring import sketch
    >>> before, now = (sketch(pd.DataFrame({"plan": ["basic"] * 30 + ["plus"] * rows})) for rows in (10, 30))
    >>> distribution("plan", before, now)[["rows", "value", "share"]].to_dict("split")["data"][:2]
    [['Reference', 'basic', 0.75], ['Reference', 'plus', 0.25]]
    """
    import pandas as pd

    first, other = reference.columns.get(name), current.columns.get(name)
    if first is None or other is None or first.type != other.type:
        return pd.DataFrame(columns=_COLUMNS)
    if isinstance(first, CategorySketch) and isinstance(other, CategorySketch):
        records = _levels(first, other)
    else:
        records = _bins(first, other)
    if records and (first.missing or other.missing):
        sides = ((REFERENCE_ROWS, first), (BATCH, other))
        records += [{"rows": label, "share": side.missing_share, "value": MISSING} for label, side in sides]
    return pd.DataFrame(records, columns=_COLUMNS)


def _points(column: ColumnSketch) -> QuantilePoints | None:
    if isinstance(column, NumberSketch | DateSketch):
        return column.values
    return column.lengths if isinstance(column, TextSketch) else None


def _bins(first: ColumnSketch, other: ColumnSketch) -> Records:
    before, now = _points(first), _points(other)
    if before is None or now is None or not before.rows or not now.rows:
        return []
    ends = np.concatenate([points.quantiles(np.array([0.005, 0.995])) for points in (before, now)])
    low, high = float(ends.min()), float(ends.max())
    edges = np.linspace(low, high if high > low else low + 1.0, _BINS + 1)
    records: Records = []
    for label, column, points in ((REFERENCE_ROWS, first, before), (BATCH, other, now)):
        upto = np.concatenate([[0.0], points.share_upto(edges[1:-1]), [1.0]])
        shares = np.diff(upto) * (1 - column.missing_share)
        records += [
            {"rows": label, "share": float(share), "low": float(start), "high": float(end)}
            for share, start, end in zip(shares, edges[:-1], edges[1:], strict=True)
        ]
    return records


def _levels(first: CategorySketch, other: CategorySketch) -> Records:
    shares = [
        {level: count / column.rows for level, count in zip(column.levels, column.counts.tolist(), strict=True)}
        for column in (first, other)
    ]
    known = sorted({*shares[0], *shares[1]}, key=lambda level: -max(side.get(level, 0.0) for side in shares))
    records: Records = []
    for label, column, own in ((REFERENCE_ROWS, first, shares[0]), (BATCH, other, shares[1])):
        shown = {level: own.get(level, 0.0) for level in known[:_MOST_LEVELS]}
        if len(known) > _MOST_LEVELS or first.rest or other.rest:
            shown[OTHERS] = max(1 - column.missing_share - sum(shown.values()), 0.0)
        records += [{"rows": label, "share": share, "value": level} for level, share in shown.items()]
    return records
