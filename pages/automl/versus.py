"""This model beside that of another search, on the test rows of both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import streamlit as st

from core.automl import METRICS, compare_tables
from core.catalog import Run, RunState, artifacts, runs
from core.storage import get_store
from pages._ui import charts, frame, numbers

__all__ = ["show"]


@st.cache_data(max_entries=20, show_spinner=False)
def _compare(first: str, other: str, target: str, task: str, metric: str) -> dict[str, Any]:
    def table(digest: str) -> pd.DataFrame:
        return pq.read_table(get_store().local_path(digest)).to_pandas()

    found = compare_tables(table(first), table(other), target=target, task=task, metric=metric)
    return {
        "metrics": {name: item[metric].to_dict() for name, item in found.metrics.items()},
        "gain": found.gains["other"].to_dict(),
    }


def show(run: Run, found: Mapping[str, Any]) -> None:
    """Draw the choice of another search of the same target, and the difference with its interval."""
    target = found["settings"]["target"]
    others = {
        each.id: each
        for each in runs.find(frame.workspace(), task="automl", dataset_id=run.dataset_id, states=[RunState.SUCCEEDED])
        if each.id != run.id and each.settings.get("target") == target
    }
    if not others:
        st.caption("Another search of the same table and target can be compared with this one here.")
        return
    chosen = st.selectbox(
        "Compare with",
        [None, *others],
        format_func=lambda item: "Nothing" if item is None
        else f"{numbers.when(others[item].created_at):%d %b, %H:%M}: {(others[item].result or {}).get('verdict', '')}",
        key="versus",
    )  # fmt: skip
    if chosen is None:
        return
    workspace = frame.workspace()
    digests = [artifacts.get(each, "test.parquet", workspace).digest for each in (run.id, chosen)]
    metric = METRICS[found["metric"]]
    compared = _compare(*digests, target, found["task"], found["metric"])
    gain = compared["gain"]
    value = f"{gain['value']:+.4f} {numbers.interval(gain['low'], gain['high'])}"
    if gain["low"] <= 0 <= gain["high"]:
        st.markdown(f"**No certain difference** on {gain['n']:,} test rows: {metric.title} {value}.")
    else:
        word = "better" if gain["value"] > 0 else "worse"
        st.markdown(f"**This model is {word}** on {gain['n']:,} test rows: {metric.title} {value}.")
    charts.intervals(
        {"This model": compared["metrics"]["first"], "The other": compared["metrics"]["other"]}, metric.title
    )
