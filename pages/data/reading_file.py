"""What was decided about a file as a whole, why, and a control for each decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.datasets import Decision
from pages._ui import frame
from pages.data.shown_reading import Reading

__all__ = ["LAYOUT", "Changes", "show"]

Changes: TypeAlias = dict[str, str | int | tuple[str, ...] | None]

LAYOUT = frozenset({"encoding", "delimiter", "quote", "header", "skip_rows", "sheet"})
"""Options with which a file may have other columns."""

_AUTO = "auto"
_NO_HEADER = "none"  # a widget's None means that nothing is chosen
_LABELS = {
    "encoding": "Encoding",
    "delimiter": "Delimiter",
    "quote": "Quote",
    "skip_rows": "Rows to skip",
    "header": "Header",
    "sheet": "Sheet",
    "decimal": "Decimal mark",
    "thousands": "Thousands mark",
    "date_order": "Order of dates",
}
_ENCODINGS = ("utf-8", "windows-1252", "iso-8859-15", "windows-1250", "windows-1251", "utf-16", "shift_jis", "gb18030")
_BY_COLUMN = "Decided by column"
_CHOICES: dict[str, dict[Any, str]] = {
    "encoding": {name: name for name in _ENCODINGS},
    "delimiter": {
        ",": "Comma ,",
        ";": "Semicolon ;",
        "\t": "Tab",
        "|": "Bar |",
        " ": "Blanks",
        ":": "Colon :",
        "::": "Two colons ::",
        "fixed": "Fixed width",
        "": "None: one column",
    },
    "quote": {'"': 'Double "', "'": "Single '", "": "None"},
    "header": {
        0: "The first row has the names",
        1: "The second row has the names",
        _NO_HEADER: "No names: columns are numbered",
    },
    "decimal": {_AUTO: _BY_COLUMN, ".": "Point: 1,234.5", ",": "Comma: 1.234,5"},
    "thousands": {
        _AUTO: _BY_COLUMN,
        ",": "Comma: 1,234",
        ".": "Point: 1.234",
        " ": "Blank: 1 234",
        "'": "Apostrophe: 1'234",
        "": "None: 1234",
    },
    "date_order": {_AUTO: _BY_COLUMN, "dmy": "Day, month, year", "mdy": "Month, day, year"},
}
_DETECTED = {"certain": "Detected", "likely": "Probably", "guessed": "Not decided"}


def show(reading: Reading) -> Changes:
    """Draw the controls; return the options that were changed."""
    decisions = {decision.name: decision for decision in reading.report.decisions}
    names = [name for name in _LABELS if name in decisions or (name == "thousands" and "decimal" in decisions)]
    changes: Changes = {}
    cells = _grid(len(names) + 1)
    for name, cell in zip(names, cells, strict=False):
        with cell:
            current = reading.current(name)
            value = _count(reading, current) if name == "skip_rows" else _choose(reading, name, current)
            st.caption(_because(reading, name, decisions.get(name)))
        if value != current:
            changes[name] = value
    with cells[len(names)]:
        missing = _missing(reading)
    if missing is not None:
        changes["missing_values"] = missing
    return changes


def _grid(count: int) -> Sequence[DeltaGenerator]:
    cells: list[DeltaGenerator] = []
    while len(cells) < count:
        cells += st.columns(3, gap="medium")
    return cells


def _choose(reading: Reading, name: str, current: Any) -> Any:
    if name == "sheet":
        choices: dict[Any, str] = {sheet: sheet for sheet in reading.report.sheets}
    else:
        choices = dict(_CHOICES[name])
    shown = _NO_HEADER if name == "header" and current is None else current
    choices.setdefault(shown, _automatic(reading, name) if shown == _AUTO else str(shown))
    options = list(choices)
    value = st.selectbox(
        _LABELS[name],
        options,
        index=options.index(shown),
        format_func=lambda choice: choices[choice],
        disabled=reading.fixed,
        key=f"data-reading-{name}-{reading.key}",
    )
    return None if value == _NO_HEADER else value


def _automatic(reading: Reading, name: str) -> str:
    joined = name == "header" and reading.report.types  # the only header that no number stands for
    return "Two rows, joined" if joined else "Detected automatically"


def _count(reading: Reading, current: Any) -> int | str:
    value = st.number_input(
        _LABELS["skip_rows"],
        min_value=0,
        value=current if isinstance(current, int) else None,
        placeholder="Detected automatically",
        help="Rows before the table, such as titles.",
        disabled=reading.fixed,
        key=f"data-reading-skip_rows-{reading.key}",
    )
    return _AUTO if value is None else int(value)


def _missing(reading: Reading) -> tuple[str, ...] | str | None:
    """Draw the control of the missing markers; return what was chosen, or None where nothing was changed."""
    asked = reading.current("missing_values")
    given = asked if isinstance(asked, tuple) else ()
    markers = _markers(reading.report.missing_markers)
    missing = st.multiselect(
        "Missing values",
        sorted({*given, *markers}),
        default=list(given),
        accept_new_options=True,
        placeholder="The usual ones",
        help="Texts that mean a missing value, in any column, in place of the usual ones. Type to add another.",
        disabled=reading.fixed,
        key=f"data-reading-missing-{reading.key}",
    )
    listed = ", ".join(f"'{marker}'" for marker in markers)
    st.caption(frame.plain(f"Read as missing: {listed}.") if markers else "No text that means missing was found.")
    if tuple(missing) == given:
        return None
    return tuple(missing) or _AUTO


def _markers(by_column: Mapping[str, Mapping[str, int]]) -> list[str]:
    return sorted({marker for counts in by_column.values() for marker in counts if marker})


def _because(reading: Reading, name: str, decision: Decision | None) -> str:
    """Return why an option has its value."""
    if getattr(reading.given, name) != getattr(reading.report.given, name):
        return "Being read again."
    if decision is None or decision.evidence == "It was given.":
        return "Chosen by you." if getattr(reading.given, name) != _AUTO else "Decided with each column that has one."
    if decision.confidence == "given" or decision.value == _AUTO:
        return frame.plain(decision.evidence)
    return f"{_DETECTED[decision.confidence]}: {frame.plain(decision.evidence)}"
