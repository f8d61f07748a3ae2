"""Facts about stored tables that pages need, cached by content."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.catalog import Dataset
from core.datasets import Profile, StoredRows, TargetSummary, summarize_target
from core.storage import get_store
from pages._ui import artifacts, frame

if TYPE_CHECKING:
    from streamlit.elements.lib.column_types import ColumnConfig

__all__ = ["column_names", "first_rows", "narrow", "profile", "shorten", "target_summary"]

_LONG = 40
_LONGEST = 200


def profile(digest: str) -> dict[str, Any]:
    """Return a dataset's stored profile, which callers must not change; long values of texts are cut."""
    return artifacts.read_json(digest, _cut)


def _cut(values: dict[str, Any]) -> dict[str, Any]:
    for column in values["columns"]:
        column["top"] = [
            (text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…", count) for text, count in column["top"]
        ]
    return values


def column_names(dataset: Dataset) -> list[str]:
    """Return the names of a dataset's columns, in their order."""
    return [column["name"] for column in profile(dataset.profile_digest)["columns"]]


def narrow(names: Iterable[str]) -> dict[str, ColumnConfig]:
    """Return the configuration of columns whose long names would make them as wide as the table."""
    long = [name for name in names if len(name) > _LONG]
    return {name: st.column_config.Column(width="medium", help=frame.plain(name)) for name in long}


def first_rows(dataset: Dataset, count: int) -> StoredRows:
    """Return the first rows of a dataset to show them: long texts are cut, and there may be fewer rows."""
    return artifacts.first_rows(get_store().local_path(dataset.data_digest), count)


def shorten(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows to show with their long texts cut, where an ellipsis then stands."""
    long = {
        name: column.where(column.str.len() <= artifacts.CELL_CHARS, column.str[: artifacts.CELL_CHARS] + "…")
        for name, column in rows.items()
        if isinstance(column.dtype, pd.StringDtype) and column.str.len().max() > artifacts.CELL_CHARS
    }
    return rows.assign(**long) if long else rows


@st.cache_data(max_entries=50, show_spinner=False)
def _target_summary(data_digest: str, profile_digest: str, target: str) -> TargetSummary:
    columns = Profile.from_dict(profile(profile_digest))
    return summarize_target(get_store().local_path(data_digest), columns[target])


def target_summary(dataset: Dataset, target: str) -> TargetSummary:
    """Return the task that a column implies, and its most frequent values."""
    return _target_summary(dataset.data_digest, dataset.profile_digest, target)
