"""The tab Columns: the profile of each column."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import Dataset
from core.jsonable import JsonObject
from pages._ui import numbers, tables

__all__ = ["show"]


def show(dataset: Dataset) -> None:
    """Draw the profile: one row per column, with its distribution."""
    columns = tables.profile(dataset.profile_digest)["columns"]
    role_by_column = _roles_by_column(dataset.roles)
    table = pd.DataFrame(
        {
            "Column": [column["name"] for column in columns],
            "Type": [column["kind"] for column in columns],
            "Role": [role_by_column.get(column["name"], "") for column in columns],
            "Distribution": [_bars(column) for column in columns],
            "Missing": [100 * column["missing"] / max(column["rows"], 1) for column in columns],
            "Distinct values": [column["distinct"] for column in columns],
            "Typical values": [_typical(column) for column in columns],
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(table) <= 40 else 1400,
        row_height=44,
        column_config={
            "Column": st.column_config.TextColumn(pinned=True),
            "Type": st.column_config.TextColumn(width="small"),
            "Role": st.column_config.TextColumn(width="small"),
            "Distribution": st.column_config.BarChartColumn(
                help="Numbers and dates: a histogram from minimum to maximum. Others: the most frequent values.",
                y_min=0,
            ),
            "Missing": st.column_config.NumberColumn("Missing (%)", format="%.1f", width="small"),
            "Distinct values": st.column_config.NumberColumn(format="localized"),
            "Typical values": st.column_config.TextColumn(
                "Range or most frequent values",
                width="large",
                help="Numbers and dates: minimum, median, maximum. Others: the most frequent values with their counts.",
            ),
        },
        alt="Columns of the dataset with type, distribution, missing and typical values",
    )


def _roles_by_column(roles: JsonObject) -> dict[str, str]:
    role_by_column = dict.fromkeys(roles.get("ignore", []), "ignored")
    role_by_column |= dict.fromkeys(roles.get("sensitive", []), "sensitive")
    if roles.get("target"):
        role_by_column[roles["target"]] = "target"
    return role_by_column


def _bars(column: JsonObject) -> list[int]:
    return list(column["counts"]) or [count for _, count in column["top"]]


def _typical(column: JsonObject) -> str:
    if column["kind"] in ("number", "date") and column["minimum"] is not None:
        median = column["quantiles"].get("0.5")
        return " … ".join(
            numbers.rounded(value) if isinstance(value, int | float) else str(value)
            for value in (column["minimum"], median, column["maximum"])
            if value is not None
        )
    return ", ".join(f"{value} ({count:,})" for value, count in column["top"][:4])
