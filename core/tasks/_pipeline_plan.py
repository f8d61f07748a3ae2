"""The plan of a pipeline's run, as a file of the run: its steps, with what each needs and makes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from core.files import write_text
from core.jsonable import JsonObject
from core.pipelines import Data, Given, PipelineInput, Step, StepOutput

__all__ = ["PLAN", "plan_of", "write_plan"]

PLAN = "plan.json"
"""Name of the file."""


def plan_of(steps: Iterable[Step]) -> JsonObject:
    """Return the plan of these steps: for each its path, title, component, inputs, outputs, and the steps it needs."""
    return {"steps": [_planned(step) for step in steps]}


def write_plan(steps: Iterable[Step], folder: Path) -> Path:
    """Write the plan of these steps into a folder, and return its path.

    It is kept with the run because the components that the pipeline's file names may change later.
    """
    path = folder / PLAN
    write_text(path, json.dumps(plan_of(steps), ensure_ascii=False))
    return path


def _planned(step: Step) -> JsonObject:
    component = step.node.component
    return {
        "path": step.path,
        "title": step.title,
        "kind": step.node.kind,
        "component": component.name,
        "version": component.version,
        "reference": step.node.reference,
        "shipped": component.shipped,
        "needs": step.needs,
        "inputs": {name: _source(source) for name, source in step.sources.items()},
        "outputs": {name: port.type for name, port in step.outputs.items()},
    }


def _source(source: Given | Data | StepOutput | PipelineInput) -> JsonObject:
    match source:
        case Given(value=value):
            return {"value": value}
        case Data(text=text):
            return {"data": text}
        case StepOutput(step=path, output=output):
            return {"step": path, "output": output}
        case PipelineInput(name=name):
            return {"input": name}
