"""Inference of the type of each text column, from all of its values.

A sample can only rule types out; the remaining types are tested on all rows, in one scan. A type is chosen when every
value that is not a missing marker has it without loss, so no cast can fail later and no row is dropped. What numbers
and dates with marks mean is decided once for the file (see `_file_decisions`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.datasets._column_format import BLANKS
from core.datasets._delimited import Source
from core.datasets._plain_format import plain_tests
from core.datasets._written_formats import WrittenColumn, check_formats, possible_formats
from core.datasets.missing_markers import is_marker
from core.query import literal

if TYPE_CHECKING:
    import duckdb

__all__ = ["InferredColumn", "infer_types"]

_PREFERRED = (
    ("boolean",),
    ("integer",),
    ("number", "grouped", "coded"),
    ("date",),
    ("timestamp", "precise"),
    ("zoned", "precise"),
)
_SAMPLE_ROWS = 5_000
_SAMPLE_CELLS = 50_000
_SHOWN_CELLS = 300
_CHUNK = 500
_WIDE = 100  # columns from which on those that are tested alike are tested as one long column


@dataclass
class InferredColumn:
    """What the values of a column allow.

    Parameters
    ----------
    name : str
        Name in the relation, which needs no quotes.
    left : list of str
        Types that are not ruled out.
    fits : list of str, default=[]
        Types that all values have.
    present : int, default=0
        Number of cells that are not empty.
    padded : int, default=0
        Number of cells that begin with a blank.
    markers : dict, default={}
        Counts of missing markers.
    default_markers : bool, default=True
        Whether the markers are `MISSING_MARKERS`, some of which are words in a text.
    codes : bool, default=False
        Whether all values are two capital letters, so that NA may be one.
    marked : bool, default=False
        Whether some cells may be markers, or all may be codes, so that these are counted.
    done : bool, default=False
        Whether all cells are known.
    cells : list of str, default=[]
        Some distinct values of the first rows.
    written : WrittenColumn, optional
        Other formats that a column of text may have.
    """

    name: str
    left: list[str]
    fits: list[str] = field(default_factory=list)
    present: int = 0
    padded: int = 0
    markers: dict[str, int] = field(default_factory=dict)
    default_markers: bool = True
    codes: bool = False
    marked: bool = False
    done: bool = False
    cells: list[str] = field(default_factory=list)
    written: WrittenColumn | None = None

    @property
    def values(self) -> int:
        """Number of cells with a value."""
        return self.present - sum(self.markers.values())

    def tested(self) -> list[str]:
        """Return the preferred types among those left; none when only text is left."""
        for group in _PREFERRED:
            if group[0] in self.left:
                return [kind for kind in group if kind in self.left]
        return []


def infer_types(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    *,
    strings: Collection[str] = (),
    given: Collection[str] = (),
    markers: Sequence[str] | None = None,
) -> tuple[int, list[InferredColumn]]:
    """Infer the types of the text columns of a relation.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Connection that can read the relation.
    source : Source
        The relation; its column names need no quotes.
    strings : collection of str, default=()
        Names of columns that are text by declaration: only dates in ISO 8601 are recognized in them.
    given : collection of str, default=()
        Names of columns whose type is given: only their markers are counted.
    markers : sequence of str, optional
        Texts that mean a missing value; by default `MISSING_MARKERS`.

    Returns
    -------
    rows : int
        Number of rows of the relation.
    columns : list of InferredColumn
        What the columns are, in order.
    """
    columns = [
        InferredColumn(
            name,
            [] if name in given else [*(_ISO if name in strings else _TYPES)],
            default_markers=markers is None,
            marked=markers is not None,
        )
        for name in source.columns
    ]
    return _Inference(connection, source.rows, markers).run(columns, {*strings, *given}), columns


class _Inference:
    """The queries on one relation."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, rows: str, markers: Sequence[str] | None) -> None:
        self._connection, self._rows, self._markers = connection, rows, markers

    def run(self, columns: Sequence[InferredColumn], fixed: Collection[str]) -> int:
        """Infer the types; return the number of rows. Columns in `fixed` are only looked at as plain ones."""
        self._look(columns)
        rows = 0
        pending = columns
        while pending:  # more than once only for columns with a marker or a value that the sample did not have
            scan = self._scan if len(columns) <= _WIDE else self._scan_long
            rows = scan(pending)
            pending = [column for column in pending if not column.done]
        for column in columns:
            if column.values and column.name not in fixed:
                self._read_as_written(column)
        return rows

    def _look(self, columns: Sequence[InferredColumn]) -> None:
        """Rule out types by the first rows of the relation, without missing markers.

        The cells are tested as one long column, because planning time grows with the number of expressions.
        """
        rows = max(20, min(_SAMPLE_ROWS, _SAMPLE_CELLS // len(columns)))
        names = ", ".join(column.name for column in columns)
        cells = f"(SELECT {names} FROM {self._rows} LIMIT {rows})"
        tests = ", ".join(f"count(*) FILTER (WHERE NOT marker AND {_fails('v', kind)})" for kind in _TYPES)
        marker = is_marker("v", self._markers)
        looks = self._connection.execute(
            f"SELECT name, bool_or(marker), list(v) FILTER (WHERE NOT marker), {tests} "
            f"FROM (SELECT name, v, {marker} AS marker "
            f"FROM (SELECT DISTINCT name, v FROM (UNPIVOT {cells} ON {names} INTO NAME name VALUE v))) GROUP BY name"
        ).fetchall()
        by_name = {name: rest for name, *rest in looks}
        for column in columns:
            if column.name not in by_name:
                continue
            marked, values, *failures = by_name[column.name]
            column.marked |= marked
            column.cells = (values or [])[:_SHOWN_CELLS]
            possible = [kind for kind, failed in zip(_TYPES, failures, strict=True) if not failed]
            column.left = [kind for kind in column.left if kind in possible]
            if column.cells and all(_PHONE.fullmatch(cell) for cell in column.cells):
                column.left = []
            column.marked |= bool(column.cells) and all(_CODE.fullmatch(cell) for cell in column.cells)

    def _scan(self, columns: Sequence[InferredColumn]) -> int:
        """Test all rows for the preferred types; a column is done when all cells but its markers have one of them."""
        selected = ["count(*)"]
        for column in columns:
            selected += self._selected(column.name, column.tested(), marked=column.marked)
        values = iter(self._connection.execute(f"SELECT {', '.join(selected)} FROM {self._rows}").fetchone() or ())
        rows = int(next(values))
        for column in columns:
            self._settle(column, values)
        return rows

    def _scan_long(self, columns: Sequence[InferredColumn]) -> int:
        """Do the same for many columns: those that are tested alike are one long column, as planning takes longest."""
        alike: dict[tuple[bool, tuple[str, ...]], list[InferredColumn]] = {}
        for column in columns:
            alike.setdefault((column.marked, tuple(column.tested())), []).append(column)
        rows = 0
        for (marked, tested), group in alike.items():
            for first in range(0, len(group), _CHUNK):
                block = group[first : first + _CHUNK]
                names = ", ".join(column.name for column in block)
                cells = f"UNPIVOT (SELECT {names}, '' AS every FROM {self._rows}) ON {names}, every INTO NAME i VALUE v"
                selected = ", ".join(self._selected("v", tested, marked=marked))
                looks = self._connection.execute(f"SELECT i, {selected} FROM ({cells}) GROUP BY i").fetchall()
                by_name = {name: values for name, *values in looks}
                rows = by_name["every"][0] if "every" in by_name else 0
                for column in block:
                    if column.name in by_name:
                        self._settle(column, iter(by_name[column.name]))
                    else:
                        column.done = True
        return rows

    def _selected(self, name: str, tested: Sequence[str], *, marked: bool) -> list[str]:
        """Return what to select of a column: its cells, those that begin with a blank, and what `_settle` takes."""
        padded = [] if tested else [f"count(*) FILTER (WHERE {name} < '!')"]
        rest = self._marked(name, tested) if marked else self._unmarked(name, tested)
        return [f"count({name})", *padded, *rest]

    def _unmarked(self, name: str, tested: Sequence[str]) -> list[str]:
        """Return what to select of a column that may have no marker."""
        tests = [_fails(name, kind) for kind in tested] or [is_marker(name, self._markers)]
        return [f"count(*) FILTER (WHERE {test})" for test in tests]

    def _marked(self, name: str, tested: Sequence[str]) -> list[str]:
        """Return what to select of a column with markers: their counts, and a value without each type.

        Of a text it is, instead of these values, the number of cells that are not two capital letters.
        """
        marker = is_marker(name, self._markers)
        code = f"regexp_full_match({name}, {literal(_CODE.pattern)})"
        codes = f"CASE WHEN {name} IS NULL OR {code} THEN false ELSE NOT {marker} END"
        rest = [
            f"min(CASE WHEN {_fails(name, kind)} THEN CASE WHEN NOT {marker} THEN {name} END END)" for kind in tested
        ]
        return [
            f"histogram(CASE WHEN {marker} THEN trim({name}, {_TRIMMED}) END)",
            *(rest or [f"count(*) FILTER (WHERE {codes})"]),
        ]

    def _settle(self, column: InferredColumn, values: Iterator[Any]) -> None:
        """Take the values that were selected; rule out the types that any cell but the markers does not have."""
        tested = column.tested()
        column.present = next(values)
        column.padded = 0 if tested else next(values)
        if not column.marked:
            column.fits = [kind for kind in tested if next(values) == 0]
            column.done = tested[0] in column.fits if tested else next(values) == 0
            column.marked = not column.done
            return
        column.markers = dict(next(values) or {})
        column.codes = not tested and next(values) == 0
        examples = {kind: next(values) for kind in tested}
        column.fits = [kind for kind in tested if examples[kind] is None]
        column.done = not tested or tested[0] in column.fits
        for example in () if column.done else set(examples.values()) - {None}:
            tests = ", ".join(_fails("v", kind) for kind in column.left)
            failed = self._connection.execute(f"SELECT {tests} FROM (SELECT {literal(example)} AS v)").fetchone() or ()
            column.left = [kind for kind, fails in zip(column.left, failed, strict=True) if not fails]

    def _read_as_written(self, column: InferredColumn) -> None:
        """Find other formats of a column that is text, or whose numbers may have thousands points."""
        name = column.name
        ambiguous = "grouped" in column.fits
        if (column.fits and not ambiguous and column.fits != ["integer"]) or not column.cells:
            return
        if all(_PHONE.fullmatch(cell) for cell in column.cells):
            return
        formats = possible_formats(column.cells)
        if column.fits == ["integer"]:
            formats = [item for item in formats if item.dates]
            if not formats or not all(_RECENT_DAY.fullmatch(cell.strip()) for cell in column.cells):
                return
        if formats:
            present = f"{name} IS NOT NULL AND NOT {is_marker(name, self._markers)}"
            cells = f"(SELECT {name} AS v FROM {self._rows} WHERE {present})"
            column.written = check_formats(self._connection, cells, formats)


def _fails(name: str, kind: str) -> str:
    # CASE evaluates a branch only for the rows that no earlier branch matches; AND and OR do not.
    return f"CASE WHEN {name} IS NULL THEN false WHEN {plain_tests(name)[kind]} THEN false ELSE true END"


_TRIMMED = literal(BLANKS)
_TYPES = tuple(plain_tests("v"))
_ISO = ("date", "timestamp", "zoned", "precise")
_CODE = re.compile("[A-Z]{2}")
_PHONE = re.compile(r"\s*\+\d{6,}\s*")
_RECENT_DAY = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
