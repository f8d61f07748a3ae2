"""The list of datasets; selecting one opens it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import Dataset
from pages._ui import listing, numbers

__all__ = ["show"]


def show(stored: list[Dataset]) -> None:
    """Draw the table of datasets."""
    st.subheader("Datasets")
    st.caption("Select a row to open it.")
    table = pd.DataFrame(
        {
            "Name": [dataset.name for dataset in stored],
            "Rows": [dataset.rows for dataset in stored],
            "Columns": [dataset.columns for dataset in stored],
            "Size": [dataset.size_bytes for dataset in stored],
            "Target": [dataset.roles.get("target") or "" for dataset in stored],
            "Added": [numbers.when(dataset.created_at) for dataset in stored],
            "Source": [dataset.source for dataset in stored],
        }
    )
    listing.show(
        table,
        [dataset.id for dataset in stored],
        key="data-list",
        parameter="dataset",
        height="auto",
        column_config={
            "Rows": st.column_config.NumberColumn(format="localized"),
            "Columns": st.column_config.NumberColumn(format="localized"),
            "Size": st.column_config.NumberColumn(format="bytes", help="Size as it is stored, in Parquet."),
            "Source": st.column_config.TextColumn(width="medium"),
            "Added": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm"),
        },
        alt="Datasets of this workspace",
    )
