"""The tab Measurements: those of this model, or of all, and a comparison of some."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import Run, RunState, runs
from core.edge.latency import SCENARIOS
from pages._ui import address, badges, frame, numbers
from pages.edge import charts, stored

__all__ = ["show"]

_MAX_COMPARED = 6


def show(exported: Run) -> None:
    """List the measurements, and compare those that are ticked."""
    everything = st.toggle("Show all models", key="edge-compare-all")
    measurements = [
        run
        for run in runs.find(task="latency", access=frame.access())
        if everything or run.settings["export"] == exported.id
    ]
    if not measurements:
        st.info("Nothing was measured yet. Measure the variants in the tab Measure.", icon=":material/timer:")
        return
    chosen = st.dataframe(
        pd.DataFrame(
            {
                "Model": [run.title for run in measurements],
                "State": [badges.of_run(run).label for run in measurements],
                "Scenario": [_scenario(run) for run in measurements],
                "Variants": [", ".join(run.settings["lab"]["variants"]) for run in measurements],
                "Threads": [run.settings["lab"]["latency"]["intra_op_threads"] for run in measurements],
                "Batch size": [run.settings["lab"]["latency"]["batch_size"] for run in measurements],
                "Started": [numbers.when(run.created_at) for run in measurements],
            }
        ),
        hide_index=True,
        key=f"edge-compare-{everything}",
        on_select="rerun",
        selection_mode="multi-row",
        column_config={"Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss")},
        alt="Measurements, newest first",
    )
    picked = [measurements[row] for row in chosen.selection.rows if row < len(measurements)]
    if len(picked) == 1 and st.button("Open", icon=":material/open_in_new:", key="edge-open-measurement"):
        address.go(run=picked[0].id)
    done = [run for run in picked if run.state is RunState.SUCCEEDED][:_MAX_COMPARED]
    if len(done) < 2:
        st.caption("Tick one to open it, or several to compare them.")
        return
    if len(picked) > len(done):
        st.caption(f"The first {len(done)} that succeeded are compared.")
    reports = {
        f"{number}. {name}": report
        for number, run in enumerate(done, 1)
        for name, report in stored.suite_report(run).reports.items()
    }
    charts.percentiles(reports, "Percentiles with 95% intervals, by measurement and variant")
    st.dataframe(
        pd.concat([stored.summary(stored.suite_report(run)).assign(measurement=n) for n, run in enumerate(done, 1)]),
        hide_index=True,
        alt="Values of the measurements that are compared",
    )


def _scenario(run: Run) -> str:
    name = run.settings["lab"]["latency"]["scenario"]
    return SCENARIOS[name].title if name in SCENARIOS else str(name)
