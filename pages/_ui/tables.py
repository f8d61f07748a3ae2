"""Facts about stored tables that pages need, cached by content."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.parquet as pq
import streamlit as st

from core.catalog import Dataset
from core.datasets import infer_task, whole_numbers
from core.storage import get_store

if TYPE_CHECKING:
    from streamlit.elements.lib.column_types import ColumnConfig

__all__ = ["TargetSummary", "column_names", "first_rows", "first_rows_of", "narrow", "profile", "target_summary"]

_CLASSES_SHOWN = 12
_LONG = 40


@dataclass(frozen=True)
class TargetSummary:
    """Summary of a target column: the task it implies, and its most frequent values."""

    task: str
    rows: int
    missing: int
    distinct: int
    counts: dict[str, int]


@st.cache_data(max_entries=20, show_spinner=False)
def profile(digest: str) -> dict[str, Any]:
    """Return a dataset's stored profile."""
    values: dict[str, Any] = json.loads(get_store().read_bytes(digest))
    return values


def column_names(dataset: Dataset) -> list[str]:
    """Return the names of a dataset's columns, in their order."""
    return [column["name"] for column in profile(dataset.profile_digest)["columns"]]


def narrow(names: Iterable[str]) -> dict[str, ColumnConfig]:
    """Return the configuration of columns whose long names would make them as wide as the table."""
    return {name: st.column_config.Column(width="medium", help=name) for name in names if len(name) > _LONG}


def first_rows(dataset: Dataset, count: int) -> pd.DataFrame:
    """Return the first rows of a dataset without reading the others."""
    return first_rows_of(get_store().local_path(dataset.data_digest), count)


def first_rows_of(path: Path, count: int) -> pd.DataFrame:
    """Return the first rows of a Parquet file without reading the others."""
    return next(pq.ParquetFile(path).iter_batches(batch_size=count)).to_pandas()


@st.cache_data(max_entries=50, show_spinner=False)
def target_summary(data_digest: str, target: str) -> TargetSummary:
    """Read one column and summarize it."""
    series = pq.read_table(get_store().local_path(data_digest), columns=[target]).column(0).to_pandas()
    counts = whole_numbers(series).value_counts()
    return TargetSummary(
        task=infer_task(series),
        rows=len(series),
        missing=int(series.isna().sum()),
        distinct=len(counts),
        counts={str(value): int(count) for value, count in counts.head(_CLASSES_SHOWN).items()},
    )
