"""The steps of a pipeline as a graph and as a list; both open a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core import jobs
from core.catalog import Run, artifacts
from core.catalog import steps as step_rows
from core.jsonable import JsonObject
from core.tasks import pipeline
from pages._ui import address, badges, frame, listing
from pages._ui import artifacts as stored
from pages.pipelines import graph, states
from pages.pipelines.states import ShownStep

if TYPE_CHECKING:
    from streamlit.elements.lib.column_types import ColumnConfig

__all__ = ["live", "plan_of_run", "show_plan"]


def plan_of_run(run: Run) -> JsonObject | None:
    """Return the plan that a run has kept; None before it has read the pipeline."""
    names = {item.name for item in artifacts.find(run.id, access=frame.access())}
    return stored.json_of(run, pipeline.PLAN) if pipeline.PLAN in names else None


def live(run: Run) -> None:
    """Draw the steps of a run, refreshed while it is active."""
    st.fragment(frame.guarded(_live), run_every=None if run.state.terminal else "1s")(run.id)


def _live(run_id: str) -> None:
    run = jobs.get(run_id, access=frame.access())
    opened = st.session_state.pop("pipelines-graph-opened", None)
    if opened is not None:
        address.go(**opened)
    plan = plan_of_run(run)
    if plan is None:
        waits = "could not be read" if run.state.terminal else "appear here once the pipeline was read"
        st.caption(f"The steps {waits}.")
        return
    steps = states.shown_steps(plan, step_rows.of_run(run.id, access=frame.access()))
    graph.show(steps, key="pipelines-graph", parameter="step", query={"run": run.id})
    st.caption("Select a step to open it.")
    listing.show(
        pd.DataFrame(
            {
                "State": [[step.badge.label] for step in steps],
                "Step": [step.path for step in steps],
                "Time": [step.time for step in steps],
                "Why": [step.row.reason if step.row is not None else "" for step in steps],
            }
        ),
        [step.path for step in steps],
        key="pipelines-steps",
        parameter="step",
        query={"run": run.id},
        column_config={"State": _state_column(), "Why": st.column_config.TextColumn(width="large")},
        alt="Steps of this run",
    )


def _state_column() -> ColumnConfig:
    known = {badge.label: badge.color for badge in (*badges.RUN_BADGES, states.KEPT, states.SKIPPED)}
    return st.column_config.MultiselectColumn(options=list(known), color=list(known.values()))


def show_plan(plan: JsonObject, *, narrow: bool = False) -> None:
    """Draw the steps of a pipeline that is not run yet, in the page's width or in half of it."""
    steps: Sequence[ShownStep] = states.shown_steps(plan)
    graph.show(steps, key="pipelines-plan", parameter="", query={}, narrow=narrow)
    with st.expander(f"{len(steps)} step{'s' * (len(steps) != 1)} as a list", icon=":material/list:"):
        st.dataframe(
            pd.DataFrame(
                {
                    "Step": [step.path for step in steps],
                    "Component": [_component(step) for step in steps],
                    "Needs": [step.plan["needs"] for step in steps],
                }
            ),
            hide_index=True,
            height="content",
            placeholder="–",
            column_config={"Needs": st.column_config.ListColumn()},
            alt="Steps of this pipeline",
        )


def _component(step: ShownStep) -> str:
    name, version = step.plan["component"], step.plan["version"]
    if not name:
        return str(step.plan["kind"])
    return f"{name}, version {version}" if version else str(name)
