"""The columns of a file: the type of each, how its values are written, and why."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.datasets import COLUMN_KINDS, DATE_FORMATS, NUMBER_STYLES, TEXT_STYLES, ReadReport
from pages.data.shown_reading import Reading

__all__ = ["in_words", "show", "title"]

_PLAIN = "plain"

_FIELDS = {
    "%d": "day",
    "%m": "month",
    "%Y": "year",
    "%y": "year (2 digits)",
    "%b": "month's name",
    "%B": "month's name",
    "%H": "hour",
    "%I": "hour",
    "%M": "minute",
    "%S": "second",
    "%f": "fraction",
    "%p": "AM or PM",
}
_BECAUSE = {
    "boolean": "every value is true or false",
    "integer": "every value is a whole number",
    "number": "every value is a number",
    "date": "every value is a date",
    "timestamp": "every value is a date with a time",
    "text": "no other type holds each value as it is written",
}


def title(spec: str) -> str:
    """Return the words for a type that a column may have.

    Examples
    --------
    >>> title("number:1.234,5"), title("date:%d/%m/%Y"), title("text")
    ('Number, as 1.234,5', 'Date, as day/month/year', 'Text')
    """
    kind, _, written = spec.partition(":")
    if not written:
        return kind.capitalize()
    return f"{kind.capitalize()}, {'' if written in TEXT_STYLES else 'as '}{_written(written)}"


def in_words(text: str) -> str:
    """Return a text with the fields of dates in words.

    Examples
    --------
    >>> in_words("holds dates written as %d.%m.%Y")
    'holds dates written as day.month.year'
    """
    for field, name in _FIELDS.items():
        text = text.replace(field, name)
    return text


def _written(style: str) -> str:
    """Return words for a way to write numbers or dates."""
    return "As it is" if style == _PLAIN else in_words(style.split(" | ")[0])


def show(reading: Reading) -> dict[str, str]:
    """Draw the columns with their types; return those that were changed."""
    st.subheader("The columns")
    report = reading.report
    specs = {
        column: reading.given.column_types.get(column, report.options.column_types.get(column, kind))
        for column, kind in report.types.items()
    }
    styles = [spec.partition(":")[2] or _PLAIN for spec in specs.values()]
    known = [_PLAIN, *NUMBER_STYLES, *DATE_FORMATS, *TEXT_STYLES]
    edited = st.data_editor(
        pd.DataFrame(
            {
                "Column": list(specs),
                "Type": [spec.partition(":")[0] for spec in specs.values()],
                "Written as": styles,
                "Missing": [_missing(report, column) for column in specs],
                "Why": [_why(reading, column) for column in specs],
            }
        ),
        hide_index=True,
        disabled=True if reading.fixed else ["Column", "Missing", "Why"],
        column_config={
            "Column": st.column_config.TextColumn(pinned=True),
            "Type": st.column_config.SelectboxColumn(
                options=list(COLUMN_KINDS),
                format_func=lambda kind: str(kind).capitalize(),
                required=True,
                width="small",
            ),
            "Written as": st.column_config.SelectboxColumn(
                options=[*known, *sorted(set(styles) - set(known))],
                format_func=lambda style: _written(str(style)),
                required=True,
                help="How numbers or dates are written, or what NA means in a text. As it is: what fits most of the "
                "cells.",
            ),
            "Missing": st.column_config.TextColumn(help="Texts that were read as missing, with their counts."),
            "Why": st.column_config.TextColumn(width="large"),
        },
        key=f"data-reading-types-{reading.key}",
    )
    changed = {}
    for column, kind, style in zip(edited["Column"], edited["Type"], edited["Written as"], strict=True):
        spec = f"{kind}:{style}" if _fits(kind, style) else kind
        if spec != specs[column]:
            changed[column] = spec
    return changed


def _fits(kind: str, written: str) -> bool:
    """Return whether values of a type can be written in a way."""
    if written in NUMBER_STYLES:
        return kind == "number"
    if written in TEXT_STYLES:
        return kind == "text"
    return kind in ("date", "timestamp") and written != _PLAIN


def _missing(report: ReadReport, column: str) -> str:
    markers = report.missing_markers.get(column, {})
    return ", ".join(f"{marker or 'empty'} ({count:,})" for marker, count in markers.items())


def _why(reading: Reading, column: str) -> str:
    report = reading.report
    if reading.given.column_types.get(column) != report.given.column_types.get(column):
        return "Being read again"
    start = f"Column {column!r} "
    notices = [notice.removeprefix(start).rstrip(".") for notice in report.notices if notice.startswith(start)]
    if column in report.given.column_types:
        return "; ".join(["chosen by you", *(notice for notice in notices if not notice.endswith("as was asked"))])
    return in_words("; ".join(notices)) or f"detected: {_BECAUSE[report.types[column]]}"
