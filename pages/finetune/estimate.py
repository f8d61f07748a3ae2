"""Before Start: what the training will take, measured on a few of its steps when asked."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core import jobs
from core.catalog import Dataset, RunState
from core.finetune import FineTuneSettings
from core.tasks import estimate
from pages._ui import frame, numbers, run_view

__all__ = ["show"]


def show(dataset: Dataset, settings: FineTuneSettings) -> None:
    """Draw the estimate for these settings, or the button that measures it."""
    run = estimate.latest(dataset, settings)
    if run is None or (run.state.terminal and run.state is not RunState.SUCCEEDED):
        if run is not None:
            run_view.show_failure(run)
        # No callback: its settings would be those of the run before, if a field was changed just before the press.
        if st.button(
            "Estimate time and memory",
            icon=":material/timer:",
            key="finetune-estimate",
            help="Times a few steps of this very training, in about 10 s.",
        ):
            estimate.submit(dataset, settings)
            st.rerun()
        return
    every = None if run.state.terminal else "1s"
    st.fragment(frame.guarded(_result), run_every=every)(run.id, run.state.terminal)


def _result(run_id: str, was_over: bool) -> None:
    run = jobs.get(run_id, workspace=frame.workspace())
    if run.state.terminal and not was_over:
        st.rerun()
    if not run.state.terminal:
        jobs.tick()
        events = jobs.events(run_id, workspace=frame.workspace())
        st.progress(events[-1].fraction or 0.0 if events else 0.0, text="Timing a few steps")
        return
    found: dict[str, Any] = run.result or {}
    with st.container(horizontal=True):
        st.metric(
            "Time",
            numbers.duration(found["seconds"]),
            _range(found),
            delta_color="off",
            delta_arrow="off",
            border=True,
            help="From start to result; with the fastest and the slowest steps that were measured.",
        )
        st.metric(
            "Steps",
            f"{found['steps']:,}",
            f"{found['seconds_a_step']:.2f} s each",
            delta_color="off",
            delta_arrow="off",
            border=True,
        )
        st.metric(
            "Memory",
            f"{numbers.rounded(round(found['memory_mb'] / 1024, 1))} GB",
            "with the longest texts",
            delta_color="off",
            delta_arrow="off",
            border=True,
        )
        st.metric(
            "Disk", f"{found['disk_mb']:,.0f} MB", "for checkpoints", delta_color="off", delta_arrow="off", border=True
        )
    st.caption(
        f"Measured on {found['measured']} steps on {frame.plain(found['device'])}; other work on this machine makes it "
        "longer."
    )


def _range(found: dict[str, Any]) -> str:
    return f"{numbers.duration(found['low'])} to {numbers.duration(found['high'])}"
