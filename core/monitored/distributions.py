"""A column's values in the reference and in a batch, as shares of rows that a chart can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from core.monitoring import BatchSketch

__all__ = ["BATCH", "MISSING", "OTHERS", "REFERENCE_ROWS", "distribution"]

REFERENCE_ROWS, BATCH = "Reference", "Batch"
MISSING, OTHERS = "(missing)", "(others)"
_BINS = 24
_MOST_LEVELS = 12


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
        rows ("Reference" or "Batch") and share, with value for categories, texts by their number of words and
        missing cells, or low and high (ends of a bin; the outer bins hold what lies beyond them, too) for numbers and
        dates. Empty where the values are not kept, or not of one type.
    """
    import pandas as pd

    first, other = reference.columns.get(name), current.columns.get(name)
    names = ["rows", "share", "value", "low", "high"]
    if first is None or other is None or first.type != other.type:
        return pd.DataFrame(columns=names)
    sides = ((REFERENCE_ROWS, first), (BATCH, other))
    records: list[dict[str, object]] = []
    points = [getattr(side, "values", None) or getattr(side, "lengths", None) for _, side in sides]
    if points[0] is not None and points[1] is not None and points[0].rows and points[1].rows:
        ends = np.concatenate([item.quantiles(np.array([0.005, 0.995])) for item in points])
        low, high = ends.min(), ends.max()
        edges = np.linspace(low, high if high > low else low + 1.0, _BINS + 1)
        for (label, side), item in zip(sides, points, strict=True):
            upto = item.share_upto(edges[1:-1])
            shares = np.diff(np.concatenate([[0.0], upto, [1.0]])) * (1 - side.missing_share)
            records += [
                {"rows": label, "share": float(share), "low": float(start), "high": float(end)}
                for share, start, end in zip(shares, edges[:-1], edges[1:], strict=True)
            ]
    elif first.type == "category":
        counts = [dict(zip(side.levels, side.counts.tolist(), strict=True)) for _, side in sides]
        rows = [side.rows for _, side in sides]
        known = sorted(
            {*counts[0], *counts[1]},
            key=lambda level: -max(own.get(level, 0) / size for own, size in zip(counts, rows, strict=True)),
        )
        for (label, side), own in zip(sides, counts, strict=True):
            shares = {level: own.get(level, 0) / side.rows for level in known[:_MOST_LEVELS]}
            if len(known) > _MOST_LEVELS or side.rest:
                shares[OTHERS] = max(1 - side.missing_share - sum(shares.values()), 0.0)
            records += [{"rows": label, "share": share, "value": level} for level, share in shares.items()]
    if records and (first.missing or other.missing):
        records += [{"rows": label, "share": side.missing_share, "value": MISSING} for label, side in sides]
    return pd.DataFrame(records, columns=names)
