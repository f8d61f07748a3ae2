"""The tab Reading: how the file was read, why, and what to change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.catalog import Dataset
from core.datasets import Decision, ReadOptions, ReadReport, Undecided
from core.tasks import ingest
from pages._ui import address, frame, tables
from pages.data import reading_columns

__all__ = ["show"]

_ROWS = 20
_TEXT = "Keep as text"
_DELIMITERS = {
    ",": "Comma ,",
    ";": "Semicolon ;",
    "\t": "Tab",
    "|": "Bar |",
    " ": "Blanks",
    ":": "Colon :",
    "::": "Two colons ::",
    "fixed": "Fixed width",
    "": "None: one column",
}
_QUOTES = {'"': 'Double "', "'": "Single '", "": "None"}
_MARKS = {"auto": "Decided by column", ".": "Point: 1,234.5", ",": "Comma: 1.234,5"}
_ORDERS = {"auto": "Decided by column", "dmy": "Day, month, year", "mdy": "Month, day, year"}
_NO_HEADER = "none"  # a widget's None means that nothing is chosen
_HEADERS: dict[Any, str] = {
    0: "The first row has the names",
    1: "The second row has the names",
    _NO_HEADER: "No names: columns are numbered",
    "auto": "Two rows",
}
_ENCODINGS = ("utf-8", "windows-1252", "iso-8859-15", "windows-1250", "windows-1251", "utf-16", "shift_jis", "gb18030")


def show(dataset: Dataset) -> None:
    """Draw the file beside the table, what was decided with its evidence, and a control for each decision."""
    report = ReadReport.from_dict(dataset.report)
    decisions = {decision.name: decision for decision in report.decisions}
    if not decisions:
        st.info("The file has its own types, so nothing about it had to be decided.", icon=":material/check:")
        return
    _beside(dataset, report)
    kept = dataset.upload_digest is not None
    if not kept:
        st.info(
            "The original file is not kept, so it cannot be read again. Upload it again to change how it is read.",
            icon=":material/inventory_2:",
        )
    with st.form(f"data-reading-{dataset.fingerprint[:12]}", border=False):
        chosen = _undecided(dataset, report.undecided)
        changes = _controls(dataset, report, decisions)
        types = reading_columns.show(dataset, report)
        submitted = st.form_submit_button(
            "Read again", type="primary", icon=":material/refresh:", key="data-reading-again", disabled=not kept
        )
    if submitted:
        with frame.errors_shown():
            _read_again(dataset, report, changes, {**types, **chosen})


def _read_again(dataset: Dataset, report: ReadReport, changes: Mapping[str, Any], types: Mapping[str, str]) -> None:
    columns = {**report.given.column_types, **types}
    options = ReadOptions(**{**report.given.model_dump(), **changes, "column_types": columns})
    if options == report.given:
        st.toast("Nothing was changed.", icon=":material/info:")
        return
    run_id = ingest.submit_again(dataset.id, options, workspace=frame.workspace())
    address.go(**{"import": run_id})


def _beside(dataset: Dataset, report: ReadReport) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        if report.head:
            st.caption("The first lines of the file")
            st.code("\n".join(report.head), language=None, line_numbers=True, height=260)
        elif report.sheets:
            st.caption("The sheets of the workbook")
            st.markdown("\n".join(f"- {frame.plain(name)}" for name in report.sheets))
    with right:
        st.caption("The table that they become")
        st.dataframe(tables.first_rows(dataset, _ROWS), height=260, alt="First rows of the table")


def _undecided(dataset: Dataset, columns: tuple[Undecided, ...]) -> dict[str, str]:
    """Ask about the columns that stay text, though they may be something else."""
    chosen = {}
    if columns:
        st.subheader("To be decided by you")
    for number, item in enumerate(columns):
        spec = st.selectbox(
            frame.plain(item.evidence),
            ["text", *item.candidates],
            format_func=lambda spec: _TEXT if spec == "text" else reading_columns.title(spec),
            key=f"data-reading-undecided-{number}-{dataset.fingerprint[:12]}",
        )
        if spec != "text":
            chosen[item.column] = spec
    return chosen


def _controls(dataset: Dataset, report: ReadReport, decisions: Mapping[str, Decision]) -> dict[str, Any]:
    """Draw a control for each decision about the file; return those that were changed."""
    st.subheader("The file")
    shown = dataset.fingerprint[:12]
    options = report.options
    changed: dict[str, Any] = {}

    def choose(name: str, label: str, choices: Mapping[Any, str], current: Any) -> None:
        choices = dict(choices)
        choices.setdefault(current, str(current))
        value = st.selectbox(
            label,
            list(choices),
            index=list(choices).index(current),
            format_func=lambda choice: choices[choice],
            key=f"data-reading-{name}-{shown}",
        )
        st.caption(_because(decisions[name]))
        if value != current:
            changed[name] = value

    def count(name: str, label: str, current: int, help: str) -> None:
        value = st.number_input(label, min_value=0, value=current, help=help, key=f"data-reading-{name}-{shown}")
        st.caption(_because(decisions[name]))
        if value != current:
            changed[name] = int(value)

    cells = iter(_grid(len(decisions) + 1))
    for name in decisions:
        with next(cells):
            if name == "encoding":
                choose(name, "Encoding", {item: item for item in _ENCODINGS}, options.encoding)
            elif name == "delimiter":
                choose(name, "Delimiter", _DELIMITERS, options.delimiter)
            elif name == "quote":
                choose(name, "Quote", _QUOTES, options.quote)
            elif name == "decimal":
                choose(name, "Decimal mark", _MARKS, options.decimal)
            elif name == "date_order":
                choose(name, "Order of dates", _ORDERS, options.date_order)
            elif name == "sheet":
                choose(name, "Sheet", {sheet: sheet for sheet in report.sheets}, options.sheet)
            elif name == "skip_rows":
                lead = options.skip_rows if isinstance(options.skip_rows, int) else 0
                count(name, "Rows to skip", lead, "Rows before the table, such as titles.")
            elif name == "header":
                choose(name, "Header", _HEADERS, _NO_HEADER if options.header is None else options.header)
                if changed.get(name) == _NO_HEADER:
                    changed[name] = None
    with next(cells):
        given = options.missing_values if isinstance(options.missing_values, tuple) else ()
        markers = sorted({marker for counts in report.missing_markers.values() for marker in counts if marker})
        missing = st.multiselect(
            "Missing values",
            sorted({*given, *markers}),
            default=list(given),
            accept_new_options=True,
            placeholder="The usual ones",
            key=f"data-reading-missing-{shown}",
        )
        st.caption(f"Found: {', '.join(markers)}" if markers else "None of the usual ones was found.")
        if tuple(missing) != given:
            changed["missing_values"] = tuple(missing) or "auto"
    return changed


def _grid(count: int) -> list[Any]:
    cells: list[Any] = []
    while len(cells) < count:
        cells += st.columns(3, gap="medium")
    return cells


def _because(decision: Decision) -> str:
    if decision.confidence == "given":
        return "Chosen by you." if decision.evidence == "It was given." else frame.plain(decision.evidence)
    certain = {"certain": "Detected", "likely": "Probably", "guessed": "Not decided"}[decision.confidence]
    return f"{certain}: {frame.plain(decision.evidence)}"
