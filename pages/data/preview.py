"""The tab Preview: the first rows."""

from __future__ import annotations

import streamlit as st

from core.catalog import Dataset
from pages._ui import tables

__all__ = ["show"]

_ROWS = 200


def show(dataset: Dataset) -> None:
    """Draw the first rows."""
    rows = tables.first_rows(dataset, _ROWS)
    st.caption(f"The first {len(rows):,} of {dataset.rows:,} rows.")
    st.dataframe(rows, hide_index=True, column_config=tables.narrow(rows.columns), alt="First rows of the dataset")
