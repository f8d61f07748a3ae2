"""The tab Preview: the first rows."""

from __future__ import annotations

import streamlit as st

from core.catalog import Dataset
from pages._ui import artifacts, tables

__all__ = ["show"]

_ROWS = 200


def show(dataset: Dataset) -> None:
    """Draw the first rows."""
    rows = tables.first_rows(dataset, _ROWS)
    cut = artifacts.cut_note(rows)
    st.caption(f"The first {len(rows.frame):,} of {dataset.rows:,} rows. {cut}")
    st.dataframe(
        rows.frame, hide_index=True, column_config=tables.narrow(rows.frame.columns), alt="First rows of the dataset"
    )
