"""Measurements beside each other: of this model, or of all."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import Run, RunState, runs
from pages._ui import address, badges, frame, numbers
from pages.edge import charts, figures

__all__ = ["show"]

_MOST = 6


def show(exported: Run) -> None:
    """List the measurements; those that are ticked are drawn beside each other."""
    everything = st.toggle("Of all models", key="edge-compare-all")
    found = [
        run
        for run in runs.find(frame.workspace(), task="latency")
        if everything or run.settings["export"] == exported.id
    ]
    if not found:
        st.info("Nothing was measured yet. The tab Measure times the variants.", icon=":material/timer:")
        return
    chosen = st.dataframe(
        pd.DataFrame(
            {
                "Model": [run.title for run in found],
                "State": [badges.RUN_STATES[run.state][0] for run in found],
                "Scenario": [run.settings["lab"]["latency"]["scenario"].replace("_", " ") for run in found],
                "Variants": [", ".join(run.settings["lab"]["variants"]) for run in found],
                "Threads": [run.settings["lab"]["latency"]["intra_op_threads"] for run in found],
                "Rows a request": [run.settings["lab"]["latency"]["batch_size"] for run in found],
                "Started": [numbers.when(run.created_at) for run in found],
            }
        ),
        hide_index=True,
        key=f"edge-compare-{everything}",
        on_select="rerun",
        selection_mode="multi-row",
        column_config={"Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss")},
        alt="Measurements, newest first",
    )
    picked = [found[place] for place in chosen.selection.rows if place < len(found)]
    if len(picked) == 1 and st.button("Open it", icon=":material/open_in_new:", key="edge-open-measurement"):
        address.go(run=picked[0].id)
    done = [run for run in picked if run.state is RunState.SUCCEEDED][:_MOST]
    if len(done) < 2:
        st.caption("Tick one to open it, or two and more to compare them.")
        return
    if len(picked) > len(done):
        st.caption(f"Drawn are the first {len(done)} that succeeded.")
    beside = {
        f"{number}. {name}": report
        for number, run in enumerate(done, 1)
        for name, report in figures.measurement(run)["reports"].items()
    }
    charts.percentiles(beside, "Percentiles with 95 % intervals, by measurement and variant")
    st.dataframe(
        pd.concat([figures.summary(figures.measurement(run)).assign(measurement=n) for n, run in enumerate(done, 1)]),
        hide_index=True,
        alt="Figures of the measurements that are compared",
    )
