"""The current state of one run: the same strip on every page, drawn from the catalog alone."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core import jobs
from core.catalog import Run, RunEvent, RunState
from pages._ui import badges, frame, keys, numbers, server_facts

__all__ = ["show_failure", "show_line", "show_run"]

_POLL = "1s"
_QUICK_POLL = "0.4s"  # of what a person waits for

Details = Callable[[Run, list[RunEvent]], None]


def show_run(run_id: str, details: Details | None = None, *, budget_s: float | None = None) -> Run:
    """Draw the strip of a run, refreshed every second while it is active; the page runs again once it has ended.

    Parameters
    ----------
    run_id : str
        Identifier of the run.
    details : callable, optional
        Function that draws what this type of run has below the strip, from the run and its events.
    budget_s : float, optional
        Time budget of the run in seconds, shown beside the elapsed time.
    """
    run = jobs.get(run_id, access=frame.access())
    every = None if run.state.terminal else _POLL
    st.fragment(frame.guarded(_strip), run_every=every)(run_id, details, budget_s, not run.state.terminal)
    return run


def show_line(run_id: str, text: str) -> None:
    """Draw one line while a short run is active, for what is drawn again at its end; then the page runs again."""
    st.fragment(frame.guarded(_line), run_every=_QUICK_POLL)(run_id, text)


def _queue_note(run: Run) -> str:
    if jobs.waits_for_own(run, access=frame.access()):
        return "As many runs of this workspace are active as may be; this one starts by itself when one has ended."
    waiting = jobs.describe_wait(run)
    if waiting is not None:
        return frame.plain(server_facts.without(waiting))
    position = jobs.queue_position(run)
    if run.lane in jobs.engine_lanes():
        return "Next to start." if position == 1 else f"Number {position} in the queue for the cluster."
    others = "Next to start." if position == 1 else f"Number {position} in the queue."
    return f"{others} Another run is active; this one starts by itself."


def _line(run_id: str, text: str) -> None:
    jobs.tick()
    run = jobs.get(run_id, access=frame.access())
    if run.state.terminal:
        st.rerun()
    position = jobs.queue_position(run)
    st.caption(f":material/progress_activity: {text if position is None else 'Waiting for another run'}…")


def _strip(run_id: str, details: Details | None, budget_s: float | None, was_active: bool) -> None:
    run = jobs.get(run_id, access=frame.access())
    if not run.state.terminal:
        jobs.tick()
        run = jobs.get(run_id, access=frame.access())
    if was_active == run.state.terminal:  # it has ended or was resumed, so the rest of the page changes
        st.rerun()
    events = jobs.events(run_id, access=frame.access())
    last = events[-1] if events else None

    with st.container(border=True, key=keys.key(f"run-{run_id}")):
        with st.container(horizontal=True, vertical_alignment="center"):
            badges.show(badges.of_run(run))
            st.markdown(f"**{frame.plain(run.title)}**", width="content")
            st.markdown(_clock(run, budget_s), width="content")
            st.space("stretch")
            _buttons(run)
        if run.state is RunState.QUEUED:
            st.caption(_queue_note(run))
        elif not run.state.terminal:
            fraction = last.fraction if last is not None and last.fraction is not None else 0.0
            message = last.message if last is not None else "Starting the process"
            if run.stop_requested_at is not None:
                message = "Stopping"
            elif run.cancel_requested_at is not None:
                message = "Cancelling"
            st.progress(min(max(fraction, 0.0), 1.0), text=frame.plain(message))
    if run.state.terminal and run.state is not RunState.SUCCEEDED:
        show_failure(run)
    if details is not None and (events or run.state is RunState.SUCCEEDED):
        details(run, events)


def _clock(run: Run, budget_s: float | None) -> str:
    if run.started_at is None and not run.elapsed_s:
        return ""
    if run.state.terminal or budget_s is None:
        return numbers.duration(run.elapsed_s)
    left = max(0.0, budget_s - run.elapsed_s)
    return f"{numbers.duration(run.elapsed_s)} of {numbers.duration(budget_s)}, {numbers.duration(left)} left"


def _buttons(run: Run) -> None:
    if jobs.stoppable(run):
        _button(run, jobs.task_spec(run.task).stop_label, ":material/stop_circle:", jobs.stop)
    if not run.state.terminal and run.cancel_requested_at is None:
        kept = "It can be resumed." if jobs.task_spec(run.task).resumable else "Nothing of it is kept."
        _button(run, "Cancel", ":material/close:", jobs.cancel, f"End the run. {kept}")
    if jobs.resumable(run, access=frame.access()):
        _button(run, "Resume", ":material/play_arrow:", jobs.resume)


def _button(run: Run, label: str, icon: str, action: Callable[..., Run], explanation: str | None = None) -> None:
    # A callback runs even when the strip was drawn again between the click and its arrival here.
    st.button(
        label,
        icon=icon,
        key=keys.key(f"{action.__name__}-{run.id}"),
        help=explanation,
        on_click=_act,
        args=(action, run.id),
    )


def _act(action: Callable[..., Run], run_id: str) -> None:
    with frame.errors_shown():
        action(run_id, access=frame.access())


def show_log(run: Run) -> None:
    """Draw what a run has printed, again every two seconds while it works."""
    if not server_facts.shown():
        st.caption("Logs are not shown here: they name paths and addresses of the server.")
        return
    st.fragment(frame.guarded(_log_text), run_every=None if run.state.terminal else "2s")(run.id)


def _log_text(run_id: str) -> None:
    text = jobs.log(run_id, access=frame.access())
    if text:
        st.code(text, language=None, height=420 if text.count("\n") > 18 else "content")
    else:
        st.caption("The log is empty.")


def show_failure(run: Run) -> None:
    """Show why a run ended without a result, and what to do."""
    if run.state is RunState.CANCELLED and run.error_message:  # it was stopped and can be resumed
        said = server_facts.without(f"{run.error_message} {run.error_hint or ''}")
        st.info(frame.plain(said), icon=":material/pause_circle:")
    elif run.state is RunState.CANCELLED:
        again = jobs.resumable(run, access=frame.access())
        kept = "Resume it to continue from what it had done." if again else "Nothing of it was kept."
        st.info(f"The run was cancelled. {kept}", icon=":material/cancel:")
    elif run.error_message:
        frame.show_error(run.error_message, run.error_hint)
