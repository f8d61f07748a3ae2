"""The columns on the tab Reading: the type of each, the way it is written, and what was said of it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import Dataset
from core.datasets import COLUMN_KINDS, NUMBER_STYLES, ReadReport

__all__ = ["show", "title"]


def title(spec: str) -> str:
    """Return the words for a type that a column may have.

    Examples
    --------
    >>> title("number:1.234,5"), title("date:%d/%m/%Y"), title("text")
    ('Number, as 1.234,5', 'Date, as day/month/year', 'Text')
    """
    kind, _, written = spec.partition(":")
    words = written.split(" | ")[0]
    for field, name in _FIELDS.items():
        words = words.replace(field, name)
    return f"{kind.capitalize()}, as {words}" if words else kind.capitalize()


_FIELDS = {
    "%d": "day",
    "%m": "month",
    "%Y": "year",
    "%y": "year",
    "%b": "month",
    "%B": "month",
    "%H:%M": "hour:minute",
}


def show(dataset: Dataset, report: ReadReport) -> dict[str, str]:
    """Draw the types of the columns as a table to edit; return those that were changed."""
    st.subheader("The columns")
    specs = dict(report.options.column_types)
    notices = {column: _notice(report, column) for column in specs}
    table = pd.DataFrame(
        {
            "Column": list(specs),
            "Type": [spec.partition(":")[0] for spec in specs.values()],
            "Written as": [spec.partition(":")[2] for spec in specs.values()],
            "Note": list(notices.values()),
        }
    )
    styles = ", ".join(list(NUMBER_STYLES)[:2])
    edited = st.data_editor(
        table,
        hide_index=True,
        disabled=["Column", "Note"],
        column_config={
            "Column": st.column_config.TextColumn(pinned=True),
            "Type": st.column_config.SelectboxColumn(options=list(COLUMN_KINDS), required=True, width="small"),
            "Written as": st.column_config.TextColumn(
                help=f"Numbers as {styles}; dates as %d.%m.%Y. Empty: what fits most of the cells."
            ),
            "Note": st.column_config.TextColumn(width="large"),
        },
        key=f"data-reading-types-{dataset.fingerprint[:12]}",
    )
    changed = {}
    for column, kind, written in zip(edited["Column"], edited["Type"], edited["Written as"], strict=True):
        spec = f"{kind}:{written}" if written and kind == specs[column].partition(":")[0] else kind
        if spec != specs[column]:
            changed[column] = spec
    return changed


def _notice(report: ReadReport, column: str) -> str:
    start = f"Column {column!r} "
    return "; ".join(notice.removeprefix(start) for notice in report.notices if notice.startswith(start))
