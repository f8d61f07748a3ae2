"""What is wrong with a pipeline's file, at its line, and what of it has no effect here."""

from __future__ import annotations

import streamlit as st

from core.pipelines import PipelineError
from pages._ui import frame
from pages.pipelines.reading import Reading

__all__ = ["excerpt", "show", "show_notices"]

_AROUND = 3


def excerpt(text: str, line: int, column: int) -> str:
    """Return the lines around a place, with the place marked.

    Examples
    --------
    >>> print(excerpt("type: pipeline\\njob:\\n  a: 1", 2, 1))
      1 | type: pipeline
    ▶ 2 | job:
        | ^
      3 |   a: 1
    """
    lines = text.splitlines()
    first, last = max(1, line - _AROUND), min(len(lines), line + _AROUND)
    width = len(str(last))
    shown = []
    for number in range(first, last + 1):
        shown.append(f"{'▶' if number == line else ' '} {number:>{width}} | {lines[number - 1]}")
        if number == line:
            shown.append(f"  {'':>{width}} | {' ' * (column - 1)}^")
    return "\n".join(shown)


def show(reading: Reading, text: str) -> None:
    """Draw the mistake of a pipeline, with the lines around it."""
    error = reading.error
    if error is None:
        return
    frame.show_error(error.message, error.hint)
    if isinstance(error, PipelineError):
        shown = excerpt(reading.around or text, error.line, error.column)
        if shown:
            st.code(shown, language=None)


def show_notices(reading: Reading) -> None:
    """List the parts of the file that have no effect on this machine."""
    notices = [] if reading.pipeline is None else reading.pipeline.notices
    if not notices:
        return
    count = f"{len(notices)} part{'s' * (len(notices) != 1)} of the file"
    with st.expander(f"{count} without effect on this machine", icon=":material/info:"):
        for position, notice in notices:
            where = f"Line {position.line}" if position.file is None else f"{position.file.name}, line {position.line}"
            st.markdown(f"**{frame.plain(where)}** · {frame.plain(notice)}")
