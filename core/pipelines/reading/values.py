"""Values of a node's inputs, and what a node or a pipeline says about its outputs."""

from __future__ import annotations

import re
from pathlib import Path

from core.pipelines.bindings import DATA_TYPES, Data, Given, InputOf, OutputOf, Value
from core.pipelines.errors import PipelineError, Position
from core.pipelines.model import OutputPort, Port
from core.pipelines.reading.context import Origin, Reading
from core.pipelines.reading.keys import DATA_INPUT_KEYS, MODE_NOTICE, NODE_OUTPUT_KEYS
from core.pipelines.reading.ports import literal_of, read_type
from core.pipelines.reading.references import binding_in, is_remote, parse_asset
from core.pipelines.reading.sections import Section, text_of
from core.pipelines.reading.yaml_nodes import Entry, Mapping, Scalar
from core.registry import unknown_name

__all__ = ["note_converted", "read_data", "read_output", "read_value"]

_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)")
INPUT_MODES = ("ro_mount", "download", "direct", "eval_mount", "eval_download")
OUTPUT_MODES = ("rw_mount", "upload", "mount", "direct")


def read_value(name: str, entry: Entry, port: Port | None, origin: Origin, reading: Reading) -> Value:
    """Return the value of a node's input.

    Parameters
    ----------
    name : str
        Name of the input.
    entry : Entry
        Value as written.
    port : Port or None
        Input of the component; None where the node itself declares it.
    origin : Origin
        File it stands in.
    reading : Reading
        Reading that it is part of.
    """
    item = entry.value
    if isinstance(item, Mapping):
        return read_data(name, item, origin, reading, default_type=port.type if port and port.is_data else "uri_folder")
    literal = literal_of(item, f"the input '{name[:60]}'")
    assert isinstance(item, Scalar)
    bound = _bound(item)
    if bound is not None:
        return bound
    if port is not None and port.is_data:
        if not isinstance(item.value, str):
            raise PipelineError(
                f"The input '{name}' takes files ({port.type}), not the value {item.text[:60]}.",
                "Give it a path, or the output of a step.",
                item.position,
            )
        return _data(item.text, port.type, item.position, None, origin, reading)
    note_converted(item, None if port is None else port.type, origin, reading)
    return Given(literal, item.position)


def note_converted(item: Scalar, kind: str | None, origin: Origin, reading: Reading) -> None:
    """Put a value into the notices that YAML reads as another one than most people would: ``no``, ``007``, ``1:30``.

    Parameters
    ----------
    item : Scalar
        Value as written.
    kind : str or None
        Type of the input, where it is declared.
    origin : Origin
        File it stands in.
    reading : Reading
        Reading that it is part of.
    """
    value, text = item.value, item.text
    if isinstance(value, bool):
        converted = text.lower() not in ("true", "false") and kind != "boolean"
    elif isinstance(value, int):
        converted = _DECIMAL.fullmatch(text) is None
    elif isinstance(value, float):
        converted = ":" in text or (kind == "string" and str(value) != text)
    else:
        return
    if converted:
        reading.note(
            f"converted {item.position}",
            item.position,
            f"'{text[:60]}' is read as {str(value)[:60]}: put it in quotes to keep it as it is written.",
            origin,
        )


def _bound(item: Scalar, mode: str | None = None) -> InputOf | OutputOf | None:
    binding = binding_in(item)
    if binding is None:
        return None
    if binding.kind == "output":
        raise PipelineError(
            f"'{item.text[:80]}' is an output of the pipeline, not a value.",
            "Write ${{parent.jobs.NODE.outputs.NAME}} for the output of another step.",
            item.position,
        )
    if binding.kind == "input":
        return InputOf(binding.name, item.position, mode)
    return OutputOf(binding.node, binding.name, item.position, mode)


