"""One step of a pipeline: a command in a folder of the pipeline's run."""

from __future__ import annotations

import sys
from dataclasses import replace

from core import jobs
from core.access import Access
from core.errors import JobError, LimitError
from core.jobs import RunContext, TaskSpec
from core.jsonable import JsonObject
from core.pipelines import WORKSPACE_VARIABLE, StepCall, StepState, execute
from core.tasks.pipeline_batches import bring_batches
from core.tasks.pipeline_models import perform_registrations

__all__ = ["SPEC", "run", "submit"]

SPEC = TaskSpec(
    name="pipeline_step",
    title="Pipeline step",
    help="Runs the command of one step of a pipeline.",
    page="pipelines",
    subject="pipeline",
    repeatable=False,  # its folder belongs to the run of the pipeline
    submits=("monitor",),
    keeps_data=False,
)


def submit(call: StepCall, *, parent: str, access: Access) -> str:
    """Queue a step of a pipeline's run, and return the run's id."""
    return jobs.submit(
        "pipeline_step",
        {"pipeline": parent, "call": call.to_dict()},
        title=f"{call.step}: {call.title}",
        timeout_s=call.timeout_s,
        parent=parent,
        access=access,
    )


def run(context: RunContext) -> JsonObject:
    """Run the command; what it prints is the run's log."""
    call = StepCall.from_dict(context.settings["call"])
    if call.shipped:
        call = replace(call, variables={**call.variables, WORKSPACE_VARIABLE: "1"})
    outcome = execute(call, echo=_print)
    if call.shipped:  # also of a step that failed: an alarm may end it
        name = f"{call.step} of pipeline {context.settings['pipeline'][:6]}"
        bring_batches(call.outputs, name=name, report=context.report, access=context.access)
    match outcome.state:
        case StepState.SUCCEEDED:
            if call.shipped:
                perform_registrations(
                    call.outputs,
                    pipeline_run=context.settings["pipeline"],
                    step=call.step,
                    report=context.report,
                    access=context.access,
                )
            return {"values": dict(outcome.values)}
        case StepState.TIMED_OUT:
            raise LimitError(outcome.message, outcome.hint)
    raise JobError(outcome.message, outcome.hint)


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
