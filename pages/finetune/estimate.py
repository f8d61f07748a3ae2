"""The estimate before a training: its time, memory and disk space, measured on a few of its steps."""

from __future__ import annotations

import streamlit as st

from core import jobs
from core.catalog import Dataset, RunState, runs
from core.finetune import FineTuneSettings, FineTuneSummary, TrainingEstimate, seconds_by_earlier
from core.tasks import estimate
from pages._ui import artifacts, frame, numbers, run_view

__all__ = ["show"]

_LOOKED_AT = 10  # trainings


def show(dataset: Dataset, settings: FineTuneSettings) -> None:
    """Draw the estimate for these settings, or the button that measures it."""
    run = estimate.latest(dataset, settings, access=frame.access())
    if run is None or (run.state.terminal and run.state is not RunState.SUCCEEDED):
        if run is not None:
            run_view.show_failure(run)
        _by_earlier(dataset, settings)
        # No callback: it would have the settings of the previous script run, if a field changed just before the press.
        if st.button(
            "Estimate time and memory",
            icon=":material/timer:",
            key="finetune-estimate",
            help="Times a few steps of exactly this training, in about 10 s.",
        ):
            estimate.submit(dataset, settings, access=frame.access())
            st.rerun()
        return
    every = None if run.state.terminal else "1s"
    st.fragment(frame.guarded(_result), run_every=every)(run.id, run.state.terminal)


def _by_earlier(dataset: Dataset, settings: FineTuneSettings) -> None:
    """Say how long an earlier training of the same texts lets expect, where there was one."""
    trained = runs.find(task="finetune", dataset_id=dataset.id, states=[RunState.SUCCEEDED], access=frame.access())
    for run in sorted(trained, key=lambda run: -run.created_at)[:_LOOKED_AT]:
        seconds = seconds_by_earlier(settings, FineTuneSummary.from_dict(artifacts.json_of(run, "result.json")))
        if seconds is not None:
            st.caption(
                f":material/timer: About {numbers.duration(seconds)}, by the training of "
                f"{numbers.when(run.created_at):%d %b, %H:%M} with the same texts and base model."
            )
            return


def _result(run_id: str, was_terminal: bool) -> None:
    run = jobs.get(run_id, access=frame.access())
    if run.state.terminal and not was_terminal:
        st.rerun()
    if not run.state.terminal:
        jobs.tick()
        events = jobs.events(run_id, access=frame.access())
        st.progress(events[-1].fraction or 0.0 if events else 0.0, text="Timing a few steps")
        return
    expected = TrainingEstimate.from_dict(run.result or {})
    with st.container(horizontal=True):
        _tile(
            "Time",
            numbers.duration(expected.seconds),
            f"{numbers.duration(expected.low)} to {numbers.duration(expected.high)}",
            help="From start to result; with the fastest and the slowest steps that were measured.",
        )
        _tile("Steps", f"{expected.steps:,}", f"{expected.seconds_a_step:.2f} s each")
        _tile("Memory", f"{numbers.rounded(round(expected.memory_mb / 1024, 1))} GB", "with the longest texts")
        _tile("Disk", f"{expected.disk_mb:,.0f} MB", "for checkpoints")
    st.caption(
        f"Measured on {expected.measured} steps on {frame.plain(expected.device)}. Other work on this machine makes it "
        "longer."
    )


def _tile(label: str, value: str, detail: str, help: str | None = None) -> None:
    st.metric(label, value, detail, delta_color="off", delta_arrow="off", border=True, help=help)
