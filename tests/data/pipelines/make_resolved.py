"""Writes what Azure's own reader makes of pipeline files, for a test that compares it with ours.

``python tests/data/pipelines/make_resolved.py [FOLDER OUTPUT]`` needs the package ``azure-ai-ml`` (1.35), in an
environment of its own. Without arguments it reads the files beside it, and writes ``resolved.json``.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
JsonObject = dict[str, Any]


def bare(path: str) -> str:
    """Return a path without the prefixes that Azure's reader adds."""
    return re.sub(r"^(azureml:(?!//))?(file:)?", "", path)


def value_of(value: Any) -> Any:
    """Return a literal, a reference, or data with type, path and mode."""
    if isinstance(value, str) and value.startswith("${{"):
        return {"reference": value}
    if not isinstance(value, dict):
        return value
    path = str(value.get("path", ""))
    kept = {key: value[key] for key in ("mode", "name", "version") if value.get(key) is not None}
    if "job_output_type" in value or "job_input_type" in value:
        kept["type"] = value.get("job_output_type") or value.get("job_input_type")
    if path.startswith("${{"):
        return {"reference": path, **kept}
    if path:
        kept["path"] = bare(path)
    return kept | ({"type": value["type"]} if "type" in value else {})


def values_of(values: JsonObject | None) -> JsonObject:
    """Return the values of inputs or outputs by name."""
    return {name: value_of(value) for name, value in (values or {}).items()}


def port_of(port: JsonObject) -> JsonObject:
    """Return a declared input: type, whether it is optional, default and bounds as numbers where they are."""
    number = port["type"] in ("number", "integer")
    bounds = {key: float(port[key]) for key in ("min", "max") if port.get(key) is not None}
    default = port.get("default")
    return {
        "type": port["type"],
        "optional": bool(port.get("optional", False)),
        "default": None if default is None else float(default) if number else str(default),
        "enum": [str(choice) for choice in port.get("enum") or []],
        **bounds,
    }


def node_of(node: JsonObject) -> JsonObject:
    """Return what a node resolves to, with the nodes below it."""
    component = node.get("component") or node.get("trial") or {}
    if not isinstance(component, dict):
        component = {}
    data = {key: node[key] for key in ("training_data", "validation_data", "test_data") if key in node}
    settings = ("search_space", "objective", "sampling_algorithm", "limits", "early_termination")
    if node["type"] == "automl":
        settings = ("task", "target_column_name", "primary_metric", "limits", "featurization", "training")
    return {
        "type": node["type"],
        "inputs": values_of({**(node.get("inputs") or {}), **data}),
        "outputs": values_of(node.get("outputs")),
        "command": component.get("command", ""),
        "code": Path(component["code"]).name if component.get("code") else None,
        "declared": {name: port_of(port) for name, port in (component.get("inputs") or {}).items()},
        "settings": {key: node[key] for key in settings if key in node and node["type"] in ("automl", "sweep")},
        "nodes": {name: node_of(inner) for name, inner in (component.get("jobs") or {}).items()},
    }


def resolved(path: Path) -> JsonObject:
    """Return what Azure's reader makes of a pipeline file."""
    from azure.ai.ml import load_job

    job = json.loads(json.dumps(load_job(path)._to_dict(), default=str))
    return {
        "inputs": values_of(job.get("inputs")),
        "outputs": values_of(job.get("outputs")),
        "settings": job.get("settings") or {},
        "nodes": {name: node_of(node) for name, node in job["jobs"].items()},
    }


def main(folder: Path, output: Path) -> None:
    """Write what the pipeline files below a folder resolve to; those that cannot be read have the reason."""
    records: JsonObject = {}
    for path in sorted(folder.rglob("*.y*ml")):
        text = path.read_text(encoding="utf-8", errors="replace")
        if not re.search(r"^type: *pipeline\s*$", text, re.MULTILINE) and "pipelineJob.schema" not in text:
            continue
        try:
            records[path.relative_to(folder).as_posix()] = resolved(path)
        except Exception as error:  # noqa: BLE001
            records[path.relative_to(folder).as_posix()] = {"error": f"{type(error).__name__}: {error}"[:200]}
    output.write_text(json.dumps(records, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{sum('error' not in record for record in records.values())} of {len(records)} files read: {output}")


if __name__ == "__main__":
    given = [Path(argument).resolve() for argument in sys.argv[1:3]]
    main(*given or (HERE, HERE / "resolved.json"))
