"""The tab Versions: what each version is, how two of them differ, and the way back to one."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.catalog import Dataset, DatasetChange, versions
from core.datasets import ColumnChange, ColumnProfile, Profile, compare_profiles
from pages._ui import address, frame, numbers, tables

__all__ = ["show"]

_ROWS = 20


def show(dataset: Dataset) -> None:
    """Draw the list of versions, and the comparison of two."""
    known = versions.find(dataset, access=frame.access())
    head = versions.head(dataset, access=frame.access())
    changes = versions.changes(dataset, access=frame.access())
    _list(known, head, changes)
    if len(known) < 2:
        st.caption(
            "Steps on the tab Prepare make the next version. Every version is kept until the dataset is deleted."
        )
        return
    _restore(known, head)
    _compare(known, dataset)


def _list(known: list[Dataset], head: Dataset, changes: list[DatasetChange]) -> None:
    made = {str(change.after["head"]): change for change in reversed(changes)}
    table = pd.DataFrame(
        {
            "Version": [version.number for version in known],
            "State": ["Current" if version.id == head.id else "" for version in known],
            "Made by": [
                "Reading the file" if not version.origin_id else made[version.id].label if version.id in made else ""
                for version in known
            ],
            "Steps": [len(version.lineage.get("effects", [])) for version in known],
            "Rows": [version.rows for version in known],
            "Columns": [version.columns for version in known],
            "When": [numbers.when(version.created_at) for version in known],
            "Who": [made[version.id].who if version.id in made else "" for version in known],
        }
    )
    if not table["Who"].any():
        table = table.drop(columns="Who")
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "Version": st.column_config.NumberColumn(width="small", format="%d"),
            "Made by": st.column_config.TextColumn(width="large"),
            "Rows": st.column_config.NumberColumn(format="localized"),
            "Columns": st.column_config.NumberColumn(format="localized"),
            "When": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm"),
        },
        alt="Versions of the dataset",
    )


def _restore(known: list[Dataset], head: Dataset) -> None:
    others = {version.id: version for version in known if version.id != head.id}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Another version",
            list(others),
            index=len(others) - 1,
            format_func=lambda item: f"Version {others[item].number} ({others[item].rows:,} rows)",
            key="data-versions-other",
            width=280,
        )
        st.button(
            "Open",
            icon=":material/open_in_new:",
            key="data-versions-open",
            on_click=address.set_query,
            kwargs={"dataset": chosen},
        )
        st.button(
            "Restore",
            icon=":material/settings_backup_restore:",
            key="data-versions-restore",
            help="Make it the current version. The others stay, and it can be undone.",
            on_click=_make_current,
            args=(others[chosen], head),
        )


def _make_current(version: Dataset, head: Dataset) -> None:
    with frame.errors_shown():
        versions.restore(version, head, f"Restore version {version.number}", access=frame.access())
        address.set_query(dataset=version.id, tab="Versions")


def _compare(known: list[Dataset], dataset: Dataset) -> None:
    st.subheader("Compare two versions")
    by_number = {version.number: version for version in known}
    parent = next((version.number for version in known if version.id == dataset.lineage.get("parent")), None)
    before_default = parent or (1 if dataset.number != 1 else known[-1].number)
    with st.container(horizontal=True):
        before = by_number[_choose("From", by_number, before_default, "from")]
        after = by_number[_choose("To", by_number, dataset.number, "to")]
    rows, columns = after.rows - before.rows, after.columns - before.columns
    with st.container(horizontal=True, gap="large"):
        st.metric(
            "Rows", f"{after.rows:,}", delta=numbers_delta(rows), delta_color="off", delta_arrow="off", width="content"
        )
        st.metric(
            "Columns",
            f"{after.columns:,}",
            delta=numbers_delta(columns),
            delta_color="off",
            delta_arrow="off",
            width="content",
        )
    profiles = [Profile.from_dict(tables.profile(version.profile_digest)) for version in (before, after)]
    changes = [change for change in compare_profiles(*profiles) if change.state != "same"]
    if not changes:
        st.caption("All columns have the same distribution.")
        return
    st.dataframe(
        pd.DataFrame([_row(change) for change in changes]),
        hide_index=True,
        height="content" if len(changes) <= _ROWS else 44 * _ROWS,
        row_height=44,
        placeholder="–",
        column_config={
            "Before": st.column_config.BarChartColumn(y_min=0),
            "After": st.column_config.BarChartColumn(y_min=0),
            "Difference": st.column_config.NumberColumn(
                format="%.2f",
                help="Total variation distance between the distributions: 0 is the same, 1 has nothing in common.",
            ),
        },
        alt="Columns that differ between the two versions",
    )


def numbers_delta(difference: int) -> str | None:
    """Return a difference with its sign, None when there is none.

    Examples
    --------
    >>> numbers_delta(-1200), numbers_delta(0)
    ('−1,200', None)
    """
    return numbers.minus(f"{difference:+,}") if difference else None


def _choose(label: str, by_number: dict[int, Dataset], default: int, name: str) -> int:
    options = list(by_number)
    return int(
        st.selectbox(
            label,
            options,
            index=options.index(default),
            format_func=lambda number: f"Version {number}",
            key=f"data-versions-{name}",
            width=200,
        )
    )


def _row(change: ColumnChange) -> dict[str, Any]:
    before, after = change.before, change.after
    return {
        "Column": change.column,
        "Change": change.state.capitalize(),
        "Type": " → ".join(dict.fromkeys(item.kind for item in (before, after) if item is not None)),
        "Missing": _pair([f"{item.missing_share:.1%}" if item else "" for item in (before, after)]),
        "Distinct values": _pair([f"{item.distinct:,}" if item else "" for item in (before, after)]),
        "Mean": _pair(
            [numbers.rounded(item.mean) if item and item.mean is not None else "" for item in (before, after)]
        ),
        "Before": _bars(before),
        "After": _bars(after),
        "Difference": change.distance,
    }


def _mean(column: ColumnProfile | None) -> str:
    return numbers.rounded(column.mean) if column is not None and column.mean is not None else ""


def _pair(values: list[str]) -> str:
    return values[0] if values[0] == values[1] else " → ".join(value or "none" for value in values)


def _bars(column: ColumnProfile | None) -> list[int]:
    if column is None:
        return []
    return list(column.counts) or [count for _, count in column.top]
