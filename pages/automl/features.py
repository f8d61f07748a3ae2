"""How columns become features, and how rows are kept apart: types by column, time, groups."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.catalog import Dataset

__all__ = ["lacking", "show"]

_WAYS = {"auto": "By their content", "custom": "As I say, column by column", "off": "Not at all: numbers only"}
_TYPES = ("auto", "numeric", "categorical", "text", "date", "ignore")
_DEFAULT = "default"
_IMPUTATIONS = {"median": "Median", "mean": "Mean", "most_frequent": "Most frequent", "zero": "Zero"}


def show(dataset: Dataset, target: str, others: list[str]) -> dict[str, Any]:
    """Draw the widgets; return the settings."""
    way = st.selectbox(
        "Make features",
        list(_WAYS),
        format_func=_WAYS.__getitem__,
        key="automl-featurization",
        help="Missing values, categories, dates and free text become numbers.",
    )
    values: dict[str, Any] = {"featurization": way}
    if way == "custom":
        values |= _types(dataset, target, others)
    st.markdown("**Rows that belong together**")
    kept = st.selectbox(
        "Keep apart by",
        ["nothing", "time", "group"],
        key="automl-split-by",
        format_func={"nothing": "Nothing: rows are independent", "time": "Time", "group": "Group"}.__getitem__,
        help="Time: tests on the latest rows. Group: a patient or household is never on both sides of a split.",
    )
    if kept != "nothing":
        column = st.selectbox(
            "Column", others, index=None, placeholder="Which column", key=f"automl-split-{kept}-{dataset.id}"
        )
        if column is not None:
            values[f"{kept}_column"] = column
    return values


def lacking(values: dict[str, Any]) -> str | None:
    """Return what has to be chosen yet before the settings mean what they say."""
    kept = st.session_state.get("automl-split-by", "nothing")
    if kept == "nothing" or f"{kept}_column" in values:
        return None
    return f"Under Advanced, rows are to be kept apart by {kept}: choose the column that holds the {kept}."


def _types(dataset: Dataset, target: str, others: list[str]) -> dict[str, Any]:
    # Never its own return value: the editor keeps the changes under its key, by row, and another target has other rows.
    table = pd.DataFrame({"Column": others, "Type": "auto", "Missing": _DEFAULT})
    select = st.column_config.SelectboxColumn
    edited: pd.DataFrame = st.data_editor(
        table,
        hide_index=True,
        key=f"automl-types-{dataset.id}-{target}",
        disabled=["Column"],
        height=240,
        column_config={
            "Type": select(options=list(_TYPES), required=True),
            "Missing": select(
                "Missing number becomes",
                options=[_DEFAULT, *_IMPUTATIONS],
                required=True,
                format_func=lambda way: _IMPUTATIONS.get(str(way), "as below"),
            ),
        },
    )
    imputation = st.selectbox(
        "Any other missing number becomes",
        list(_IMPUTATIONS),
        format_func=_IMPUTATIONS.__getitem__,
        key="automl-imputation",
    )
    rows = edited.to_dict("records")
    return {
        "column_types": {row["Column"]: row["Type"] for row in rows if row["Type"] != "auto"},
        "imputation": imputation,
        "column_imputation": {row["Column"]: row["Missing"] for row in rows if row["Missing"] != _DEFAULT},
    }
