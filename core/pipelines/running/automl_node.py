"""An ``automl`` node: the shipped component ``train_automl`` with the keys of the node as its inputs."""

from __future__ import annotations

import copy
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from core.jsonable import JsonObject
from core.pipelines.azure_automl import automl_inputs
from core.pipelines.graph import Step
from core.pipelines.model import OutputPort
from core.pipelines.reading.component_files import shipped_component
from core.pipelines.running.calls import StepValues, call_of
from core.pipelines.running.step_call import Execute, StepOutcome
from core.pipelines.values import typed_value

__all__ = ["search_node"]


def search_node(
    step: Step,
    values: StepValues,
    folder: Path,
    outputs: Mapping[str, Path],
    execute: Execute,
    should_stop: Callable[[], bool],
) -> StepOutcome:
    """Search for a model as an ``automl`` node says; its output ``best_model`` is the model of the search.

    The test data is what the best model is scored on; the validation data takes its place where there is none, since
    models are chosen by cross-validation of the training data. What has no effect is the first thing in the log.

    Raises
    ------
    SettingsError
        When a key of the node is not valid.
    """
    component = shipped_component("train_automl")
    settings = _with_values(step.node.settings, values.parameters)
    inputs = automl_inputs(str(settings.get("task", "")), settings)
    notes = list(inputs.notes)
    files = {"training_data": values.files["training_data"]}
    scored = [name for name in ("test_data", "validation_data") if name in values.files]
    if scored:
        files["validation_data"] = values.files[scored[0]]
        notes += [f"'{name}' has no effect: the model is scored on '{scored[0]}'." for name in scored[1:]]
    defaults = {name: port.default for name, port in component.inputs.items() if port.default is not None}
    given = {name: typed_value(component.inputs[name], value) for name, value in inputs.values.items()}
    said = "".join(f"echo {shlex.quote(note)}\n" for note in notes)
    searched = replace(
        step,
        node=replace(step.node, component=replace(component, command=said + component.command)),
        outputs={"model": OutputPort("model", "mlflow_model"), "results": OutputPort("results")},
    )
    paths = {"model": outputs["best_model"], "results": folder / "results"}
    return execute(call_of(searched, StepValues(defaults | given, files), folder, paths), should_stop)


def _with_values(settings: JsonObject, parameters: Mapping[str, object]) -> JsonObject:
    """Return the settings with the values of those that are inputs of the pipeline, which are named by their path."""
    filled: JsonObject = copy.deepcopy(settings)
    for path, value in parameters.items():
        *groups, name = path.split(".")
        part = filled
        for group in groups:
            part = part.setdefault(group, {})
        part[name] = value
    return filled
