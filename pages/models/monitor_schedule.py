"""Schedules that look for new batches of a model: those that there are, and a form for one more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core import jobs
from core.access import Role
from core.batch_sources import SOURCE_KINDS, SourceKind
from core.catalog import Run, RunState, Schedule
from core.errors import PlumblineError
from core.tasks import monitor_schedules
from pages._ui import badges, deletion, frame, model_fields, numbers, popovers, timing
from pages.models.metrics import OpenModel

__all__ = ["outcome", "show"]

_POPOVER = "models-monitor-schedule"
_ASKED = f"{_POPOVER}-asked"


def show(opened: OpenModel) -> None:
    """Draw the popover."""
    if asked := st.session_state.pop(_ASKED, None):  # outside of the popover, which would cover the dialog
        after = {"model": opened.model.id, "version": str(opened.version.number), "tab": "Monitor"}
        deletion.ask("schedule", asked, name=f"schedule-{asked}-delete", after=after)
    with st.popover("Schedule", icon=":material/schedule:", key=_POPOVER, on_change="rerun") as popover:
        if not popover.open:
            return
        listed = monitor_schedules.schedules_of(opened.model.id, access=frame.access())
        if not listed:
            st.caption("Batches come when someone brings them. With a schedule they are looked for, and compared.")
        for schedule in listed:
            _schedule(schedule)
        if not frame.access().may(Role.EDITOR):
            st.caption("Editors and admins of the workspace add schedules.")
            return
        st.markdown("**Another schedule**" if listed else "**New schedule**")
        _form(opened)


def _schedule(schedule: Schedule) -> None:
    key = f"{_POPOVER}-{schedule.id}"
    may = frame.access().may(Role.EDITOR)
    with st.container(border=True, key=key):
        on = badges.Badge("On", "green", ":material/schedule:")
        badges.show(on if schedule.enabled else badges.Badge("Off", "gray", ":material/pause:"))
        st.markdown(f"**{frame.plain(timing.words(schedule))}**: {frame.plain(_source(schedule))}")
        if following := timing.next_times(schedule):
            st.caption(f"Next: {following}")
        if schedule.skipped or schedule.missed:
            st.caption(
                f"Times that were missed: {schedule.missed:,}; skipped, as a check had not ended: {schedule.skipped:,}."
            )
        if schedule.problem:
            st.warning(frame.plain(schedule.problem), icon=":material/warning:")
        _last(monitor_schedules.last_check(schedule, access=frame.access()))
        with st.container(horizontal=True):
            st.button(
                "Check now",
                icon=":material/search:",
                key=f"{key}-check",
                disabled=not may,
                on_click=_check,
                args=(schedule.id,),
            )
            st.button(
                "Turn off" if schedule.enabled else "Turn on",
                icon=":material/pause:" if schedule.enabled else ":material/play_arrow:",
                key=f"{key}-toggle",
                disabled=not may,
                on_click=_toggle,
                args=(schedule.id, not schedule.enabled),
            )
            st.button(
                "Delete…",
                icon=":material/delete:",
                key=f"{key}-delete",
                disabled=not may,
                on_click=_ask_deletion,
                args=(schedule.id,),
            )
        if may and schedule.settings["kind"] in SOURCE_KINDS:
            _change(schedule, key)


def _change(schedule: Schedule, key: str) -> None:
    """Draw what can be changed of a schedule, when someone asks for it."""
    toggle = f"{key}-change"
    if st.session_state.pop(f"{toggle}-done", False):
        st.session_state[toggle] = False  # set before the toggle is drawn: later changes do not reach the browser
    if not st.toggle("Change it", key=toggle):
        return
    kind = SOURCE_KINDS[schedule.settings["kind"]]
    values = _values(kind, f"{key}-{kind.name}", schedule.settings["values"])
    try:
        known = jobs.timing_of(schedule)
    except PlumblineError:  # its problem says why
        known = None
    times = timing.form(f"{key}-timing", label="Checks start", before=known)
    if st.button("Save", type="primary", key=f"{key}-save", disabled=times is None) and times is not None:
        with frame.errors_shown():
            monitor_schedules.change_schedule(schedule.id, values, times, access=frame.access())
            st.toast("Saved. The next check looks there.", icon=":material/schedule:")
            st.session_state[f"{toggle}-done"] = True
            st.rerun()


def _source(schedule: Schedule) -> str:
    try:
        return monitor_schedules.shown_source(schedule)
    except PlumblineError as error:  # such as a kind of an extension that is no longer there
        return error.message


def _last(run: Run | None) -> None:
    """Draw what the last check brought, and what could not be read."""
    if run is None:
        st.caption("Not checked yet.")
        return
    st.caption(f"Last check, {numbers.ago(run.created_at)}: {frame.plain(outcome(run))}")
    result = run.result or {}
    for sentence in result.get("notes", []):
        st.caption(frame.plain(sentence))
    for problem in result.get("problems", [])[:5]:
        st.warning(
            frame.plain(f"{problem['name']}: {problem['message']} {problem['hint']} It is tried again at each check."),
            icon=":material/warning:",
        )


def outcome(run: Run) -> str:
    """Return what became of a check."""
    if not run.state.terminal:
        return "it works."
    if run.state is not RunState.SUCCEEDED:
        return " ".join([badges.of_run(run).label.lower() + ".", run.error_message or ""]).strip()
    result = run.result or {}
    counts = (
        (len(result.get("monitored", [])), "compared"),
        (len(result.get("repeated", [])), "known before"),
        (result.get("unread", 0), "could not be read"),
    )
    said = ", ".join(f"{count:,} {words}" for count, words in counts if count)
    return f"{said}." if said else "nothing was new."


def _check(schedule_id: str) -> None:
    with frame.errors_shown():
        monitor_schedules.check_now(schedule_id, access=frame.access())
        st.toast("The source is looked at now.", icon=":material/search:")


def _ask_deletion(schedule_id: str) -> None:
    st.session_state[_ASKED] = schedule_id
    st.session_state[_POPOVER] = False


def _toggle(schedule_id: str, enabled: bool) -> None:
    with frame.errors_shown():
        jobs.change_schedule(schedule_id, enabled=enabled, access=frame.access())


def _form(opened: OpenModel) -> None:
    names = list(SOURCE_KINDS)
    name = st.segmented_control(
        "Look at",
        names,
        default=names[0],
        required=True,
        format_func=lambda kind: SOURCE_KINDS[kind].title,
        key=f"{_POPOVER}-kind",
    )
    kind = SOURCE_KINDS[str(name)]
    st.caption(kind.help)
    values = _values(kind, f"{_POPOVER}-{kind.name}", {})
    times = timing.form(f"{_POPOVER}-timing", label="Checks start")
    st.caption("The model's champion scores what comes, or else its newest version.")
    label, key = "Add the schedule", f"{_POPOVER}-add"
    pressed = st.button(label, type="primary", icon=":material/schedule:", key=key, disabled=times is None)
    if pressed and times is not None:
        with frame.errors_shown():
            monitor_schedules.add_schedule(opened.model.id, kind.name, values, times, access=frame.access())
            st.toast("The schedule was added.", icon=":material/schedule:")
            popovers.close(_POPOVER)


def _values(kind: SourceKind, key: str, before: Mapping[str, Any]) -> dict[str, Any]:
    """Draw the fields of a kind's settings, the numbers under "Limits", and return what is in them."""
    fields = kind.settings.model_fields
    texts = [name for name, field in fields.items() if field.annotation is str]
    values: dict[str, Any] = {}
    for name in texts:
        field = fields[name]
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        draw = st.text_area if extra.get("multiline") else st.text_input
        default = "" if field.is_required() else model_fields.default(kind.settings, name)
        value = before.get(name, default)
        values[name] = draw(field.title or name, value, key=f"{key}-{name}", help=field.description)
    with st.expander("Limits", key=f"{key}-limits"):
        for name in [name for name in fields if name not in texts]:
            number = model_fields.number(kind.settings, name)
            values[name] = st.number_input(
                fields[name].title or name,
                **(number | {"value": before.get(name, number["value"])}),
                key=f"{key}-{name}",
                help=fields[name].description,
            )
    return values
