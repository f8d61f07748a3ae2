"""What is decided once for all columns of a file: the decimal mark, and the order of day and month."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.datasets._column_format import ColumnFormat
from core.datasets._date_format import DATE_FORMATS, TIME_FORMATS
from core.datasets._number_format import NUMBER_STYLES
from core.datasets._options import AUTO, Decision, ReadOptions
from core.datasets._types import InferredColumn
from core.datasets._written_formats import Fit

__all__ = ["agrees", "decide_date_order", "decide_decimal", "mark_of", "order_of", "ways_to_write", "whole_fits"]


def decide_decimal(
    columns: Iterable[tuple[str, InferredColumn]], options: ReadOptions, delimiter: str | None
) -> Decision:
    """Decide the decimal mark of columns that could be read either way."""
    if options.decimal != AUTO:
        return Decision("decimal", options.decimal, "It was given.", "given")
    if options.thousands in (",", "."):
        mark = "." if options.thousands == "," else ","
        return Decision("decimal", mark, f"The mark between thousands was given as {options.thousands!r}.", "given")
    votes: dict[str, list[str]] = {".": [], ",": []}
    open_columns: dict[str, list[str]] = {".": [], ",": []}  # by the mark in front of three digits
    for label, column in columns:
        marks = {NUMBER_STYLES[fit.format.style].decimal for fit in whole_fits(column, "number")}
        if "number" in column.fits and "grouped" not in column.fits:
            votes["."].append(label)
        elif len(marks) == 1 and column.written and column.written.marked:
            votes[marks.pop()].append(label)
        elif len(marks) == 2 and _is_open(column):
            open_columns["." if "grouped" in column.fits else mark_of(column)].append(label)
    if options.thousands == "":
        mark = "," if open_columns[","] else "."
        return Decision("decimal", mark, "It was given that no mark stands between thousands.", "given")
    if votes[","] and not votes["."]:
        return Decision("decimal", ",", f"{votes[','][0]!r} has decimal commas.", "certain")
    if votes["."] and not votes[","]:
        return Decision("decimal", ".", f"{votes['.'][0]!r} has decimal points.", "certain")
    if not votes["."] and not votes[","]:
        if open_columns["."] and not open_columns[","] and delimiter == ";":
            evidence = f"Fields are separated by ';', and {open_columns['.'][0]!r} has three digits after every point."
            return Decision("decimal", ",", evidence, "likely")
        if delimiter == "," and (open_columns["."] or open_columns[","]):
            return Decision("decimal", ".", "Fields are separated by commas.", "likely")
        if open_columns[","] and delimiter != ";":
            evidence = f"{open_columns[','][0]!r} has three digits after every comma."
            return Decision("decimal", ".", evidence, "likely")
    evidence = "No number tells it." if not votes["."] else "Columns differ."
    return Decision("decimal", AUTO, evidence, "guessed")


def mark_of(column: InferredColumn) -> str:
    """Return the mark in the numbers of a column that is not decided."""
    return "," if any("," in cell for cell in column.cells) else "."


def _is_open(column: InferredColumn) -> bool:
    """Return whether the numbers of a column have another value with another decimal mark."""
    return bool(column.written and column.written.marked and not column.written.problem)


def whole_fits(column: InferredColumn, *types: str) -> list[Fit]:
    """Return the formats that all cells of a column have."""
    fits = column.written.fits if column.written else []
    return [fit for fit in fits if not fit.failed and fit.format.kind in types]


def decide_date_order(columns: Iterable[tuple[str, InferredColumn]], options: ReadOptions) -> Decision:
    """Decide the order of day and month in dates that could be read either way."""
    if options.date_order != AUTO:
        return Decision("date_order", options.date_order, "It was given.", "given")
    votes: dict[str, list[str]] = {"dmy": [], "mdy": []}
    for label, column in columns:
        orders = {order_of(fit.format) for fit in whole_fits(column, "date", "timestamp")}
        if (
            len(orders) == 1
            and (order := orders.pop()) in votes
            and "." not in whole_fits(column, "date", "timestamp")[0].format.dates[0]
        ):
            votes[order].append(label)
    if bool(votes["dmy"]) != bool(votes["mdy"]):
        order = "dmy" if votes["dmy"] else "mdy"
        words = "a day above 12 in the first place" if order == "dmy" else "a day above 12 in the second place"
        return Decision("date_order", order, f"{votes[order][0]!r} has {words}.", "certain")
    return Decision("date_order", AUTO, "Columns differ." if votes["dmy"] else "No date tells it.", "guessed")


def order_of(item: ColumnFormat) -> str:
    """Return the order of day and month in a format, or an empty string."""
    date = item.dates[0]
    if date.startswith("%d"):
        return "dmy"
    return "mdy" if date.startswith("%m") else ""


def ways_to_write(item: ColumnFormat) -> list[ColumnFormat]:
    """Return the ways in which values of a type may be written."""
    if item.style or item.dates or item.kind in ("boolean", "integer"):
        return [item]
    if item.kind == "number":
        return [item, *(replace(item, style=style) for style in NUMBER_STYLES)]
    dates = [replace(item, dates=(date,)) for date in DATE_FORMATS]
    if item.kind == "date":
        return [item, *dates]
    timed = [replace(item, dates=(*(f"{date} {time}" for time in TIME_FORMATS), date)) for date in DATE_FORMATS]
    return [item, replace(item, zoned=True), *timed]


def agrees(item: ColumnFormat, decimal: Decision, order: Decision) -> bool:
    """Return whether a format has the decimal mark and the order of dates that were decided for the file."""
    if item.style:
        return decimal.value in (AUTO, NUMBER_STYLES[item.style].decimal)
    return order.value in (AUTO, order_of(item)) if item.dates else True
