"""Columns of text whose cells are numbers or dates as people write them: with signs, marks, units, names of months.

A sample of a column names the formats that are possible; one query over all of its cells then says which of them fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.datasets._column_format import ColumnFormat
from core.datasets._date_format import DATE_FORMATS, TIME_FORMATS, date_shape
from core.datasets._number_format import CURRENCY, DIGITS, NUMBER, NUMBER_STYLES, typed
from core.datasets._number_sql import MACROS, number_value

if TYPE_CHECKING:
    import duckdb

__all__ = ["Fit", "WrittenColumn", "check_formats", "possible_formats"]

MIN_SHARE = 0.9
"""Share of the sampled cells that a format must fit to be checked on all of them."""
_DISTINCT = 20
# Units that may follow a number without a blank. Others would turn codes such as "12th" or "4G" into numbers.
_UNITS = re.compile(
    "%|‰|°[CF]?|[mck]m|m[23²³]|km²|kg|mg|µg|lbs?|oz|m[lL]|[cd]l|ha|ft|in|mi|mph|km/?h|min|sec|ms|hrs?|kWh?|MWh?|[kKMGT]B"
    "|[kMG]?Hz|mAh|[hk]?Pa|bar|k?cal|kJ|px|pt|rpm|bpm|ppm|dB"
)
_LETTER_UNITS = frozenset("mghsld")


@dataclass(frozen=True)
class Fit:
    """How far a format fits a column: the number of cells that have no value in it, and one of them."""

    format: ColumnFormat
    failed: int
    example: str | None


@dataclass
class WrittenColumn:
    """What the cells of a column of text may be.

    Parameters
    ----------
    fits : list of Fit
        Formats of which most cells have a value.
    cells : int, default=0
        Number of cells that are not missing.
    signs : tuple of str, default=()
        Currencies and units beside its numbers.
    marked : bool, default=False
        Whether a number has a point or a comma.
    problem : str, default=""
        Reason why its numbers are not read as such, as a predicate, such as "has amounts in '$' and '€'".
    """

    fits: list[Fit] = field(default_factory=list)
    cells: int = 0
    signs: tuple[str, ...] = ()
    marked: bool = False
    problem: str = ""


def possible_formats(values: Sequence[str]) -> list[ColumnFormat]:
    """Return the formats that most of some distinct cells have.

    Examples
    --------
    >>> [item.spec for item in possible_formats(["$1,200.50", "$3.10"])]
    ['number:1,234.5', 'number:1,23,456.5']
    >>> [item.spec for item in possible_formats(["13-Jan-24", "02-Mar-24"])]
    ['date:%d-%b-%y']
    """
    enough = MIN_SHARE * len(values)
    matches = [match for value in values if (match := _NUMBER.fullmatch(typed(value)))]
    formats = []
    if len(matches) >= enough and not any(re.match("0[0-9]", match["digits"]) for match in matches):
        for style, pattern in _DIGITS.items():
            if sum(pattern.fullmatch(match["digits"].rstrip()) is not None for match in matches) >= enough:
                formats.append(ColumnFormat("number", style=style))
    if not any(any(char.isdigit() for char in value) for value in values):
        return formats
    for date in DATE_FORMATS:
        if _share(_SHAPES[date], values) >= enough:
            formats.append(ColumnFormat("date", dates=(date,)))
            continue
        if _share(_TIMED_SHAPES[date], values) >= enough:
            formats.append(ColumnFormat("timestamp", dates=_TIMED[date]))
    return formats


def _share(shape: re.Pattern[str], values: Iterable[str]) -> int:
    return sum(shape.fullmatch(value.strip()) is not None for value in values)


def check_formats(
    connection: duckdb.DuckDBPyConnection,
    cells: str,
    formats: Sequence[ColumnFormat],
    *,
    min_share: float = MIN_SHARE,
) -> WrittenColumn:
    """Check formats on all cells of a column.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Connection that can read the cells.
    cells : str
        SQL of a relation with one column, ``v``, of the cells that are not missing.
    formats : sequence of ColumnFormat
        Formats to check.
    min_share : float, default=0.9
        Share of the cells with a value from which on a format is listed.

    Returns
    -------
    WrittenColumn
    """
    for macro in MACROS:
        connection.execute(macro)
    values = [number_value("p", NUMBER_STYLES[i.style]) if i.style else i.value("v") for i in formats]
    parts = f"(SELECT v, number_parts(v) AS p FROM {cells})" if any(item.style for item in formats) else cells
    counted = ", ".join(
        f"count(*) FILTER (WHERE f{i} IS NULL), min(v) FILTER (WHERE f{i} IS NULL)" for i in range(len(values))
    )
    computed = ", ".join(f"{value} AS f{i}" for i, value in enumerate(values))
    row = connection.execute(f"SELECT count(*), {counted} FROM (SELECT v, {computed} FROM {parts})").fetchone() or (0,)
    column = WrittenColumn(cells=int(row[0]))
    for index, item in enumerate(formats):
        failed, example = row[1 + 2 * index : 3 + 2 * index]
        if failed <= (1 - min_share) * column.cells:
            column.fits.append(Fit(item, int(failed), example))
    if any(fit.format.style for fit in column.fits):
        _look_at_signs(connection, cells, column)
    return column


def _look_at_signs(connection: duckdb.DuckDBPyConnection, cells: str, column: WrittenColumn) -> None:
    """Find the currencies and units, and whether they let the cells be numbers."""
    rows = connection.execute(
        "SELECT number_sign(p) AS sign, count(*), bool_or(regexp_matches(p.digits, '[.,]')) AS marked, "
        "bool_and(p.digits LIKE '% '), count(*) FILTER (WHERE number_scale(p.tail) <> ''), "
        "bool_or(number_scale(p.tail) <> '' AND (number_sign(p) <> '' OR regexp_matches(p.digits, '[.,]'))) "
        f"FROM (SELECT number_parts(v) AS p FROM {cells}) GROUP BY sign ORDER BY 2 DESC LIMIT 10"
    ).fetchall()
    rows = [row for row in rows if row[0] is not None]  # cells that are not numbers
    column.marked = any(marked for _, _, marked, *_ in rows)
    scaled = sum(count for *_, count, _ in rows)
    signs = {sign: (count, marked, spaced) for sign, count, marked, spaced, *_ in rows if sign}
    column.signs = tuple(sorted(signs))
    if len(signs) > 1 and all(any(map(str.isdigit, sign)) for sign in signs):
        column.fits = [fit for fit in column.fits if fit.format.kind != "number"]  # parts of codes, such as 2024Q1
        return
    total = sum(row[1] for row in rows)
    if len(signs) > 1:
        listed = ", ".join(repr(sign) for sign in column.signs[:3])
        column.problem = f"has amounts in {listed}"
    elif scaled and not any(reason for *_, reason in rows):
        column.problem = "has a letter after its numbers, which may be thousands or a code"
    for sign, (count, marked, spaced) in signs.items():
        if column.problem or _CURRENCY.fullmatch(sign):
            continue
        short = sign in _LETTER_UNITS and (marked or _has_many_digits(connection, cells))
        if not (spaced or _UNITS.fullmatch(sign) or short):
            column.problem = f"has {sign!r} after its numbers, which may be a code"
        elif count < total:
            column.problem = f"has {sign!r} after {count:,} of its {total:,} numbers"


def _has_many_digits(connection: duckdb.DuckDBPyConnection, cells: str) -> bool:
    """Return whether the numbers of a column with one sign differ."""
    query = f"SELECT approx_count_distinct(number_parts(v).digits) FROM {cells}"
    return bool((connection.execute(query).fetchone() or (0,))[0] >= _DISTINCT)


_NUMBER = re.compile(NUMBER.replace(f"({DIGITS})", f"(?P<digits>{DIGITS})"), re.ASCII)
_CURRENCY = re.compile(CURRENCY)
_DIGITS: Mapping[str, re.Pattern[str]] = {name: re.compile(style.pattern) for name, style in NUMBER_STYLES.items()}
_SHAPES: Mapping[str, re.Pattern[str]] = {date: re.compile(date_shape(date)) for date in DATE_FORMATS}
_TIMED = {date: tuple(f"{date} {time}" for time in TIME_FORMATS) for date in DATE_FORMATS}
_TIMED_SHAPES: Mapping[str, re.Pattern[str]] = {
    date: re.compile("|".join(map(date_shape, times))) for date, times in _TIMED.items()
}
