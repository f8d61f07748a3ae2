"""What can be taken along of a batch: its report as HTML, its numbers as JSON and as text for Prometheus."""

from __future__ import annotations

import json
from functools import partial

import streamlit as st

from core import monitored
from core.charts import svg_of
from core.monitored import Batch
from core.monitoring import metrics_json, monitoring_metrics, prometheus_text
from core.summary import render_html, summarize_batch
from pages._ui import downloads, frame

__all__ = ["show"]


def show(model: str, batch: Batch) -> None:
    """Draw the popover.

    Parameters
    ----------
    model : str
        Name of the model.
    batch : Batch
        The batch.
    """
    with st.popover("Download", icon=":material/download:", key="models-monitor-download"):
        name = f"{model} {batch.name}"
        downloads.button(
            "Report (HTML)",
            partial(_report, model, batch),
            file_name=downloads.file_name(name, ".html"),
            mime="text/html",
            key="models-monitor-html",
            on_click="ignore",
        )
        downloads.button(
            "Metrics (JSON)",
            partial(_metrics, model, batch, prometheus=False),
            file_name=downloads.file_name(name, ".json"),
            mime="application/json",
            key="models-monitor-json",
            on_click="ignore",
        )
        downloads.button(
            "Metrics (Prometheus)",
            partial(_metrics, model, batch, prometheus=True),
            file_name=downloads.file_name(name, ".prom"),
            mime="text/plain",
            key="models-monitor-prom",
            on_click="ignore",
        )


def _report(model: str, batch: Batch) -> bytes:
    access = frame.access()
    before, now = (monitored.sketch_of(batch, access=access, reference=side) for side in (True, False))
    contents = summarize_batch(model, batch, monitored.report_of(batch, access=access), before, now)
    return render_html(contents, svg_of(contents.charts)).encode()


def _metrics(model: str, batch: Batch, *, prometheus: bool) -> bytes:
    report = monitored.report_of(batch, access=frame.access())
    known = [batch.performance, None if batch.labels is None else batch.labels.measured]
    samples = monitoring_metrics(
        report,
        performance=tuple(item for item in known if item is not None),
        state=batch.state,
        gaps=({} if batch.labels is None else batch.labels.subgroups.gaps) | batch.subgroups.gaps,
        labels={"model": model, "version": str(batch.version), "batch": batch.name},
    )
    if prometheus:
        return prometheus_text(samples).encode()
    return json.dumps(metrics_json(samples), indent=2).encode()
