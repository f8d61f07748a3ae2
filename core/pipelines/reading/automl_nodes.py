"""Nodes that search for a model: a component that is made of their keys."""

from __future__ import annotations

from core.jsonable import JsonObject
from core.pipelines.errors import PipelineError
from core.pipelines.model import Component, Given, InputOf, OutputPort, Port, Value
from core.pipelines.reading.context import Origin, Reading
from core.pipelines.reading.keys import AUTOML_SETTINGS
from core.pipelines.reading.references import binding_in
from core.pipelines.reading.sections import Section, text_of
from core.pipelines.reading.values import read_value
from core.pipelines.reading.yaml_nodes import Item, Mapping, Scalar, Sequence, plain

__all__ = ["automl_component", "check_task", "read_automl_inputs", "read_automl_settings"]

TASKS = ("classification", "regression")
DATA = ("training_data", "validation_data", "test_data")


def check_task(section: Section) -> None:
    """Refuse an ``automl`` node whose task does not run here."""
    task = section.require("task", f"Write {' or '.join(TASKS)}.")
    name = text_of(task, "'task'")
    if name.lower() not in TASKS:
        raise PipelineError(
            f"The task '{name[:60]}' does not run here.",
            f"Searches run here for {' and '.join(TASKS)}; texts are trained by the component fine_tune_text.",
            task.position,
        )


def automl_component(section: Section) -> Component:
    """Return the component of an ``automl`` node: data in, the best model out."""
    section.require("training_data", "Name the table to train on.")
    section.require("target_column_name", "Name the column to predict.")
    inputs = {key: Port(key, "mltable", optional=key != "training_data", position=section.at(key)) for key in DATA}
    return Component(
        name="",
        version="",
        kind="automl",
        inputs=inputs,
        outputs={"best_model": OutputPort("best_model", "mlflow_model", position=section.position)},
        title=section.text("display_name"),
        position=section.position,
    )


def read_automl_inputs(section: Section, component: Component, origin: Origin, reading: Reading) -> dict[str, Value]:
    """Return the data of an ``automl`` node, and the values of its settings that are inputs of the pipeline."""
    values: dict[str, Value] = {}
    for key in DATA:
        if key in section:
            value = read_value(key, section.entries[key], component.inputs[key], origin, reading)
            if isinstance(value, Given):
                raise PipelineError(f"'{key}' takes files, not a value.", "Give it a path.", value.position)
            values[key] = value
    return values


def read_automl_settings(section: Section) -> tuple[JsonObject, dict[str, InputOf]]:
    """Return the settings of an ``automl`` node, and those that are inputs of the pipeline, by their path of keys.

    ``limits: {max_trials: ${{parent.inputs.n}}}`` is the second kind, under "limits.max_trials".
    """
    settings: JsonObject = {}
    bound: dict[str, InputOf] = {}
    for key in AUTOML_SETTINGS:
        item = section.item(key)
        if item is not None:
            value = _split(item, key, bound)
            if value is not None:
                settings[key] = value
    return {key: settings[key] for key in section.entries if key in settings}, bound


def _split(item: Item, path: str, bound: dict[str, InputOf]) -> object:
    """Return an item without the references to inputs in it, which are added to `bound`."""
    match item:
        case Mapping(entries=entries):
            values = {key: _split(entry.value, f"{path}.{key}", bound) for key, entry in entries.items()}
            return {key: value for key, value in values.items() if f"{path}.{key}" not in bound}
        case Sequence(items=items):
            return [_split(value, f"{path}.{number}", bound) for number, value in enumerate(items)]
        case Scalar():
            binding = binding_in(item)
            if binding is None:
                return plain(item)
            if binding.kind != "input":
                raise PipelineError(
                    f"'{item.text[:80]}' cannot be a setting.",
                    "Write a value, or ${{parent.inputs.NAME}}.",
                    item.position,
                )
            bound[path] = InputOf(binding.name, item.position)
            return None
