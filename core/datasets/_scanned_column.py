"""A column while its table is profiled: what the queries have found, and the profile that follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core.datasets._column_profile import BINS, QUANTILES, ColumnProfile

__all__ = ["ScannedColumn", "finish", "histogram_range"]

_SIGNED = ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "HUGEINT")
_INTEGERS = (*_SIGNED, *(f"U{kind}" for kind in _SIGNED))
_NUMBERS = (*_INTEGERS, "DOUBLE", "FLOAT")
_EPOCH = datetime(1970, 1, 1)


@dataclass
class ScannedColumn:
    """A column that is profiled.

    Parameters
    ----------
    name : str
        Name as DuckDB returns it, which ignores case when it makes names unique.
    dtype : str
        Type in the stored table.
    label : str
        Name for users.
    low, high : float, optional
        Smallest and largest finite value, of dates as microseconds since 1970.
    facts : dict
        Results of the queries by name.
    top : list of (str, int), default=[]
        Most frequent values with their counts.
    exact : bool, default=False
        Whether all distinct values were counted.
    """

    name: str
    dtype: str
    label: str
    low: float | None = None
    high: float | None = None
    facts: dict[str, Any] = field(default_factory=lambda: {"values": 0, "distinct": 0})
    top: list[tuple[str, int]] = field(default_factory=list)
    exact: bool = False

    @property
    def family(self) -> str:
        """Kind of values, by the type: "number", "boolean", "date" or "text"."""
        if self.dtype in _NUMBERS or self.dtype.startswith("DECIMAL"):
            return "number"
        if self.dtype == "BOOLEAN":
            return "boolean"
        if self.dtype == "DATE" or self.dtype.startswith("TIMESTAMP"):
            return "date"
        return "text"


def histogram_range(column: ScannedColumn) -> tuple[float, float]:
    """Return the ends of the histogram; as in NumPy, a single value gets a bin of width 1 around it."""
    low, high = float(column.low or 0.0), float(column.high or 0.0)
    return (low - 0.5, high + 0.5) if low == high else (low, high)


def finish(column: ScannedColumn, rows: int) -> ColumnProfile:
    """Return the profile of a column of a table with so many rows."""
    facts = column.facts
    values = int(facts["values"])
    show = _iso if column.family == "date" else float
    edges: tuple[float | str, ...] = ()
    counts: tuple[int, ...] = ()
    quantiles: dict[str, float | str] = {}
    if "histogram" in facts:
        low, high = histogram_range(column)
        if math.isfinite((high - low) * BINS):
            edges = tuple(show(low + (high - low) * i / BINS) for i in range(BINS + 1))
        else:
            edges = tuple(show(low * (1 - i / BINS) + high * (i / BINS)) for i in range(BINS + 1))
        counts = tuple(int((facts["histogram"] or {}).get(i, 0)) for i in range(BINS))
        levels = zip(QUANTILES, facts["quantiles"], strict=True)
        quantiles = {str(level): show(value) for level, value in levels if math.isfinite(value)}
    lengths = {}
    if column.family == "text" and values:
        lengths = {"min": facts["shortest"], "mean": facts["length"], "max": facts["longest"]}
    return ColumnProfile(
        name=column.label,
        kind=_kind(column, rows),
        dtype=column.dtype,
        rows=rows,
        missing=rows - values,
        distinct=int(facts["distinct"]),
        distinct_exact=column.exact,
        minimum=None if column.low is None else show(column.low),
        maximum=None if column.high is None else show(column.high),
        mean=_finite(facts.get("mean")),
        std=_finite(facts.get("std")),
        quantiles=quantiles,
        edges=edges,
        counts=counts,
        top=tuple(column.top),
        lengths=lengths,
    )


def _kind(column: ScannedColumn, rows: int) -> str:
    """Return the kind of a column, by a rule of thumb.

    An identifier is distinct in (almost) every row, and either text without spaces or integers that are consecutive
    or have the name of an identifier; text is long, has spaces and is mostly distinct; other strings are categories.
    """
    facts, family = column.facts, column.family
    values, distinct = facts["values"], facts["distinct"]
    unique = values >= 20 and distinct >= (values if column.exact else 0.97 * values)
    if family == "number":
        has_id_name = column.label.casefold() in ("id", "index", "key", "uuid") or column.label.casefold().endswith(
            "_id"
        )
        whole = column.dtype in _INTEGERS
        consecutive = whole and values == rows and (column.high or 0) - (column.low or 0) == rows - 1
        return "identifier" if whole and unique and (has_id_name or consecutive) else "number"
    if family != "text" or not values:
        return "category" if family == "text" else family
    spaced = facts["spaced"] / values
    if values >= 20 and distinct >= 0.97 * values and spaced < 0.05 and facts["longest"] <= 64:
        return "identifier"
    if spaced >= 0.5 and facts["length"] >= 20 and distinct > max(50, 0.05 * values):
        return "text"
    return "text" if facts["length"] >= 100 else "category"


def _iso(microseconds: float) -> str:
    try:
        return (_EPOCH + timedelta(microseconds=round(microseconds))).isoformat()
    except OverflowError:
        return f"{microseconds / 1e6:.0f} s since 1970"


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
