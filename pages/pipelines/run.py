"""One run of a pipeline: its state, its steps, its outputs, and how to run it again."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core import jobs
from core.catalog import Run, RunState, saved_pipelines
from core.catalog import steps as step_rows
from pages._ui import frame, header, numbers, run_actions, run_view, tabs
from pages.pipelines import compare, mistakes, outputs, reading, registration, run_form, step_list

__all__ = ["show"]


def show(run: Run) -> None:
    """Draw a run."""
    saved = run.settings["saved"]
    kept = saved_pipelines.exists(saved, access=frame.access())
    back, query = ("The pipeline", {"pipeline": saved}) if kept else ("All pipelines", {})
    facts = f"Run of {numbers.when(run.created_at):%d %b %Y, %H:%M}"
    with header.show_object(run.title, back=back, query=query, facts=facts):
        run_actions.log(run.id)
    run_view.show_run(run.id)
    _finding(run)
    tabs.show(
        {
            "Steps": partial(step_list.live, run),
            "Outputs": partial(_outputs, run),
            "Run again": partial(_again, run, kept),
            "Compare": partial(compare.show, run),
            "File": partial(_file, run),
        },
        key="pipelines-run-tabs",
    )


def _finding(run: Run) -> None:
    if run.state is not RunState.SUCCEEDED or run.result is None:
        return
    steps, executed = run.result["steps"], run.result["executed"]
    if executed == 0:
        st.subheader(f"Nothing changed: the outputs of all {steps} steps were used again")
    elif executed == steps:
        st.subheader(f"{'The step was' if steps == 1 else f'All {steps} steps were'} executed")
    else:
        st.subheader(f"{executed} of {steps} steps executed, the outputs of {steps - executed} used again")


def _outputs(run: Run) -> None:
    """Draw the outputs of the pipeline itself, then those of the last steps where it has none."""
    plan = step_list.plan_of_run(run) or {"steps": []}
    rows = {row.path: row for row in step_rows.of_run(run.id, access=frame.access())}
    types = {step["path"]: step["outputs"] for step in plan["steps"]}
    promoted = (run.result or {}).get("outputs", {})
    named = {name: (item["step"], item["output"]) for name, item in promoted.items()}
    if not named:
        needed = {path for step in plan["steps"] for path in step["needs"]}
        last = [step for step in plan["steps"] if step["path"] not in needed]
        named = {f"{step['path']}: {output}": (step["path"], output) for step in last for output in step["outputs"]}
        if named:
            st.caption("The file names no outputs of the pipeline. These are those of its last steps.")
    shown = {
        name: rows[path].outputs[output]
        for name, (path, output) in named.items()
        if path in rows and output in rows[path].outputs
    }
    if not shown:
        st.caption("No outputs yet. The steps have theirs as soon as they have ended.")
    for name, files in shown.items():
        path, output = named[name]
        with st.container(border=True):
            outputs.show(
                name,
                types.get(path, {}).get(output, ""),
                files,
                key=f"pipelines-run-output-{name}",
                origin=registration.Origin(run.id, path, output),
            )


def _again(run: Run, kept: bool) -> None:
    settings = run.settings
    checked = reading.read(settings["text"], settings["files"], access=frame.access())
    if checked.pipeline is None:
        mistakes.show(checked, settings["text"])
        return
    st.caption("A new run of the file as it was in this run, with these inputs.")
    run_form.show(
        checked,
        settings["text"],
        settings["files"],
        title=run.title,
        saved=settings["saved"] if kept else "",
        given=settings["inputs"],
        key=f"pipelines-again-{run.id}",
    )


def _file(run: Run) -> None:
    settings = run.settings
    st.code(settings["text"], language="yaml", line_numbers=True)
    for event in jobs.events(run.id, phase="data", access=frame.access()):
        st.caption(frame.plain(event.message))
    if settings["files"]:
        st.caption("Beside it: " + ", ".join(frame.plain(name) for name in settings["files"]))
