"""One step of a run: why it ran or not, its log, what went in, what came out."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core import jobs
from core.catalog import PipelineStep, Run, runs, saved_pipelines
from core.catalog import steps as step_rows
from core.errors import NotFoundError
from core.jsonable import JsonObject
from core.tasks import pipeline as pipeline_task
from pages._ui import frame, header, lookups, numbers, run_view, tabs
from pages.pipelines import outputs, registration, states, step_list
from pages.pipelines.states import ShownStep

__all__ = ["find", "show"]


def find(run: Run, path: str) -> ShownStep:
    """Return a step of a run.

    Raises
    ------
    NotFoundError
        When the run has no such step.
    """
    plan = step_list.plan_of_run(run) or {"steps": []}
    for step in states.shown_steps(plan, step_rows.of_run(run.id, access=frame.access())):
        if step.path == path:
            return step
    raise NotFoundError(f"The run '{run.title}' has no such step.", "Its page lists all steps.")


def show(run: Run, step: ShownStep) -> None:
    """Draw a step."""
    child = _child(run, step)
    name, version = step.plan["component"], step.plan["version"]
    facts = [f"Step of {frame.plain(run.title)}"]
    if name:
        facts.append(f"component {frame.plain(name)}" + (f", version {frame.plain(version)}" if version else ""))
    if step.time:
        facts.append(step.time)
    with header.show_object(
        step.path, back="The run", query={"run": run.id}, badge=step.badge, facts=" · ".join(facts)
    ):
        if child is not None and st.button(
            "Run of the step",
            icon=":material/list_alt:",
            key="pipelines-step-run",
            help="Its log, facts and limits.",
        ):
            st.switch_page("pages/runs/page.py", query_params={"run": child.id})
        if run.state.terminal:
            st.button(
                "Run from here",
                icon=":material/restart_alt:",
                key="pipelines-run-from",
                on_click=_run_from,
                args=(run.id, step.path),
                help="A new run with the same inputs, in which this step and all that need it run again.",
            )
    _reason(step, child)
    if not run.state.terminal:
        seen = ("" if step.row is None else step.row.state, "" if child is None else child.id)
        st.fragment(frame.guarded(_watch), run_every="1s")(run.id, step.path, seen)
    tabs.show(
        {
            "Outputs": partial(_outputs, run, step),
            "Inputs": partial(_inputs, step),
            "Log": partial(_log, run, step, child),
            "Key": partial(_key, step),
        },
        key="pipelines-step-tabs",
    )


def _child(run: Run, step: ShownStep) -> Run | None:
    """Return the step's own run: the one it names, or the newest that was started for it."""
    if step.row is not None and step.row.run_id:
        return lookups.existing_run(step.row.run_id)
    own = [
        child for child in runs.children(run.id, access=frame.access()) if child.settings["call"]["step"] == step.path
    ]
    return max(own, key=lambda child: child.created_at, default=None)


def _watch(run_id: str, path: str, seen: tuple[str, str]) -> None:
    """Draw the page again once the state of the step, or the run that executes it, has changed."""
    jobs.tick()
    run = jobs.get(run_id, access=frame.access())
    step = find(run, path)
    child = _child(run, step)
    if run.state.terminal or seen != ("" if step.row is None else step.row.state, "" if child is None else child.id):
        st.rerun()


def _run_from(run_id: str, path: str) -> None:
    with frame.errors_shown():
        run = jobs.get(run_id, access=frame.access())
        settings = run.settings
        again = pipeline_task.submit(
            settings["text"],
            files=settings["files"],
            inputs=settings["inputs"],
            title=run.title,
            saved=settings["saved"] if saved_pipelines.exists(settings["saved"], access=frame.access()) else "",
            rerun_from=[path],
            access=frame.access(),
        )
        st.query_params.from_dict({"run": again})


def _reason(step: ShownStep, child: Run | None) -> None:
    row = step.row
    if row is None or not row.reason:
        return
    if row.state in ("FAILED", "TIMED_OUT"):
        hint = child.error_hint if child is not None and child.error_hint else "Its log says more."
        frame.show_error(row.reason, hint)
    else:
        st.markdown(frame.plain(row.reason))


def _outputs(run: Run, step: ShownStep) -> None:
    row = step.row
    if row is None or not row.outputs:
        made = step.plan["outputs"]
        listed = ", ".join(f"{name} ({type_})" for name, type_ in made.items())
        st.caption(f"Nothing yet. It makes {frame.plain(listed)}." if made else "This step has no outputs.")
        return
    for name, files in row.outputs.items():
        with st.container(border=True):
            outputs.show(
                name,
                step.plan["outputs"].get(name, ""),
                files,
                key=f"pipelines-output-{step.path}-{name}",
                origin=registration.Origin(run.id, step.path, name),
            )


def _inputs(step: ShownStep) -> None:
    parameters = {} if step.row is None else step.row.parts.get("parameters", {})
    sources = step.plan["inputs"]
    lines = {}
    for name in dict.fromkeys([*sources, *parameters]):
        source = _source(sources.get(name))
        lines[name] = f"{parameters[name]}{f' ({source})' if source else ''}" if name in parameters else source
    if not lines:
        st.caption("This step has no inputs.")
        return
    st.table(
        {frame.plain(name): frame.plain(value) for name, value in lines.items()}, border="horizontal", width="content"
    )


def _source(source: JsonObject | None) -> str:
    match source:
        case None:
            return "default of the component"
        case {"step": path, "output": output}:
            return f"output {output} of {path}"
        case {"input": name}:
            return f"input {name} of the pipeline"
        case {"data": text}:
            return str(text)
    return ""


def _log(run: Run, step: ShownStep, child: Run | None) -> None:
    if child is None:
        row = step.row
        kept = row is not None and states.badge_of(row) == states.KEPT
        origin = _origin(run, row) if kept and row is not None else None
        if origin is None:
            st.caption("It has no log: nothing of it was executed in this run.")
            return
        st.caption(f"Kept from a run {numbers.ago(origin.created_at)}; the log is of that run.")
        child = lookups.existing_run(origin.run_id)
        if child is None:
            st.caption("That run was deleted.")
            return
    elif not child.state.terminal or child.error_message:
        run_view.show_failure(child)
    run_view.show_log(child)


def _origin(run: Run, row: PipelineStep) -> PipelineStep | None:
    """Return the newest execution with the same key."""
    return step_rows.latest_executed(row.key, access=frame.access()) if row.key else None


def _key(step: ShownStep) -> None:
    if step.row is None or not step.row.key:
        st.caption("The key is known once the inputs of the step are.")
        return
    st.caption(
        "What the outputs depend on. When all of it is the same in a later run, the step is not executed, and its "
        "outputs are used again."
    )
    parts = {name: part for name, part in step.row.parts.items() if name != "packages"}
    st.json(parts, expanded=2)
    with st.expander(f"{len(step.row.parts.get('packages', {})):,} packages", icon=":material/package_2:"):
        st.json(step.row.parts.get("packages", {}), expanded=1)
