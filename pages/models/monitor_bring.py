"""Bringing rows to be compared: a file as one batch, or a dataset, also replayed as a series by a column of dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import streamlit as st

from core.access import upload_limit_mb
from core.catalog import Dataset, datasets
from core.datasets import column_types
from core.storage import get_store
from core.tasks import monitor
from pages._ui import frame, popovers, uploader
from pages.models import monitor_simulate
from pages.models.metrics import OpenModel

__all__ = ["show"]

_POPOVER = "models-monitor-bring"
_FILE, _DATASET, _LABELS, _SIMULATION = "A file", "A dataset", "Labels", "What if"


def show(opened: OpenModel, row_id: str | None) -> None:
    """Draw the popover; `row_id` is the column by which labels find their rows."""
    with st.popover("Bring a batch", icon=":material/add:", type="primary", key=_POPOVER, on_change="rerun") as popover:
        if not popover.open:
            return
        kind = st.segmented_control(
            "Bring",
            [_FILE, _DATASET, _LABELS, _SIMULATION],
            default=_FILE,
            required=True,
            key="models-monitor-from",
        )
        if kind == _LABELS:
            _labels(opened, row_id)
        elif kind == _SIMULATION:
            monitor_simulate.show(opened, _POPOVER)
        elif kind == _DATASET:
            _dataset(opened)
        else:
            _file(opened)


def _labels(opened: OpenModel, row_id: str | None) -> None:
    if row_id is None:
        st.caption("Labels find their rows by ids. Name the column of ids in the rules, before batches come.")
        return
    file = uploader.show("A table with ids and labels", key="models-monitor-labels", limit_mb=upload_limit_mb())
    target = str(opened.version.lineage.get("target", ""))
    with st.container(horizontal=True):
        ids = st.text_input("Column of ids", row_id, key="models-monitor-labels-id")
        label = st.text_input("Column of labels", target, key="models-monitor-labels-label")
    pressed = st.button("Join", type="primary", key="models-monitor-join", disabled=file is None or not label)
    if pressed and file is not None:
        uploader.clear("models-monitor-labels")
        with frame.errors_shown():
            monitor.submit_labels(opened.version, file, file.name, row_id=ids, label=label, access=frame.access())
            popovers.close(_POPOVER)


def _moment() -> float | None:
    day = st.date_input("Day of the batch", value=None, key="models-monitor-day", help="By default today.")
    if not isinstance(day, date):
        return None
    return datetime.combine(day, time(12), tzinfo=UTC).timestamp()


def _file(opened: OpenModel) -> None:
    file = uploader.show(
        "A table (CSV, Parquet, Excel, JSON) with the columns that the model reads",
        key="models-monitor-file",
        limit_mb=upload_limit_mb(),
    )
    at = _moment()
    pressed = st.button("Compare", type="primary", key="models-monitor-compare-file", disabled=file is None)
    if pressed and file is not None:
        uploader.clear("models-monitor-file")
        with frame.errors_shown():
            monitor.submit_upload(opened.version, file, file.name, at=at, access=frame.access())
            popovers.close(_POPOVER)


def _dataset(opened: OpenModel) -> None:
    known = {item.id: item for item in datasets.find(access=frame.access())}
    if not known:
        st.caption("There is no dataset yet.")
        return
    chosen = st.selectbox("Dataset", list(known), format_func=lambda key: known[key].name, key="models-monitor-dataset")
    replay = _replay(known[chosen])
    at = None if replay is not None else _moment()
    if st.button("Compare", type="primary", key="models-monitor-compare-dataset"):
        with frame.errors_shown():
            monitor.submit_dataset(opened.version, known[chosen], at=at, replay=replay, access=frame.access())
            popovers.close(_POPOVER)


def _replay(dataset: Dataset) -> monitor.Replay | None:
    """Draw how the rows become several batches, where a column has dates."""
    types = column_types(get_store().local_path(dataset.data_digest))
    dates = [name for name, kind in types.items() if kind.startswith(("DATE", "TIMESTAMP"))]
    if not dates or not st.toggle("Replay as a series of batches", key="models-monitor-replay"):
        return None
    column = st.selectbox("By the dates in", dates, key="models-monitor-date")
    count = st.number_input("Batches", 2, 200, 12, key="models-monitor-batches")
    return monitor.Replay(str(column), int(count))
