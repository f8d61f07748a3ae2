"""Feature engineering and splits: types by column, time, groups."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.catalog import Dataset

__all__ = ["missing_choice", "monotone_keys", "show"]

_FEATURIZATION = {"auto": "Automatic", "custom": "By column", "off": "Off (numeric columns only)"}
_TYPES = ("auto", "numeric", "categorical", "text", "date", "ignore")
_DEFAULT = "default"
_IMPUTATIONS = {"median": "Median", "mean": "Mean", "most_frequent": "Most frequent", "zero": "Zero"}


def show(dataset: Dataset, target: str, task: str, others: list[str]) -> dict[str, Any]:
    """Draw the widgets; return the settings."""
    featurization = st.selectbox(
        "Feature engineering",
        list(_FEATURIZATION),
        format_func=_FEATURIZATION.__getitem__,
        key="automl-featurization",
        help="Missing values, categories, dates and free text become numbers.",
    )
    engineered = st.toggle(
        "Make further features",
        value=True,
        key="automl-feature-engineering",
        disabled=featurization == "off",
        help="Also tries target means by category, sums and ratios of numbers, and differences from a group's mean. "
        "The results show what they brought.",
    )
    values: dict[str, Any] = {"featurization": featurization, "feature_engineering": engineered}
    if task != "multiclass":
        values |= _monotone(dataset, target, others)
    if featurization == "custom":
        values |= _types(dataset, target, others)
    st.markdown("**Related rows**")
    split_by = st.selectbox(
        "Split by",
        ["nothing", "time", "group"],
        key="automl-split-by",
        format_func={"nothing": "Nothing (rows are independent)", "time": "Time", "group": "Group"}.__getitem__,
        help="Time: tests on the latest rows. Group: a patient or household is never on both sides of a split.",
    )
    if split_by != "nothing":
        column = st.selectbox(
            "Column", others, index=None, placeholder="Choose a column", key=f"automl-split-{split_by}-{dataset.id}"
        )
        if column is not None:
            values[f"{split_by}_column"] = column
    return values


def monotone_keys(dataset: Dataset, target: str) -> tuple[str, str]:
    """Return the keys of the widgets of columns that predictions may only rise, or only fall, with."""
    return f"automl-increasing-{dataset.id}-{target}", f"automl-decreasing-{dataset.id}-{target}"


def _monotone(dataset: Dataset, target: str, others: list[str]) -> dict[str, Any]:
    rising_key, falling_key = monotone_keys(dataset, target)
    rising = st.multiselect(
        "Prediction may only rise with",
        others,
        key=rising_key,
        placeholder="No column",
        help="Numbers or dates. Of two classes the probability of the positive one rises. Only boosted trees "
        "and forests are tried then, and no further features are made.",
    )
    falling = st.multiselect(
        "Prediction may only fall with",
        [name for name in others if name not in rising],
        key=falling_key,
        placeholder="No column",
    )
    directions = dict.fromkeys(rising, "increasing") | dict.fromkeys(falling, "decreasing")
    return {"monotone": directions} if directions else {}


def missing_choice(values: dict[str, Any]) -> str | None:
    """Return a sentence about what has to be chosen before the settings are complete; None if they are."""
    split_by = st.session_state.get("automl-split-by", "nothing")
    if split_by == "nothing" or f"{split_by}_column" in values:
        return None
    return f"Under Advanced, rows are split by {split_by}: choose the column with the {split_by}."


def _types(dataset: Dataset, target: str, others: list[str]) -> dict[str, Any]:
    # Never its own return value: the editor keeps the changes by row under its key, and another target has other rows.
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
                "Replace missing numbers with",
                options=[_DEFAULT, *_IMPUTATIONS],
                required=True,
                format_func=lambda method: _IMPUTATIONS.get(str(method), "as below"),
            ),
        },
    )
    imputation = st.selectbox(
        "Replace other missing numbers with",
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
