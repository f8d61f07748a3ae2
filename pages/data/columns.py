"""The tab Columns: the profile of each column."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import Dataset
from core.jsonable import JsonObject
from pages._ui import listing, tables
from pages.data import column_charts, relations

__all__ = ["show"]


def show(dataset: Dataset) -> None:
    """Draw the profile: one row per column, with its distribution."""
    columns = tables.profile(dataset.profile_digest)["columns"]
    role_by_column = _roles_by_column(dataset.roles)
    relation_by_column = _relation_by_column(dataset)
    table = pd.DataFrame(
        {
            "Column": [column["name"] for column in columns],
            "Type": [column["kind"] for column in columns],
            **({"Role": [role_by_column.get(column["name"], "") for column in columns]} if role_by_column else {}),
            "Distribution": [_bars(column) for column in columns],
            **(
                {"Relation": [relation_by_column.get(column["name"]) for column in columns]}
                if relation_by_column
                else {}
            ),
            "Missing": [100 * column["missing"] / max(column["rows"], 1) for column in columns],
            "Distinct values": [column["distinct"] for column in columns],
            "Typical values": [_typical(column) for column in columns],
        }
    )
    st.caption("Select a row to open the column.")
    listing.show(
        table,
        [column["name"] for column in columns],
        key="data-columns",
        parameter="column",
        query={"dataset": dataset.id},
        height="content" if len(table) <= 40 else 1400,
        row_height=44,
        column_config={
            "Column": st.column_config.TextColumn(pinned=True, width="medium"),
            "Type": st.column_config.TextColumn(width="small"),
            "Role": st.column_config.TextColumn(width="small"),
            "Distribution": st.column_config.BarChartColumn(
                help="Numbers and dates: a histogram from minimum to maximum. Others: the most frequent values.",
                y_min=0,
            ),
            "Relation": st.column_config.ProgressColumn(
                "Relation to the target",
                help="Strength from 0 to 1; the column's page has its interval, the measure and the rows.",
                min_value=0,
                max_value=1,
                format="%.2f",
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


def _relation_by_column(dataset: Dataset) -> dict[str, float]:
    """Return the strength of the relation to the target by column, where it has been measured."""
    result = relations.measured(dataset) if dataset.roles.get("target") else None
    if result is None or result.target is None:
        return {}
    return {pair.partner(result.target): pair.strength for pair in result.of(result.target)}


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
        ends = {"": column["minimum"], "median ": column["quantiles"].get("0.5"), " ": column["maximum"]}
        texts = [
            f"{name.lstrip()}{column_charts.value_text(value)}" for name, value in ends.items() if value is not None
        ]
        return " … ".join(texts)
    return ", ".join(f"{value} ({count:,})" for value, count in column["top"][:4])
