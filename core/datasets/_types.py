"""Inference of the type of each text column, from all of its values.

A sample can only rule types out; the remaining types are tested on all rows, in one scan. A type is chosen when every
value that is not a missing marker has it without loss, so no cast can fail later and no row is dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.datasets._delimited import Source
from core.query import literal

if TYPE_CHECKING:
    import duckdb

__all__ = ["MISSING_MARKERS", "TextColumn", "choose_types"]

# Spellings of a missing value. Those in _TEXT_MARKERS are missing in text columns too; the others have a meaning
# there ("None" is a category, "-" a value) and are missing only in columns of numbers, dates or booleans.
_TEXT_MARKERS = ("?", "N/A", "n/a", "#N/A", "<NA>", "NULL", "null", "NaN", "nan", "NAN", "Null", "NA")
_OTHER_MARKERS = ("None", "none", "na", "-", "--", ".", "#VALUE!", "#DIV/0!", "#REF!", "#NULL!", "#NUM!")
MISSING_MARKERS = (*_TEXT_MARKERS, *_OTHER_MARKERS)
_SPACES = "' \t\u00a0'"

# One grammar for 1,234.5 and one for 1.234,5: a column is read when exactly one of them fits all of its values.
_US = r"\s*[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?\s*"
_EU = r"\s*[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d*)?\s*"
_DAY = r"\s*\d{4}-\d{2}-\d{2}\s*"
_TIME = r"\s*\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?\s*"
_ZONE = r"\s*\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)? ?(Z|[+-]\d{2}(:?\d{2})?)\s*"
_DAY_FORMATS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d")
_PREFERRED = (("boolean",), ("integer",), ("number",), ("us", "eu"), ("date",), ("timestamp",), ("zoned",))
_SAMPLE_ROWS = 5_000
_SAMPLE_CELLS = 50_000
_CHUNK = 250


@dataclass(frozen=True)
class TextColumn:
    """The type of a column of text, and how its cells become values.

    Parameters
    ----------
    kind : {"boolean", "integer", "number", "date", "timestamp", "text"}
        Type in the stored table.
    sql : str
        Expression that casts the column; it cannot fail, because all values were tested.
    markers : dict, default={}
        Number of cells that are missing because of a marker, by marker.
    notice : str, default=""
        Predicate of a sentence about the column, such as "has decimal commas".
    """

    kind: str
    sql: str
    markers: dict[str, int] = field(default_factory=dict)
    notice: str = ""


@dataclass
class _Column:
    """State of a column during inference."""

    name: str
    left: list[str]  # types that are not ruled out
    fits: list[str] = field(default_factory=list)
    present: int = 0
    padded: int = 0
    markers: dict[str, int] = field(default_factory=dict)
    codes: bool = False
    done: bool = False

    def tested(self) -> list[str]:
        """Return the preferred types among those left; none when only text is left."""
        for group in (*_PREFERRED, tuple(kind for kind in _KINDS if kind.startswith("%"))):
            candidates = [kind for kind in group if kind in self.left]
            if candidates:
                return candidates
        return []


def choose_types(
    connection: duckdb.DuckDBPyConnection, source: Source, strings: Collection[str] = ()
) -> tuple[int, list[TextColumn]]:
    """Infer the types of the text columns of a relation.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Connection that can read the relation.
    source : Source
        The relation; its column names need no quotes.
    strings : collection of str, default=()
        Names of columns that are text by declaration: only dates in ISO 8601 are recognized in them.

    Returns
    -------
    rows : int
        Number of rows of the relation.
    columns : list of TextColumn
        Types of the columns, in order.
    """
    columns = [_Column(name, [*(_ISO if name in strings else _KINDS)]) for name in source.columns]
    _look(connection, source.rows, columns)
    rows = _scan(connection, source.scan, columns[:_CHUNK])
    for first in range(_CHUNK, len(columns), _CHUNK):  # planning time grows faster than the number of columns
        _scan(connection, source.rows, columns[first : first + _CHUNK])
    while pending := [column for column in columns if not column.done]:
        # Only for columns with a marker or a value that the sample did not have.
        _settle(connection, source.rows, pending)
        pending = [column for column in pending if not column.done]
        if pending:
            _scan(connection, source.rows, pending)
    return rows, [_choose(column) for column in columns]


def _look(connection: duckdb.DuckDBPyConnection, sample: str, columns: Sequence[_Column]) -> None:
    """Rule out types by the first rows of the relation, without missing markers.

    The cells are tested as one long column, because planning time grows with the number of expressions.
    """
    rows = max(20, min(_SAMPLE_ROWS, _SAMPLE_CELLS // len(columns)))
    names = ", ".join(column.name for column in columns)
    cells = f"(SELECT {names} FROM {sample} LIMIT {rows})"
    tests = ", ".join(f"count(*) FILTER (WHERE {_fails('v', kind)})" for kind in _KINDS)
    failures = connection.execute(
        f"SELECT name, {tests} FROM (SELECT DISTINCT name, v FROM (UNPIVOT {cells} ON {names} INTO NAME name VALUE v)) "
        f"WHERE NOT {_is_marker('v')} GROUP BY name"
    ).fetchall()
    fails = {row[0]: row[1:] for row in failures}
    for column in columns:
        if column.name in fails:
            possible = [k for k, n in zip(_KINDS, fails[column.name], strict=True) if n == 0]
            column.left = [kind for kind in column.left if kind in possible]


def _scan(connection: duckdb.DuckDBPyConnection, source: str, columns: Sequence[_Column]) -> int:
    """Test all rows for the preferred types; a column is done when all cells have one of them."""
    conditions = ["true"]
    for column in columns:
        name = column.name
        conditions += [f"{name} IS NOT NULL"]
        conditions += [_fails(name, kind) for kind in column.tested()] or [_is_marker(name), f"{name} < '!'"]
    counts = _counts(connection, source, conditions)
    rows = next(counts)
    for column in columns:
        column.present = next(counts)
        tested = column.tested()
        if tested:
            column.fits = [kind for kind in tested if next(counts) == 0]
            column.done = bool(column.fits)
        else:
            column.done = next(counts) == 0
            column.padded = next(counts)
    return rows


def _settle(connection: duckdb.DuckDBPyConnection, source: str, columns: Sequence[_Column]) -> None:
    """Count the markers; rule out the types that any other cell does not have."""
    outer = []
    for column in columns:
        name, marker = column.name, _is_marker(column.name)
        outer.append(f"histogram(CASE WHEN {marker} THEN trim({name}, {_SPACES}) END)")
        outer.append(f"count(*) FILTER (WHERE NOT {marker} AND NOT regexp_full_match({name}, '[A-Z]{{2}}'))")
        for kind in column.tested():
            outer.append(f"any_value(CASE WHEN {_fails(name, kind)} AND NOT {marker} THEN {name} END)")
    values = iter(connection.execute(f"SELECT {', '.join(outer)} FROM {source}").fetchone() or ())
    for column in columns:
        column.markers = dict(next(values) or {})
        column.codes = next(values) == 0
        tested = column.tested()
        examples = {kind: next(values) for kind in tested}
        column.fits = [kind for kind in tested if examples[kind] is None]
        column.done = not tested or bool(column.fits)
        for example in set(examples.values()) - {None}:
            value = f"(SELECT {literal(example)} AS v)"
            counts = _counts(connection, value, [_fails("v", kind) for kind in column.left])
            column.left = [kind for kind in column.left if next(counts) == 0]


def _fails(name: str, kind: str) -> str:
    # CASE evaluates a branch only for the rows that no earlier branch matches; AND and OR do not.
    return f"CASE WHEN {name} IS NULL THEN false WHEN {_tests(name)[kind]} THEN false ELSE true END"


def _counts(connection: duckdb.DuckDBPyConnection, source: str, conditions: Sequence[str]) -> Iterator[int]:
    selected = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions)
    # fetchall: rejected rows are recorded only when the result is read to its end.
    return iter(connection.execute(f"SELECT {selected} FROM {source}").fetchall()[0])


def _is_marker(name: str) -> str:
    """Return the SQL condition that a cell is a missing marker or blank."""
    markers = ", ".join(literal(marker) for marker in MISSING_MARKERS)
    spaced = f"trim({name}, {_SPACES}) IN ('', {markers})"
    return f"(CASE WHEN {name} < '!' THEN {spaced} WHEN strlen({name}) > 7 THEN false ELSE {name} IN ({markers}) END)"


def _tests(v: str) -> dict[str, str]:
    """Return SQL conditions by type: that the value `v` has the type without loss."""
    whole = f"try_cast({v} AS BIGINT)"
    # A digit after a leading zero is a code (a postcode), not a number. The comparison avoids the regex.
    code = f"({v} < '1' AND regexp_matches({v}, '^\\s*[+-]?0\\d'))"
    # A float would round an integer of 16 or more digits.
    long = f"(strlen({v}) >= 16 AND regexp_full_match({v}, '\\s*[+-]?\\d{{16,}}\\s*'))"
    tests = {
        "boolean": f"{v} IN ('true', 'false', 'True', 'False', 'TRUE', 'FALSE')",
        # DuckDB casts 1.5, 1e3, 0x1F and 1_000 to integers: an integer is what prints the same again.
        "integer": f"CASE WHEN {whole}::VARCHAR = {v} THEN true ELSE {whole} IS NOT NULL AND NOT {code} "
        f"AND regexp_full_match({v}, '\\s*[+-]?\\d+\\s*') END",
        # NaN is greater than infinity.
        "number": f"CASE WHEN {v} >= '1' AND {v} < ':' AND strlen({v}) < 16 AND NOT contains({v}, '_') "
        f"THEN try_cast({v} AS DOUBLE) IS NOT NULL "
        f"ELSE try_cast({v} AS DOUBLE) <= 'infinity'::DOUBLE AND NOT contains({v}, '_') AND NOT {code} "
        f"AND NOT {long} END",
        "us": f"(regexp_full_match({v}, '{_US}') AND NOT {code} AND NOT {long})",
        "eu": f"(regexp_full_match({v}, '{_EU}') AND NOT {code} AND NOT {long})",
        # DuckDB casts a time to a date, truncates nanoseconds and accepts 'epoch': the shape is tested as well.
        "date": f"CASE WHEN try_cast({v} AS DATE)::VARCHAR = {v} AND {v} < ':' THEN true ELSE "
        f"regexp_full_match({v}, '{_DAY}') AND try_cast(trim({v}) AS DATE) IS NOT NULL END",
        "timestamp": f"CASE WHEN try_cast({v} AS TIMESTAMP)::VARCHAR = {v} AND {v} < ':' THEN true ELSE "
        f"regexp_full_match({v}, '{_TIME}') AND try_cast(trim({v}) AS TIMESTAMP) IS NOT NULL END",
        "zoned": f"(regexp_full_match({v}, '{_ZONE}') AND try_cast(trim({v}) AS TIMESTAMPTZ) IS NOT NULL)",
    }
    # The shape comes first: it is cheap, and requires a year of four digits.
    shape = f"regexp_matches({v}, '^\\s*(\\d{{4}}/\\d{{1,2}}/|\\d{{1,2}}[-/.]\\d{{1,2}}[-/.]\\d{{4}})')"
    for day in _DAY_FORMATS:
        for key, formats in ((day, literal(day)), (f"{day} %H:%M", _with_time(day))):
            tests[key] = f"CASE WHEN {shape} THEN try_strptime(trim({v}), {formats}) IS NOT NULL END"
    return tests


def _with_time(day: str) -> str:
    return f"['{day} %H:%M', '{day} %H:%M:%S']"


_KINDS = tuple(_tests("v"))
_ISO = ("date", "timestamp", "zoned")


def _choose(column: _Column) -> TextColumn:
    name, markers, fits = column.name, column.markers, column.fits
    values = column.present - sum(markers.values())
    if not values:
        return TextColumn("text", "NULL::VARCHAR", markers, "has no values")
    value = f"CASE WHEN {_is_marker(name)} THEN NULL ELSE {name} END" if markers else name
    notice = ""
    for kind in ("boolean", "integer", "number"):
        if kind in fits:
            sql_type = {"boolean": "BOOLEAN", "integer": "BIGINT", "number": "DOUBLE"}[kind]
            return TextColumn(kind, f"CAST({value} AS {sql_type})", markers)
    if "us" in fits and "eu" in fits:
        notice = "could mean 1,234 or 1.234; it is kept as text"
    elif "us" in fits:
        return TextColumn("number", f"CAST(replace({value}, ',', '') AS DOUBLE)", markers, "has thousands commas")
    elif "eu" in fits:
        sql = f"CAST(replace(replace({value}, '.', ''), ',', '.') AS DOUBLE)"
        return TextColumn("number", sql, markers, "has decimal commas")
    for kind, sql_type in (("date", "DATE"), ("timestamp", "TIMESTAMP"), ("zoned", "TIMESTAMPTZ")):
        if kind in fits:
            stored = "date" if kind == "date" else "timestamp"
            return TextColumn(stored, f"CAST(trim({value}) AS {sql_type})", markers)
    formats = [kind for kind in fits if kind.startswith("%")]
    if len(formats) > 1:
        notice = "holds dates that could be day-month or month-day; it is kept as text"
    elif formats and formats[0].endswith("%H:%M"):
        sql = f"strptime(trim({value}), {_with_time(formats[0].removesuffix(' %H:%M'))})"
        return TextColumn("timestamp", sql, markers, f"holds times written as {formats[0]}")
    elif formats:
        sql = f"CAST(strptime(trim({value}), '{formats[0]}') AS DATE)"
        return TextColumn("date", sql, markers, f"holds dates written as {formats[0]}")
    return _as_text(column, values, notice)


def _as_text(column: _Column, values: int, notice: str) -> TextColumn:
    """Return a column of text; markers that may be words or codes are kept."""
    name, markers = column.name, column.markers
    missing = [m for m in ("", *_TEXT_MARKERS) if m in markers and not (m == "NA" and column.codes)]
    kept = {m: n for m, n in markers.items() if m not in missing}
    sql = f"ltrim({name})" if column.padded >= values else name
    if missing:
        listed = ", ".join(literal(marker) for marker in missing)
        sql = f"CASE WHEN trim({name}, {_SPACES}) IN ({listed}) THEN NULL ELSE {sql} END"
    if kept and not notice:
        shown = ", ".join(f"{marker!r} ({n:,})" for marker, n in kept.items())
        notice = f"keeps values that may mean missing as text: {shown}"
    return TextColumn("text", sql, {m: markers[m] for m in missing}, notice)
