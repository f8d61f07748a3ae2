"""Notes on how a file was read: lines that were left out, names that were repaired, what became missing."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import Dataset
from core.datasets import ReadReport
from pages._ui import frame
from pages.data import calls
from pages.data.reading_columns import in_words

__all__ = ["show", "show_undecided"]


def show_undecided(dataset: Dataset, report: ReadReport) -> None:
    """Name the columns that stay text until the user decides, with the way to the tab where that is done."""
    if not report.undecided:
        return
    names = [f"'{item.column}'" for item in report.undecided]
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    said = (
        f"{report.undecided[0].evidence} It stays text until you decide."
        if len(names) == 1
        else f"{', '.join(names[:3])}{more} stay text until you decide: they may be numbers or dates."
    )
    calls.show(said, "Decide", ":material/help:", key="data-undecided", query={"dataset": dataset.id, "tab": "Reading"})


def show(report: ReadReport, *, columns: bool = True, expanded: bool = False) -> None:
    """Draw the lines that were left out, and the notes on how the others were read.

    Parameters
    ----------
    report : ReadReport
        Report on the reading.
    columns : bool, default=True
        Whether notes on single columns are among them; the panel that shows how a file is read has a row for each.
    expanded : bool, default=False
        Whether lines that were left out are shown at once.
    """
    by_column = tuple(f"Column {column!r} " for column in report.types)
    notices = [notice for notice in report.notices if columns or not notice.startswith(by_column)]
    if report.renamed:
        pairs = ", ".join(f"'{old}' is now '{new}'" for new, old in report.renamed.items())
        notices.append(f"Column names were repaired: {pairs}.")
    for column, markers in report.missing_markers.items() if columns else ():
        read_as = ", ".join(f"'{marker}' ({count:,})" for marker, count in markers.items())
        notices.append(f"In '{column}', {read_as} was read as missing.")
    if not report.skipped and not notices:
        return
    icon = ":material/warning:" if report.skipped else ":material/info:"
    with st.expander(_label(report.skipped, len(notices)), icon=icon, expanded=expanded and bool(report.skipped)):
        for notice in notices:
            st.markdown(f"- {frame.plain(in_words(notice))}")
        if report.skipped:
            st.dataframe(
                pd.DataFrame(list(report.skipped_rows)).rename(columns=str.capitalize),
                hide_index=True,
                column_config={
                    "Line": st.column_config.NumberColumn(format="localized", width="small"),
                    "Text": st.column_config.TextColumn(width="large"),
                },
                alt="Lines of the file that are not in the table, with the reason",
            )


def _label(skipped: int, notes: int) -> str:
    """Return the label of the notes.

    Examples
    --------
    >>> _label(2, 7)
    '2 lines were left out; 7 notes on how the rest was read'
    >>> _label(0, 1)
    '1 note on how the file was read'
    """
    noted = f"{notes:,} note{'s' * (notes != 1)} on how the {'rest' if skipped else 'file'} was read"
    lines = f"{skipped:,} line{'s were' if skipped != 1 else ' was'} left out"
    return "; ".join(part for part, count in ((lines, skipped), (noted, notes)) if count)
