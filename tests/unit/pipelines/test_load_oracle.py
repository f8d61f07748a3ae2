"""Inputs and outputs resolve to what Azure's own reader makes of the same files.

``tests/data/pipelines/resolved.json`` is the result of that reader (``make_resolved.py`` writes it). Where
``PLUMBLINE_AZUREML_EXAMPLES`` names a checkout of the repository azureml-examples, each of its pipeline files is read,
or refused for a reason that is known.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core.pipelines import (
    Component,
    Data,
    Given,
    InputOf,
    Node,
    OutputOf,
    OutputPort,
    Pipeline,
    PipelineError,
    Port,
    Value,
    load_pipeline,
)

FOLDER = Path(__file__).resolve().parents[2] / "data" / "pipelines"
EXAMPLES = os.environ.get("PLUMBLINE_AZUREML_EXAMPLES")
RESOLVED: dict[str, Any] = json.loads((FOLDER / "resolved.json").read_text())


def ours(pipeline: Pipeline) -> dict[str, Any]:
    """Return a pipeline in the form of the stored results."""
    return {
        "inputs": {name: value_of(value) for name, value in pipeline.values.items()},
        "outputs": {name: output_of(output) for name, output in pipeline.outputs.items()},
        "nodes": nodes_of(pipeline.nodes),
    }


def nodes_of(nodes: Mapping[str, Node]) -> dict[str, Any]:
    return {
        name: {
            "type": node.kind,
            "inputs": {name: value_of(value) for name, value in node.inputs.items()},
            "outputs": {name: output_of(output) for name, output in node.outputs.items()},
            "command": node.component.command,
            "code": node.component.code.name if node.component.code else None,
            "declared": {name: port_of(port) for name, port in declared(node.component).items()},
            "settings": node.settings,
            "nodes": nodes_of(node.component.nodes),
        }
        for name, node in nodes.items()
    }


def declared(component: Component) -> Mapping[str, Port]:
    return {} if component.kind == "automl" else component.inputs


def value_of(value: Value) -> Any:
    match value:
        case Given(value=literal):
            return literal
        case Data():
            record = {"path": bare(value.text), "type": value.type}
            return record if value.mode is None else {**record, "mode": value.mode}
        case InputOf():
            record = {"reference": f"${{{{parent.inputs.{value.name}}}}}"}
        case OutputOf():
            record = {"reference": f"${{{{parent.jobs.{value.node}.outputs.{value.output}}}}}"}
    return record if value.mode is None else {**record, "mode": value.mode}


def output_of(output: OutputPort) -> dict[str, Any]:
    stated = {"mode": output.mode, "name": output.asset_name, "version": output.asset_version}
    record = {key: value for key, value in stated.items() if value is not None}
    if output.promoted is not None:
        return {"reference": f"${{{{parent.outputs.{output.promoted}}}}}", **record}
    return record | ({"path": output.path} if output.path else {}) | {"type": output.type}


def port_of(port: Port) -> dict[str, Any]:
    number = port.type in ("number", "integer")
    bounds = {"min": port.low, "max": port.high}
    return {
        "type": port.type,
        "optional": port.optional,
        "default": None if port.default is None else float(port.default) if number else str(port.default),
        "enum": [str(choice) for choice in port.choices],
        **{key: float(value) for key, value in bounds.items() if value is not None},
    }


def bare(path: str) -> str:
    return re.sub(r"^(azureml:(?!//))?(file:)?", "", path)


def differences(expected: dict[str, Any], actual: dict[str, Any], where: str = "") -> list[str]:
    """Return where a pipeline differs from the stored result; what only one of them states by its design is left out.

    Azure's reader leaves out outputs without settings, the type of an output that is promoted, and the defaults of a
    search; it gives an inline command's inputs their value as a default; inputs that are swept have no value.
    """
    lines = []
    for part in ("inputs", "outputs"):
        wanted, got = expected[part], dict(actual[part])
        for name in [name for name in got if name not in wanted and part == "outputs"]:
            if set(got[name]) == {"type"}:
                del got[name]
        for name in sorted({*wanted, *got}):
            one, other = wanted.get(name), got.get(name)
            if part == "outputs" and isinstance(other, dict) and isinstance(one, dict) and "type" not in one:
                other = {key: value for key, value in other.items() if key != "type"}
            if one != other or (part == "inputs" and isinstance(one, float) != isinstance(other, float)):
                lines.append(f"{where}{part}.{name}: {one} != {other}")
    for name in sorted({*expected["nodes"], *actual["nodes"]}):
        one, other = expected["nodes"].get(name), actual["nodes"].get(name)
        if one is None or other is None:
            lines.append(f"{where}{name}: only one of them has this step")
            continue
        path = f"{where}{name}/"
        for key in ("type", "command", "code"):
            if key not in ("command", "code") or one["type"] != "automl":
                lines += [] if one[key] == other[key] else [f"{path}{key}: {one[key]!r} != {other[key]!r}"]
        for port in sorted({*one["declared"], *other["declared"]}) if one["type"] != "automl" else []:
            first, second = one["declared"].get(port), other["declared"].get(port)
            if first and second and second["default"] is None and port in one["inputs"]:
                first = {**first, "default": None}
            lines += [] if first == second else [f"{path}declared.{port}: {first} != {second}"]
        for key, setting in one["settings"].items():
            if key in other["settings"] and setting != other["settings"][key]:
                lines.append(f"{path}settings.{key}: {setting} != {other['settings'][key]}")
        lines += differences(one, other, path)
    return lines


@pytest.mark.parametrize("name", [name for name, record in RESOLVED.items() if "error" not in record])
def test_our_files_resolve_as_in_azure(name: str) -> None:
    pipeline = load_pipeline(FOLDER / name)
    assert differences(RESOLVED[name], ours(pipeline)) == []


def test_every_kind_of_node_and_value_is_compared() -> None:
    text = json.dumps(RESOLVED)
    for part in (
        '"automl"',
        '"sweep"',
        '"pipeline"',
        "@latest",
        "parent.outputs",
        "parent.jobs",
        '"optional": true',
        '"max"',
    ):
        assert part in text


REASONS = (
    "which does not run here",
    r"The task '\w+' does not run here",
    "is not registered here",
    # Two mistakes that Azure's reader ignores: a value that is not a choice, an input that does not exist.
    "'center_crop' is '224', which is not one of its choices",
    "The step 'data_pipeline' has no input 'test_split_ratio'",
)


@pytest.mark.skipif(EXAMPLES is None, reason="needs a checkout of azureml-examples")
def test_examples_are_read_or_refused_for_a_reason() -> None:
    folder = Path(str(EXAMPLES)) / "cli" / "jobs"
    files = [path for path in folder.rglob("*.y*ml") if "pipelineJob.schema" in path.read_text(errors="replace")]
    assert len(files) > 50
    refused = []
    for path in files:
        try:
            load_pipeline(path)
        except PipelineError as error:
            if not any(re.search(reason, error.message) for reason in REASONS):
                refused.append(f"{path.relative_to(folder)}: {error.message}")
    assert refused == []
