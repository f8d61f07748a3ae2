"""How a file is read, before and after its import: the file beside its table, and a control for each decision."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from core.datasets import ReadOptions, Undecided
from pages._ui import frame, tables
from pages.data import reading_columns, reading_file
from pages.data.shown_reading import Reading

__all__ = ["show"]

_HEIGHT = 280
_FEW = 6  # lines or rows that need less height
_LEFT_OPEN = "Not chosen: it stays text"


def show(reading: Reading) -> ReadOptions:
    """Draw the panel, and return the options that its controls stand for: those given, with what was changed."""
    with st.container():  # what stands below keeps its position
        types = _undecided(reading)
    _beside(reading)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("The file", width="content")
        st.space("stretch")
        restart = (
            reading.given != ReadOptions()
            and not reading.fixed
            and st.button(
                "Detect everything again",
                icon=":material/restart_alt:",
                type="tertiary",
                key=f"data-reading-restart-{reading.key}",
                help="Drops all that was chosen by hand.",
            )
        )
    changes = reading_file.show(reading)
    if reading.report.types:
        types |= reading_columns.show(reading)
    if restart:
        return ReadOptions()
    return _merged(reading.given, changes, types)


def _merged(given: ReadOptions, changes: reading_file.Changes, types: dict[str, str]) -> ReadOptions:
    """Return the options with the changes; another layout has other columns, so types that were chosen are dropped."""
    kept = {} if reading_file.LAYOUT & set(changes) else {**given.column_types, **types}
    return ReadOptions(**{**given.model_dump(), **changes, "column_types": kept})


def _undecided(reading: Reading) -> dict[str, str]:
    """Ask about the columns that stay text, though they may be something else."""
    columns = reading.report.undecided
    if not columns:
        return {}
    chosen: dict[str, str] = {}
    with st.container(border=True, key=f"data-reading-open-{reading.key}"):
        count = "1 column is" if len(columns) == 1 else f"{len(columns):,} columns are"
        st.markdown(f":material/help: **{count} for you to decide**")
        cells = st.columns(2, gap="medium") if len(columns) > 1 else [st.container()]
        for number, item in enumerate(columns):
            with cells[number % len(cells)]:
                spec = _ask(reading, number, item)
            if spec is not None and spec != reading.given.column_types.get(item.column):
                chosen[item.column] = spec
    return chosen


def _ask(reading: Reading, number: int, item: Undecided) -> str | None:
    options = [*item.candidates, "text"]
    asked = reading.given.column_types.get(item.column)
    return st.selectbox(
        frame.plain(item.evidence),
        options,
        index=options.index(asked) if asked in options else None,
        format_func=reading_columns.title,
        placeholder=_LEFT_OPEN,
        disabled=reading.fixed,
        key=f"data-reading-undecided-{number}-{reading.key}",
    )


def _beside(reading: Reading) -> None:
    report = reading.report
    left, right = st.columns(2, gap="medium")
    with left:
        if report.head:
            st.caption("The first rows of the sheet" if report.sheets else "The first lines of the file")
            height: int | Literal["content"] = _HEIGHT if len(report.head) > _FEW else "content"
            st.code("\n".join(report.head), language=None, line_numbers=True, height=height)
        elif report.sheets:
            st.caption("The tables of the database")
            st.code("\n".join(report.sheets), language=None, height=_HEIGHT if len(report.sheets) > _FEW else "content")
    with right if report.head or report.sheets else st.container():
        st.caption("The table that they become")
        if reading.rows is None:
            st.info("There is no table yet: change how the file is read.", icon=":material/table_chart:")
        else:
            st.dataframe(
                reading.rows,
                height=_HEIGHT if len(reading.rows) > _FEW else "content",
                hide_index=True,
                column_config=tables.narrow(reading.rows.columns),
                alt="First rows of the table that the file becomes",
            )