def read_data(
    name: str, item: Mapping, origin: Origin, reading: Reading, *, default_type: str = "uri_folder"
) -> Data | InputOf | OutputOf:
    """Return data that is given with type, path and mode."""
    section = Section(item, f"the input '{name[:60]}'", DATA_INPUT_KEYS)
    mode = _mode(section, INPUT_MODES, origin, reading)
    for key in ("datastore", "path_on_compute"):
        if key in section:
            reading.note(key, section.at(key), f"'{key}' has no effect: data stays on this machine.", origin)
    kind = read_type(section, DATA_TYPES, default_type)
    path = section.require("path", "Give the path of a file or folder, or azureml:NAME@latest.")
    text = text_of(path, "'path'")
    assert isinstance(path, Scalar)
    if "${{" in text:
        bound = _bound(path, mode)
        if bound is not None:
            return bound
    return _data(text, kind, path.position, mode, origin, reading)


def _data(text: str, kind: str, position: Position, mode: str | None, origin: Origin, reading: Reading) -> Data:
    if is_remote(text):
        reading.note(
            "remote data",
            position,
            f"'{text[:80]}' is not on this machine: the step that reads it does not run. Keep a copy beside the file.",
            origin,
        )
        return Data(kind, text, position, mode=mode)
    asset = parse_asset(text, position)
    if asset is not None:
        return Data(kind, text, position, asset=asset, mode=mode)
    path = reading.local_path(text, position, origin, "path")
    _check_kind(text, kind, path, position)
    return Data(kind, text, position, path=path, mode=mode)


def _check_kind(text: str, kind: str, path: Path, position: Position) -> None:
    if kind == "custom_model" or path.is_dir() == (kind != "uri_file"):
        return
    actual, expected = ("folder", "file") if path.is_dir() else ("file", "folder")
    raise PipelineError(
        f"'{text[:80]}' is a {actual}, but the type '{kind}' is a {expected}.",
        f"Write 'type: {'uri_folder' if actual == 'folder' else 'uri_file'}', or another path.",
        position,
    )


def read_output(name: str, entry: Entry, declared: OutputPort | None, origin: Origin, reading: Reading) -> OutputPort:
    """Return what a node, or a pipeline, says about an output.

    Parameters
    ----------
    name : str
        Name of the output.
    entry : Entry
        Value as written: nothing, a reference to an output of the pipeline, or a group of keys.
    declared : OutputPort or None
        Output of the component.
    origin : Origin
        File it stands in.
    reading : Reading
        Reading that it is part of.
    """
    item = entry.value
    default_type = declared.type if declared is not None else "uri_folder"
    if isinstance(item, Scalar):
        promoted = None if item.value is None else _promoted(item)
        return OutputPort(name, default_type, promoted=promoted, position=entry.position)
    section = Section(item, f"the output '{name[:60]}'", NODE_OUTPUT_KEYS)
    mode = _mode(section, OUTPUT_MODES, origin, reading)
    kind = read_type(section, DATA_TYPES, default_type)
    path = section.item("path")
    promoted = None
    text = None
    if path is not None:
        text = text_of(path, "'path'")
        assert isinstance(path, Scalar)
        if binding_in(path, macros=True) is not None:
            promoted, text = _promoted(path), None
        else:
            reading.note(
                "output path",
                path.position,
                "'path' of an output has no effect: outputs are kept with their run.",
                origin,
            )
    return OutputPort(
        name,
        kind,
        path=text,
        asset_name=section.text("name") or None,
        asset_version=section.text("version", numbers=True) or None,
        promoted=promoted,
        mode=mode,
        position=entry.position,
    )


def _promoted(item: Scalar) -> str:
    binding = binding_in(item) if isinstance(item.value, str) else None
    if binding is None or binding.kind != "output":
        raise PipelineError(
            f"'{item.text[:80]}' is not an output of the pipeline.",
            "Write ${{parent.outputs.NAME}}, or leave it empty.",
            item.position,
        )
    return binding.name


def _mode(section: Section, allowed: tuple[str, ...], origin: Origin, reading: Reading) -> str | None:
    if "mode" not in section:
        return None
    mode = section.text("mode")
    if mode.lower() not in allowed:
        raise PipelineError(f"There is no mode '{mode[:60]}'.", unknown_name(mode, allowed), section.at("mode"))
    reading.note("mode", section.at("mode"), MODE_NOTICE, origin)
    return mode.lower()
