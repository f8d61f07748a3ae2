"""Queries of `profile`: everything in one scan, then exact counts of repeated values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.datasets._column_profile import BINS, QUANTILES, TOP, ColumnProfile, Profile
from core.datasets._columnar import parquet_footer
from core.datasets._failures import failures_reported
from core.datasets._limits import Limits
from core.query import connect, identifier, literal

if TYPE_CHECKING:
    import duckdb

__all__ = ["scan"]

_EXACT_DISTINCT = 20_000  # text with fewer distinct values (about) is counted value by value,
_EXACT_NUMBERS = 1_000  # and so are numbers and dates
_EXACT_ROWS = 1_000_000  # ... and all columns of tables with fewer rows
_EXACT_CELLS = 20_000_000  # tables with fewer cells get exact quantiles
_GUESS_ROWS = 200_000  # rows that are searched for frequent values of the other columns
_NUMBERS = ("BIGINT", "DOUBLE", "INTEGER", "SMALLINT", "TINYINT", "FLOAT", "HUGEINT", "UBIGINT", "UINTEGER")
_LOADED_CELLS = 5_000_000  # tables with fewer cells are loaded once: each query reads the file's footer anew
_COLUMNS = 40  # columns of one query: DuckDB's memory grows with its aggregates,
_LARGE_ROWS = 200_000  # and from so many rows on, one query per column takes less time
_EPOCH = datetime(1970, 1, 1)


@dataclass
class _Column:
    name: str  # as DuckDB returns it, which ignores case when it makes names unique
    dtype: str
    label: str
    low: float | None = None
    high: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    top: list[tuple[str, int]] = field(default_factory=list)
    exact: bool = False

    @property
    def family(self) -> str:
        if self.dtype in _NUMBERS or self.dtype.startswith("DECIMAL"):
            return "number"
        if self.dtype == "BOOLEAN":
            return "boolean"
        if self.dtype == "DATE" or self.dtype.startswith("TIMESTAMP"):
            return "date"
        return "text"

    @property
    def value(self) -> str:
        """SQL of the column as a number (dates as microseconds since 1970)."""
        quoted = identifier(self.name)
        if self.family == "date":
            return f"epoch_us({quoted})"
        return f"{quoted}::DOUBLE"

    def as_number(self, aggregate: str, where: str = "") -> str:
        """SQL of an aggregate that keeps the type, as a number."""
        quoted = identifier(self.name)
        inner = f"{aggregate}({quoted}){where.format(quoted)}"
        return f"epoch_us({inner})" if self.family == "date" else f"({inner})::DOUBLE"


def scan(path: Path, workdir: Path, limits: Limits) -> Profile:
    """Profile a Parquet file; `workdir` takes DuckDB's temporary files.

    Raises
    ------
    InputError
        When the file is damaged.
    LimitError
        When the table is larger than the limits, or needs more memory than DuckDB has.
    """
    with failures_reported("Parquet", limits):
        file_rows, labels = parquet_footer(path, limits)
        return _scan(path, workdir, limits, file_rows, labels)


def _scan(path: Path, workdir: Path, limits: Limits, file_rows: int, labels: Sequence[str]) -> Profile:
    source = f"read_parquet({literal(path)})"
    with connect(workdir) as connection:
        described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        columns = [_Column(name, str(dtype), label) for (name, dtype, *_), label in zip(described, labels, strict=True)]
        # Times, bytes, lists and structures are profiled as text.
        printed = [c for c in columns if c.family == "text" and c.dtype != "VARCHAR"]
        if printed:
            casts = ", ".join(f"{identifier(c.name)}::VARCHAR AS {identifier(c.name)}" for c in printed)
            source = f"(SELECT * REPLACE ({casts}) FROM {source})"
        exact = file_rows * len(columns) <= _EXACT_CELLS
        if file_rows * len(columns) <= _LOADED_CELLS:
            connection.execute(f"CREATE TEMP TABLE loaded AS SELECT * FROM {source}")
            source = "loaded"
        rows = 0
        size = 1 if file_rows > _LARGE_ROWS else _COLUMNS
        for first in range(0, len(columns), size):
            block = columns[first : first + size]
            _bounds(connection, source, [column for column in block if column.family in ("number", "date")])
            rows = _main_scan(connection, source, block, exact=exact)
            for column in block:
                limits.check_cell(column.facts.get("bytes") or 0, column.label)
        _repeated_values(connection, source, rows, columns)
    return Profile(rows=rows, columns=tuple(_finish(column, rows) for column in columns))


def _bounds(connection: duckdb.DuckDBPyConnection, source: str, columns: Sequence[_Column]) -> None:
    """Set the smallest and largest value of each column, which the edges of the histogram need before the scan.

    DuckDB takes them from the statistics in the Parquet footer, unless there are infinities.
    """
    for where in ("", " FILTER (WHERE isfinite({0}))"):
        if columns:
            ends = [c.as_number(end, where) for c in columns for end in ("min", "max")]
            values = iter(connection.execute(f"SELECT {', '.join(ends)} FROM {source}").fetchall()[0])
            for column in columns:
                column.low, column.high = next(values), next(values)
        columns = [c for c in columns if c.low is not None and not math.isfinite(c.low + (c.high or 0.0))]


def _main_scan(connection: duckdb.DuckDBPyConnection, source: str, columns: Sequence[_Column], *, exact: bool) -> int:
    selected, keys = ["count(*)"], []
    for column in columns:
        expressions = _expressions(column, "quantile_cont" if exact else "approx_quantile")
        selected += expressions.values()
        keys.append(list(expressions))
    values: Iterator[Any] = iter(connection.execute(f"SELECT {', '.join(selected)} FROM {source}").fetchone() or ())
    rows = int(next(values))
    for column, names in zip(columns, keys, strict=True):
        column.facts = {name: next(values) for name in names}
    return rows


def _expressions(column: _Column, quantile: str) -> dict[str, str]:
    quoted, value = identifier(column.name), column.value
    expressions = {"values": f"count({quoted})", "distinct": f"approx_count_distinct({quoted})"}
    if column.family in ("number", "date") and column.low is not None and column.high is not None:
        shares = ", ".join(str(q) for q in QUANTILES)
        expressions["quantiles"] = f"{quantile}({value}, [{shares}])"
        low, high = _range(column)
        # The distance between two huge floats may be infinite; the distance between their halves is not.
        part = 1.0 if math.isfinite(high - low) else 0.5
        start, width = low * part, (high * part - low * part) / BINS
        scaled = value if part == 1.0 else f"{value} * {part}"
        expressions["histogram"] = (
            f"histogram(CASE WHEN {value} <= {high!r}::DOUBLE AND {value} >= {low!r}::DOUBLE THEN "
            f"least(floor(({scaled} - {start!r}::DOUBLE) / {width!r}::DOUBLE), {BINS - 1})::UTINYINT END)"
        )
        if column.family == "number":
            expressions["mean"] = f"avg({value})"
            expressions["std"] = f"stddev_samp({value})"
    if column.family == "text":
        expressions["shortest"] = f"min(length({quoted}))"
        expressions["length"] = f"avg(length({quoted}))"
        expressions["longest"] = f"max(length({quoted}))"
        expressions["bytes"] = f"max(strlen({quoted}))"
        expressions["spaced"] = f"count(*) FILTER (WHERE contains({quoted}, ' '))"
    return expressions


def _range(column: _Column) -> tuple[float, float]:
    """Return the ends of the histogram; as in NumPy, a single value gets a bin of width 1 around it."""
    low, high = float(column.low or 0.0), float(column.high or 0.0)
    return (low - 0.5, high + 0.5) if low == high else (low, high)


def _repeated_values(connection: duckdb.DuckDBPyConnection, source: str, rows: int, columns: Sequence[_Column]) -> None:
    """Count the values of columns with few distinct ones, and the frequent values of the others."""
    large = []
    for column in columns:
        quoted = identifier(column.name)
        few = column.facts["distinct"] <= (_EXACT_DISTINCT if column.family == "text" else _EXACT_NUMBERS)
        if rows <= _EXACT_ROWS or few:
            limit = _EXACT_NUMBERS if column.family == "number" and few else TOP
            counted = connection.execute(  # with aliases, as the column may have any name
                "SELECT cell::VARCHAR, times, count(*) OVER (), cell "
                f"FROM (SELECT {quoted}, count(*) FROM {source} WHERE {quoted} IS NOT NULL GROUP BY {quoted}) "
                f"AS counted(cell, times) ORDER BY times DESC, cell LIMIT {limit}"
            ).fetchall()
            column.top = [(value, n) for value, n, *_ in counted[:TOP]]
            column.facts["distinct"] = counted[0][2] if counted else 0
            column.exact = True
            if counted and column.family == "number" and len(counted) == counted[0][2]:
                column.facts["quantiles"] = _weighted_quantiles([(float(v), n) for _, n, _, v in counted])
        else:
            column.facts["distinct"] = min(column.facts["distinct"], column.facts["values"])
            if column.family == "text":
                large.append(column)
    for column in large:
        quoted = identifier(column.name)
        guess = f"(SELECT {quoted} FROM {source} USING SAMPLE {_GUESS_ROWS} ROWS (reservoir, 7))"
        frequent = connection.execute(
            f"SELECT {quoted} FROM {guess} WHERE {quoted} IS NOT NULL GROUP BY {quoted} HAVING count(*) > 1 "
            f"ORDER BY count(*) DESC LIMIT {TOP}"
        ).fetchall()
        if frequent:
            listed = ", ".join(literal(value) for (value,) in frequent)
            column.top = connection.execute(
                f"SELECT {quoted}, count(*) FROM {source} WHERE {quoted} IN ({listed}) "
                f"GROUP BY {quoted} ORDER BY 2 DESC, 1"
            ).fetchall()


def _weighted_quantiles(counted: list[tuple[float, int]]) -> list[float]:
    """Return exact quantiles of values with counts, interpolated as in `numpy.quantile`."""
    import numpy as np

    values, counts = (np.array(part) for part in zip(*sorted(counted), strict=True))
    ends = np.cumsum(counts)
    position = (ends[-1] - 1) * np.array(QUANTILES)
    low = values[np.searchsorted(ends, np.floor(position), side="right")]
    high = values[np.searchsorted(ends, np.ceil(position), side="right")]
    with np.errstate(invalid="ignore", over="ignore"):  # next to an infinity nothing can be interpolated
        return list(np.where(low == high, low, low + (high - low) * (position - np.floor(position))))


def _finish(column: _Column, rows: int) -> ColumnProfile:
    facts = column.facts
    values = int(facts["values"])
    show = _iso if column.family == "date" else float
    edges: tuple[float | str, ...] = ()
    counts: tuple[int, ...] = ()
    quantiles: dict[str, float | str] = {}
    if "histogram" in facts:
        low, high = _range(column)
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


def _kind(column: _Column, rows: int) -> str:
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
        whole = column.dtype.endswith("INT") or column.dtype == "INTEGER"
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
