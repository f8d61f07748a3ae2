"""Inputs of a pipeline file: values that stand there themselves, data, and declarations without a value."""

from __future__ import annotations

from core.pipelines.bindings import Data, Given
from core.pipelines.errors import PipelineError
from core.pipelines.model import Component, Port
from core.pipelines.reading.context import Origin, Reading
from core.pipelines.reading.port_types import type_of
from core.pipelines.reading.ports import check_name, literal_of, read_port
from core.pipelines.reading.references import binding_in
from core.pipelines.reading.sections import Section
from core.pipelines.reading.values import note_converted, read_data, read_value
from core.pipelines.reading.yaml_nodes import Entry, Mapping, Scalar
from core.registry import unknown_name

__all__ = ["read_pipeline_inputs", "read_values"]


def read_pipeline_inputs(
    entries: dict[str, Entry], origin: Origin, reading: Reading
) -> tuple[dict[str, Port], dict[str, Given | Data]]:
    """Return the inputs of a pipeline, and the values that the file gives them.

    Parameters
    ----------
    entries : dict of str to Entry
        Inputs as written: a value, ``{type, path, mode}``, or ``{type, default, min, max}`` as in components.
    origin : Origin
        File they stand in.
    reading : Reading
        Reading that they are part of.
    """
    ports: dict[str, Port] = {}
    values: dict[str, Given | Data] = {}
    for name, entry in entries.items():
        check_name(name, "input", entry.position)
        item = entry.value
        if not isinstance(item, Mapping):
            literal = literal_of(item, f"the input '{name[:60]}'")
            assert isinstance(item, Scalar)
            if binding_in(item, macros=True) is not None:
                raise _bound(item)
            note_converted(item, None, origin, reading)
            ports[name] = Port(name, type_of(literal), position=entry.position)
            values[name] = Given(literal, item.position)
        elif _is_declared(item):
            ports[name] = read_port(name, entry, origin, reading)
        else:
            value = read_data(name, item, origin, reading)
            if not isinstance(value, Data):
                raise _bound(item.entries["path"].value)
            ports[name] = Port(name, value.type, position=entry.position)
            values[name] = value
    return ports, values


def _is_declared(item: Mapping) -> bool:
    """Return whether an input is declared as in a component, without data."""
    section = Section(item, "the input")
    return "path" not in section and "type" in section


def read_values(
    entries: dict[str, Entry], component: Component, origin: Origin, reading: Reading
) -> dict[str, Given | Data]:
    """Return the values that a file gives the inputs of the pipeline component it names."""
    values: dict[str, Given | Data] = {}
    for name, entry in entries.items():
        port = component.inputs.get(name)
        if port is None:
            raise PipelineError(
                f"The pipeline has no input '{name[:60]}'.", unknown_name(name, component.inputs), entry.position
            )
        value = read_value(name, entry, port, origin, reading)
        if not isinstance(value, Given | Data):
            raise _bound(entry.value)
        values[name] = value
    return values


def _bound(item: object) -> PipelineError:
    assert isinstance(item, Scalar)
    return PipelineError(
        f"'{item.text[:80]}' refers to something around the pipeline, which is the outermost.",
        "Give a value, or the path of data.",
        item.position,
    )
