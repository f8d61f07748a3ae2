"""Files of runs, read once and cached by content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import streamlit as st

from core.catalog import Run, artifacts
from core.storage import get_store
from pages._ui import frame

__all__ = ["digests", "json_of", "path_of", "read_json", "read_table", "table_of"]


def json_of(run: Run, name: str) -> dict[str, Any]:
    """Return a JSON file of a run."""
    return read_json(artifacts.get(run.id, name, access=frame.access()).digest)


def table_of(run: Run, name: str) -> pd.DataFrame:
    """Return a Parquet file of a run as a table that callers must not change."""
    return read_table(artifacts.get(run.id, name, access=frame.access()).digest)


def path_of(run: Run, name: str) -> Path:
    """Return the path of a run's file on this machine."""
    return get_store().local_path(artifacts.get(run.id, name, access=frame.access()).digest)


def digests(run: Run) -> dict[str, str]:
    """Return the digest of each file of a run by its name."""
    return {item.name: item.digest for item in artifacts.find(run.id, access=frame.access())}


@st.cache_data(max_entries=50, show_spinner=False)
def read_json(digest: str) -> dict[str, Any]:
    """Read a stored JSON file."""
    content: dict[str, Any] = json.loads(get_store().read_bytes(digest))
    return content


@st.cache_resource(max_entries=16, show_spinner=False)
def read_table(digest: str, columns: tuple[str, ...] | None = None) -> pd.DataFrame:
    """Read a stored Parquet file, or some of its columns, as a table that callers must not change."""
    names = None if columns is None else list(columns)
    table: pd.DataFrame = pq.read_table(get_store().local_path(digest), columns=names).to_pandas()
    return table
