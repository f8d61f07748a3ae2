"""Forms of the steps that bring in other datasets."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalog import Dataset, datasets
from core.datasets import Preview
from pages._ui import frame, tables

__all__ = ["append", "join"]


def _other(dataset: Dataset) -> Dataset | None:
    others = [other for other in datasets.find(frame.workspace()) if other.family_id != dataset.family_id]
    if not others:
        st.caption("There is no other dataset. Import one on the Data page first.")
        return None
    by_id = {other.id: other for other in others}
    chosen = st.selectbox(
        "Dataset",
        list(by_id),
        index=None,
        placeholder="Choose a dataset",
        format_func=lambda item: f"{by_id[item].name} ({by_id[item].rows:,} rows)",
        key="data-step-dataset",
    )
    return by_id.get(chosen or "")


def join(preview: Preview, dataset: Dataset) -> dict[str, Any] | None:
    """Draw the form of a join; None while it is not complete."""
    other = _other(dataset)
    if other is None:
        return None
    theirs = tables.column_names(other)
    mine = st.multiselect("Keys in this table", list(preview.types), key="data-step-left", max_selections=5)
    keys = {}
    for position, name in enumerate(mine):
        keys[name] = st.selectbox(
            f"is equal to, for {frame.plain(name)}",
            theirs,
            index=theirs.index(name) if name in theirs else 0,
            key=f"data-step-right-{position}-{other.id}",
        )
    kind = st.segmented_control(
        "Rows without a match",
        ["left", "inner"],
        default="left",
        required=True,
        format_func=lambda item: {"left": "Keep", "inner": "Remove"}[item],
        key="data-step-kind",
    )
    repeated = st.selectbox(
        "A key in several rows of the other dataset",
        ["refuse", "first", "all"],
        format_func=lambda item: {
            "refuse": "Is an error",
            "first": "The first row is used",
            "all": "Rows are multiplied",
        }[item],
        key="data-step-repeated",
    )
    columns = st.multiselect(
        "Columns to add",
        [name for name in theirs if name not in keys.values()],
        placeholder="All but the keys",
        key=f"data-step-add-{other.id}",
    )
    if not keys:
        return None
    return {"dataset": other.id, "keys": keys, "kind": kind, "repeated": repeated, "columns": columns}


def append(_: Preview, dataset: Dataset) -> dict[str, Any] | None:
    """Draw the form of rows to append; None while it is not complete."""
    other = _other(dataset)
    return None if other is None else {"dataset": other.id}
