"""The model in the page: its ONNX file, and rows to predict with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from core.catalog import Run
from core.edge import TableScorer
from core.storage import get_store
from pages._ui import artifacts

__all__ = ["PageModel", "page_model"]


@dataclass(frozen=True)
class PageModel:
    """A model that predicts in the page.

    Parameters
    ----------
    scorer : TableScorer
        Scorer of the ONNX file.
    rows : DataFrame
        Raw rows, of the test where there was one; the index is their position in the table.
    test : DataFrame
        The search's own predictions of the same rows, by the same index.
    target : str
        Column that is predicted.
    tested : bool, default=True
        Whether the model has not learned from the rows.
    digest : str, default=""
        Digest of the model and of the rows, to cache predictions by.
    """

    scorer: TableScorer
    rows: pd.DataFrame
    test: pd.DataFrame
    target: str
    tested: bool = True
    digest: str = ""

    @property
    def labels(self) -> list[Any] | None:
        """The classes; None for regression."""
        return self.scorer.labels


@st.cache_resource(max_entries=5, show_spinner=False)
def _scorer(digest: str) -> TableScorer:
    return TableScorer(get_store().local_path(digest))


def _rows(digest: str) -> pd.DataFrame:
    table = artifacts.raw_rows(digest)
    # A pandas category would take an unseen value for a missing one.
    return table.astype({name: object for name, dtype in table.dtypes.items() if dtype == "category"})


def page_model(run: Run, record: Mapping[str, Any]) -> PageModel | None:
    """Return the model of a search, or None where it has no ONNX file."""
    digests = artifacts.digests(run)
    if "model.onnx" not in digests or "rows.parquet" not in digests:
        return None
    rows = _rows(digests["rows.parquet"])
    tested = bool(record["rows"]["test"])
    return PageModel(
        _scorer(digests["model.onnx"]),
        rows,
        artifacts.rows_with_ids(digests["test.parquet" if tested else "oof.parquet"], rows.index.to_numpy()),
        record["settings"]["target"],
        tested,
        f"{digests['model.onnx']} {digests['rows.parquet']}",
    )
