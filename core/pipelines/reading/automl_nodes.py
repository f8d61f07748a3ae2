"""Nodes that search for a model: a component that is made of their keys."""

from __future__ import annotations

from core.pipelines.bindings import Given, Value
from core.pipelines.errors import PipelineError
from core.pipelines.model import Component, OutputPort, Port
from core.pipelines.reading.context import Origin, Reading
from core.pipelines.reading.sections import Section, text_of
from core.pipelines.reading.values import read_value

__all__ = ["automl_component", "check_task", "read_automl_inputs"]

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
