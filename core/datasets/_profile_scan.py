"""Queries of `profile`: everything in one scan, then exact counts of repeated values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._column_profile import BINS, QUANTILES, TOP, Profile
from core.datasets._columnar import parquet_footer
from core.datasets._failures import failures_reported
from core.datasets._limits import Limits
from core.datasets._scanned_column import ScannedColumn, finish, histogram_range
from core.query import connect, identifier, literal

if TYPE_CHECKING:
    import duckdb

__all__ = ["scan"]

_EXACT_DISTINCT = 20_000  # text with fewer distinct values (about) is counted value by value,
_EXACT_NUMBERS = 1_000  # and so are numbers and dates
_EXACT_ROWS = 1_000_000  # ... and all columns of tables with fewer rows
_EXACT_CELLS = 20_000_000  # tables with fewer cells get exact quantiles
_GUESS_ROWS = 200_000  # rows that are searched for frequent values of the other columns
_LOADED_CELLS = 5_000_000  # tables with fewer cells are loaded once: each query reads the file's footer anew
_BLOCK_COLUMNS = 250  # columns and cells of one query, whose memory grows with both;
_BLOCK_CELLS = 1_000_000
_LARGE_ROWS = 100_000  # from so many rows on, one query per column takes less time


class _Block:
    """Columns of one type, described by the same queries: planning a query takes longer than a small column.

    Their cells are one long column `v`. SQL of the number of a cell's column is `i`, what groups by it is `grouped`;
    the cells of a single column need not be grouped, which is faster.
    """

    def __init__(self, source: str, columns: Sequence[ScannedColumn]) -> None:
        self.columns = columns
        self.family = columns[0].family
        self.i, self.grouped, self.partition = "0", "", ""
        self.cells = f"(SELECT {identifier(columns[0].name)} AS v FROM {source})"
        if len(columns) > 1:
            names = [identifier(str(i)) for i in range(len(columns))]
            selected = ", ".join(f"{identifier(c.name)} AS {name}" for c, name in zip(columns, names, strict=True))
            long = f"UNPIVOT (SELECT {selected} FROM {source}) ON {', '.join(names)} INTO NAME i VALUE v"
            self.i, self.grouped, self.partition = "i", "GROUP BY i", "PARTITION BY i"
            self.cells = f"(SELECT i::INTEGER AS i, v FROM ({long}))"

    def number(self, value: str) -> str:
        """Return SQL of a value of the type of the columns as a number (dates as microseconds since 1970)."""
        return f"epoch_us({value})" if self.family == "date" else f"({value})::DOUBLE"


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
        rows, labels = parquet_footer(path, limits)
        return _scan(path, workdir, limits, rows, labels)


def _scan(path: Path, workdir: Path, limits: Limits, rows: int, labels: Sequence[str]) -> Profile:
    source = f"read_parquet({literal(path)})"
    with connect(workdir) as connection:
        described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        columns = [
            ScannedColumn(name, str(dtype), label) for (name, dtype, *_), label in zip(described, labels, strict=True)
        ]
        # Times, bytes, lists and structures are profiled as text.
        printed = [c for c in columns if c.family == "text" and c.dtype != "VARCHAR"]
        if printed:
            casts = ", ".join(f"{identifier(c.name)}::VARCHAR AS {identifier(c.name)}" for c in printed)
            source = f"(SELECT * REPLACE ({casts}) FROM {source})"
        exact = rows * len(columns) <= _EXACT_CELLS
        if rows * len(columns) <= _LOADED_CELLS:
            connection.execute(f"CREATE TEMP TABLE loaded AS SELECT * FROM {source}")
            source = "loaded"
        for block in _blocks(source, columns, rows):
            if block.family in ("number", "date"):
                _bounds(connection, block)
            _main_scan(connection, block, exact=exact)
            for column in block.columns:
                limits.check_cell(column.facts.get("bytes") or 0, column.label)
        counted = [column for column in columns if rows <= _EXACT_ROWS or _has_few_values(column)]
        for block in _blocks(source, counted, rows):
            _count_values(connection, block, quantiles=block.family == "number" and not exact)
        for block in _blocks(source, [column for column in columns if _lacks_quantiles(column)], rows):
            _estimate_quantiles(connection, block)
        for column in columns:
            if not column.exact:
                _guess_values(connection, source, column, rows)
    return Profile(rows=rows, columns=tuple(finish(column, rows) for column in columns))


def _blocks(source: str, columns: Sequence[ScannedColumn], rows: int) -> Iterator[_Block]:
    """Yield the columns in blocks of one type."""
    by_type: dict[str, list[ScannedColumn]] = {}
    for column in columns:
        by_type.setdefault("VARCHAR" if column.family == "text" else column.dtype, []).append(column)
    size = 1 if rows > _LARGE_ROWS else min(_BLOCK_COLUMNS, _BLOCK_CELLS // max(rows, 1))
    for group in by_type.values():
        for first in range(0, len(group), size):
            yield _Block(source, group[first : first + size])


def _bounds(connection: duckdb.DuckDBPyConnection, block: _Block) -> None:
    """Set the smallest and largest value of each column, which the edges of the histogram need before the scan.

    DuckDB takes those of one column from the statistics in the Parquet footer, unless there are infinities.
    """
    _find_ends(connection, block)
    infinite = [
        c for c in block.columns if c.low is not None and not (math.isfinite(c.low) and math.isfinite(c.high or 0))
    ]
    if infinite:
        for column in infinite:
            column.low = column.high = None
        _find_ends(connection, block, "WHERE isfinite(v)")


def _find_ends(connection: duckdb.DuckDBPyConnection, block: _Block, where: str = "") -> None:
    low, high = block.number("min(v)"), block.number("max(v)")
    query = f"SELECT {block.i}, {low}, {high} FROM {block.cells} {where} {block.grouped}"
    for i, *ends in connection.execute(query).fetchall():
        block.columns[i].low, block.columns[i].high = ends


def _main_scan(connection: duckdb.DuckDBPyConnection, block: _Block, *, exact: bool) -> None:
    expressions = _expressions(block)
    if exact and block.family in ("number", "date"):
        expressions["quantiles"] = _quantiles(block, "quantile_cont")
    cells = block.cells
    if block.family in ("number", "date"):
        scales = [_histogram_scale(column) for column in block.columns]
        expressions["histogram"] = _histogram(block, scales[0])
        if block.grouped:
            expressions["histogram"] = _histogram(block, _SCALE)
            rows = ", ".join(f"({i}, {', '.join(scale)})" for i, scale in enumerate(scales))
            cells = f"{cells} JOIN (VALUES {rows}) AS scale(i, {', '.join(_SCALE)}) USING (i)"
    selected = ", ".join(expressions.values())
    query = f"SELECT {block.i}, {selected} FROM {cells} {block.grouped}"
    for i, *values in connection.execute(query).fetchall():
        column = block.columns[i]
        column.facts = dict(zip(expressions, values, strict=True))
        if column.low is None:
            for name in ("quantiles", "histogram", "mean", "std"):
                column.facts.pop(name, None)


def _quantiles(block: _Block, function: str) -> str:
    return f"{function}({block.number('v')}, [{', '.join(str(q) for q in QUANTILES)}])"


def _lacks_quantiles(column: ScannedColumn) -> bool:
    return "histogram" in column.facts and "quantiles" not in column.facts


def _estimate_quantiles(connection: duckdb.DuckDBPyConnection, block: _Block) -> None:
    query = f"SELECT {block.i}, {_quantiles(block, 'approx_quantile')} FROM {block.cells} {block.grouped}"
    for i, quantiles in connection.execute(query).fetchall():
        block.columns[i].facts["quantiles"] = quantiles


def _expressions(block: _Block) -> dict[str, str]:
    expressions = {"values": "count(v)", "distinct": "approx_count_distinct(v)"}
    if block.family == "number":  # with infinities they have no value
        expressions["mean"] = f"avg({block.number('v')})"
        expressions["std"] = f"stddev_samp({block.number('v')})"
    if block.family == "text":
        expressions["shortest"] = "min(length(v))"
        expressions["length"] = "avg(length(v))"
        expressions["longest"] = "max(length(v))"
        expressions["bytes"] = "max(strlen(v))"
        expressions["spaced"] = "count(*) FILTER (WHERE contains(v, ' '))"
    return expressions


_SCALE = ("low", "high", "part", "origin", "width")


def _histogram(block: _Block, scale: Sequence[str]) -> str:
    low, high, part, origin, width = scale
    value = block.number("v")
    scaled = f"{value} * {part}" if part != "1.0::DOUBLE" else value
    position = f"floor(({scaled} - {origin}) / {width})"
    return (
        f"histogram(CASE WHEN {value} <= {high} AND {value} >= {low} THEN least({position}, {BINS - 1})::UTINYINT END)"
    )


def _histogram_scale(column: ScannedColumn) -> tuple[str, ...]:
    """Return SQL of the ends of a histogram, and of what leads from a value to its bin."""
    if column.low is None:
        return ("NULL::DOUBLE",) * 5
    low, high = histogram_range(column)
    # The distance between two huge floats may be infinite; the distance between their halves is not.
    part = 1.0 if math.isfinite(high - low) else 0.5
    return tuple(f"{x!r}::DOUBLE" for x in (low, high, part, low * part, (high * part - low * part) / BINS))


def _has_few_values(column: ScannedColumn) -> bool:
    return bool(column.facts["distinct"] <= (_EXACT_DISTINCT if column.family == "text" else _EXACT_NUMBERS))


def _count_values(connection: duckdb.DuckDBPyConnection, block: _Block, *, quantiles: bool) -> None:
    """Count the distinct values of each column, and the cells of the most frequent ones.

    With `quantiles` those of columns with few values are computed from all of their counts.
    """
    most = _EXACT_NUMBERS if quantiles else TOP
    counts = (
        f"(SELECT {block.i} AS i, v AS cell, count(*) AS times FROM {block.cells} WHERE v IS NOT NULL GROUP BY ALL)"
    )
    if block.grouped:
        window = f"QUALIFY row_number() OVER ({block.partition} ORDER BY times DESC, cell)"
        chosen = f"{window} <= {most} ORDER BY i, times DESC, cell"
    else:
        chosen = f"ORDER BY times DESC, cell LIMIT {most}"
    counted = connection.execute(
        f"SELECT i, cell::VARCHAR, times, count(*) OVER ({block.partition}), cell FROM {counts} {chosen}"
    ).fetchall()
    for column in block.columns:
        column.exact = True
        column.facts["distinct"] = 0
    values: dict[int, list[tuple[float, int]]] = {}
    for i, text, times, distinct, value in counted:
        column = block.columns[i]
        column.facts["distinct"] = distinct
        if len(column.top) < TOP:
            column.top.append((text, times))
        if quantiles and distinct <= _EXACT_NUMBERS:
            values.setdefault(i, []).append((float(value), times))
    for i, pairs in values.items():
        block.columns[i].facts["quantiles"] = _weighted_quantiles(pairs)


def _guess_values(connection: duckdb.DuckDBPyConnection, source: str, column: ScannedColumn, rows: int) -> None:
    """Count the cells of the values of a column with many that are the most frequent ones in a sample."""
    column.facts["distinct"] = min(column.facts["distinct"], column.facts["values"])
    if column.family != "text":
        return
    quoted = identifier(column.name)
    share = 100 * _GUESS_ROWS / rows
    guess = f"(SELECT {quoted} FROM {source} USING SAMPLE {share:.4f} PERCENT (bernoulli, 7))"
    frequent = connection.execute(
        f"SELECT {quoted} FROM {guess} WHERE {quoted} IS NOT NULL GROUP BY {quoted} HAVING count(*) > 1 "
        f"ORDER BY count(*) DESC LIMIT {TOP}"
    ).fetchall()
    if frequent:
        listed = ", ".join(literal(value) for (value,) in frequent)
        column.top = connection.execute(
            f"SELECT {quoted}, count(*) FROM {source} WHERE {quoted} IN ({listed}) GROUP BY {quoted} ORDER BY 2 DESC, 1"
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
