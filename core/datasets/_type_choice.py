"""The type of each column of text.

What a mark in a number means, and the order of day and month, are decided once for a file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.datasets._column_format import BLANKS, ColumnFormat
from core.datasets._delimited import Source
from core.datasets._file_decisions import (
    agrees,
    decide_date_order,
    decide_decimal,
    mark_of,
    order_of,
    ways_to_write,
    whole_fits,
)
from core.datasets._number_format import NUMBER_STYLES, typed
from core.datasets._options import AUTO, Decision, ReadOptions
from core.datasets._text_column import TextColumn, plain_column, text_column, written_column
from core.datasets._types import InferredColumn, infer_types
from core.datasets._written_formats import Fit, check_formats
from core.query import literal

if TYPE_CHECKING:
    import duckdb

__all__ = ["TypedColumns", "choose_types"]


@dataclass(frozen=True)
class TypedColumns:
    """The columns of a relation with their types, and what was decided for all of them."""

    rows: int
    columns: list[TextColumn]
    decisions: list[Decision]


def choose_types(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    labels: Sequence[str],
    *,
    options: ReadOptions | None = None,
    like: Mapping[str, str] | None = None,
    lossy: Collection[str] = (),
    delimiter: str | None = None,
    strings: Collection[str] = (),
) -> TypedColumns:
    """Choose the types of the text columns of a relation.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Connection that can read the relation.
    source : Source
        The relation; its column names need no quotes.
    labels : sequence of str
        Names of the columns for users, in order.
    options : ReadOptions, optional
        Decisions that are given.
    like : mapping of str to str, optional
        Types of columns elsewhere, by label, which are used where the options have none. A column of plain numbers or
        dates with a cell that is neither stays text, so that whoever asked can say what it is; one of integers may have
        other numbers.
    lossy : collection of str, default=()
        Labels among these of columns whose cells become missing instead.
    delimiter : str, optional
        Delimiter of a text file, which hints at the decimal mark.
    strings : collection of str, default=()
        Names of columns that are text by declaration: only dates in ISO 8601 are recognized in them.

    Returns
    -------
    TypedColumns
    """
    options = options or ReadOptions()
    specs = {**(like or {}), **options.column_types}
    given = {
        name: ColumnFormat.parse(specs[label])
        for name, label in zip(source.columns, labels, strict=True)
        if label in specs
    }
    chosen_by_name = {*options.column_types, *lossy}
    strict = {name for name, label in zip(source.columns, labels, strict=True) if label in chosen_by_name}
    markers = None if options.missing_values == AUTO else options.missing_values
    rows, columns = infer_types(connection, source, strings=strings, given=given, markers=markers)
    named = list(zip(labels, columns, strict=True))
    decimal = decide_decimal(named, options, delimiter)
    order = decide_date_order(named, options)
    chosen = [
        _given(connection, source, column, given[column.name], decimal, order, strict=column.name in strict)
        if column.name in given
        else _choose(column, decimal, order)
        for column in columns
    ]
    return TypedColumns(rows, chosen, [decision for decision in (decimal, order) if decision])


def _choose(column: InferredColumn, decimal: Decision, order: Decision) -> TextColumn:
    if not column.values:
        return TextColumn("text", "NULL::VARCHAR", column.markers, "has no values", ColumnFormat("text"), empty=True)
    fits = column.fits
    if "coded" in fits and "number" in fits:
        evidence = "has numbers with an E, such as 1E5, which may be codes"
        return text_column(column, candidates=("number",), evidence=evidence)
    written = _written(column, decimal, order)
    if written and (fits in ([], ["integer"]) or "grouped" in fits):
        return written
    if "grouped" in fits:
        evidence = "could mean 1,037 or 1.037"
        if decimal.value == ".":
            return plain_column(column, "number")
        return text_column(column, candidates=("number", "number:1.234,5"), evidence=evidence)
    for kind in ("boolean", "integer", "number", "date", "timestamp"):
        if kind in fits:
            return plain_column(column, kind)
    if "zoned" in fits:
        return plain_column(column, "timestamp", zoned=True)
    return _undecided(column)


def _written(column: InferredColumn, decimal: Decision, order: Decision) -> TextColumn | None:
    """Return the type of a column whose cells are numbers or dates with marks, if that is decided."""
    written = column.written
    if written is None:
        return None
    dates = whole_fits(column, "date", "timestamp")
    if dates and not (len({order_of(fit.format) for fit in dates}) > 1 and order.value == AUTO):
        first = next((fit.format for fit in dates if order_of(fit.format) in (order.value, "")), dates[0].format)
        noun = "dates" if first.kind == "date" else "times"
        return written_column(column, first, f"holds {noun} written as {_named(first)}")
    numbers = whole_fits(column, "number")
    if not numbers or written.problem:
        return None
    marks = {NUMBER_STYLES[fit.format.style].decimal for fit in numbers}
    if len(marks) == 2 and written.marked and decimal.value == AUTO:
        return None
    mark = decimal.value if decimal.value in marks else min(marks, key=(".", ",").index)
    first = next(fit.format for fit in numbers if NUMBER_STYLES[fit.format.style].decimal == mark)
    style = NUMBER_STYLES[first.style]
    parts = []
    if written.signs:
        parts.append(f"{' and '.join(map(repr, written.signs))} was removed")
    if written.marked:
        names = {",": "commas", ".": "points", " ": "blanks", "'": "apostrophes"}
        has = [cell for cell in column.cells if style.thousands in typed(cell)]
        if style.decimal == "," and any("," in cell for cell in column.cells):
            parts.append("it has decimal commas")
        elif has:
            parts.append(f"it has thousands {names[style.thousands]}")
    notice = f"was read as numbers{': ' if parts else ''}{'; '.join(parts)}"
    return written_column(column, replace(first, signs=written.signs), notice)


def _named(item: ColumnFormat) -> str:
    return item.dates[0] if item.kind == "date" else item.dates[0].rsplit(" ", 1)[0]


def _undecided(column: InferredColumn) -> TextColumn:
    """Return a column of text; what else it may be is listed."""
    written = column.written
    if written is None or not written.fits:
        return text_column(column)
    specs = tuple(fit.format.spec for fit in _distinct(written.fits))
    if written.problem:
        return text_column(column, candidates=specs, evidence=written.problem)
    best = min(written.fits, key=lambda fit: fit.failed)
    if best.failed:
        what = "dates" if best.format.dates else "numbers"
        evidence = f"has {best.failed:,} of {written.cells:,} values that are not {what}, such as {best.example!r}"
        specs = tuple(fit.format.spec for fit in _distinct(written.fits) if fit.failed == best.failed)
        return text_column(column, candidates=specs, evidence=evidence)
    if best.format.dates:
        evidence = "holds dates that could be day-month or month-day"
    else:
        mark = mark_of(column)
        evidence = f"could mean {'1,234 or 1.234' if mark == ',' else '1.234 or 1,234'}"
    return text_column(column, candidates=specs, evidence=evidence)


def _distinct(fits: Sequence[Fit]) -> list[Fit]:
    """Return one format of numbers for each decimal mark, and all formats of dates."""
    kept: dict[str, Fit] = {}
    for fit in fits:
        key = fit.format.spec if fit.format.dates else NUMBER_STYLES[fit.format.style].decimal
        if key not in kept or fit.failed < kept[key].failed:
            kept[key] = fit
    return list(kept.values())


def _given(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    column: InferredColumn,
    item: ColumnFormat,
    decimal: Decision,
    order: Decision,
    *,
    strict: bool,
) -> TextColumn:
    """Return a column of the type that was given; cells without such a value become missing, and are counted."""
    if item.kind == "text" or not column.values:
        if item.kind == "text":
            return text_column(column, whole=strict, na=item.na)
        return TextColumn(item.kind, _NULL[item.kind], column.markers)
    missing = ", ".join(literal(marker) for marker in column.markers)
    name = column.name
    cells = f"(SELECT {name} AS v FROM {source.rows} WHERE {name} IS NOT NULL"
    cells += f" AND trim({name}, {literal(BLANKS)}) NOT IN ({missing}))" if missing else ")"
    ways = ways_to_write(item)
    fits = check_formats(connection, cells, ways[:1], min_share=0.0).fits
    if len(ways) > 1 and fits[0].failed:  # the first is the plain one, which is tested in a tenth of the time
        fits = check_formats(connection, cells, ways, min_share=0.0).fits or fits  # none where they are parts of codes
    least = min(fit.failed for fit in fits)
    if least and not strict and item.kind == "integer":
        return _given(connection, source, column, ColumnFormat("number"), decimal, order, strict=False)
    if least and not strict and not (item.style or item.dates):
        return text_column(column)
    best = [fit for fit in fits if fit.failed == least]
    chosen = next((fit for fit in best if agrees(fit.format, decimal, order)), best[0])
    text = written_column(column, chosen.format, f"is read as {chosen.format.spec}, as was asked")
    if not least:
        return text
    example = f"{chosen.example!r}"
    values = "1 value that is not" if least == 1 else f"{least:,} values that are not"
    notice = f"has {values} {_NOUNS[item.kind]}, such as {example}: missing now"
    return replace(text, notice=notice, lost=least)


_NOUNS = {
    "boolean": "truth values",
    "integer": "integers",
    "number": "numbers",
    "date": "dates",
    "timestamp": "times",
}
_NULL = {
    "boolean": "NULL::BOOLEAN",
    "integer": "NULL::BIGINT",
    "number": "NULL::DOUBLE",
    "date": "NULL::DATE",
    "timestamp": "NULL::TIMESTAMP",
}
