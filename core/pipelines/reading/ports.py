"""Inputs and outputs that a component declares."""

from __future__ import annotations

import re
from typing import cast

from core.errors import InputError
from core.pipelines.bindings import DATA_TYPES, VALUE_TYPES
from core.pipelines.errors import PipelineError, Position
from core.pipelines.model import OutputPort, Port
from core.pipelines.reading.context import Origin, Reading
from core.pipelines.reading.keys import MODE_NOTICE, PORT_KEYS
from core.pipelines.reading.sections import Section
from core.pipelines.reading.yaml_nodes import Entry, Item, Scalar, Sequence, describe
from core.pipelines.values import typed_value
from core.registry import unknown_name

__all__ = ["check_literal", "check_name", "literal_of", "read_output_ports", "read_ports", "read_type"]

MAX_NAME = 255
MAX_PORTS = 1_000
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)


def check_name(name: str, noun: str, position: Position) -> None:
    """Refuse names that a reference could not name."""
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise PipelineError(
            f"'{name[:60]}' cannot be the name of an {noun}.",
            f"Use up to {MAX_NAME} letters, digits and underscores.",
            position,
        )


def read_ports(entries: dict[str, Entry], origin: Origin, reading: Reading) -> dict[str, Port]:
    """Return declared inputs."""
    if len(entries) > MAX_PORTS:
        extra = list(entries.values())[MAX_PORTS]
        raise PipelineError(f"There are more than {MAX_PORTS:,} inputs.", "Pass a file instead.", extra.position)
    return {name: read_port(name, entry, origin, reading) for name, entry in entries.items()}


def read_port(name: str, entry: Entry, origin: Origin, reading: Reading) -> Port:
    """Return a declared input."""
    check_name(name, "input", entry.position)
    section = Section(entry.value, f"the input '{name[:60]}'", PORT_KEYS)
    kind = read_type(section, (*DATA_TYPES, *VALUE_TYPES))
    if "mode" in section:
        reading.note("mode", section.at("mode"), MODE_NOTICE, origin)
    is_value = kind in VALUE_TYPES
    for key in ("default", "min", "max", "enum"):
        if key in section and not (is_value if key == "default" else _may_have(key, kind)):
            raise PipelineError(f"An input of the type '{kind}' has no '{key}'.", "Remove it.", section.at(key))
    low, high = (_bound(section, key, kind) for key in ("min", "max"))
    port = Port(
        name,
        kind,
        optional=section.flag("optional", False),
        low=low,
        high=high,
        choices=_choices(section, kind),
        description=section.text("description"),
        position=entry.position,
    )
    default = section.item("default")
    if default is None:
        return port
    value = check_literal(literal_of(default, "'default'"), port, default.position)
    return Port(**{**vars(port), "default": value})


def read_output_ports(
    entries: dict[str, Entry], origin: Origin, reading: Reading, *, default_type: str = "uri_folder"
) -> dict[str, OutputPort]:
    """Return declared outputs."""
    return {name: _read_output_port(name, entry, origin, reading, default_type) for name, entry in entries.items()}


def _read_output_port(name: str, entry: Entry, origin: Origin, reading: Reading, default_type: str) -> OutputPort:
    check_name(name, "output", entry.position)
    if isinstance(entry.value, Scalar) and entry.value.value is None:
        return OutputPort(name, default_type, position=entry.position)
    section = Section(
        entry.value, f"the output '{name[:60]}'", ("type", "description", "mode", "path", "early_available")
    )
    if "mode" in section:
        reading.note("mode", section.at("mode"), MODE_NOTICE, origin)
    return OutputPort(
        name,
        read_type(section, DATA_TYPES, default_type),
        description=section.text("description"),
        position=entry.position,
    )


def read_type(section: Section, allowed: tuple[str, ...], default: str | None = None) -> str:
    """Return the type of an input or output."""
    if "type" not in section:
        if default is not None:
            return default
        raise PipelineError(
            f"{section.noun[:1].upper()}{section.noun[1:]} has no type.", _types_hint(allowed), section.position
        )
    kind = section.text("type").lower()
    if kind not in allowed:
        if kind in VALUE_TYPES:
            raise PipelineError(
                f"{section.noun[:1].upper()}{section.noun[1:]} is a value ('{kind}'); outputs are files here.",
                "Write the value to a file, with the type uri_file.",
                section.at("type"),
            )
        raise PipelineError(f"There is no type '{kind[:60]}'.", unknown_name(kind, allowed), section.at("type"))
    return kind


def _types_hint(allowed: tuple[str, ...]) -> str:
    return f"Give it a type: {', '.join(allowed)}."


def literal_of(item: Item, noun: str) -> str | int | float | bool:
    """Return a literal."""
    if not isinstance(item, Scalar):
        raise PipelineError(
            f"{noun[:1].upper()}{noun[1:]} has to be a text, a number, or true or false, not {describe(item)}.",
            "Write one value.",
            item.position,
        )
    if item.value is None:
        raise PipelineError(
            f"{noun[:1].upper()}{noun[1:]} has no value.", "Give it one, or remove the line.", item.position
        )
    return item.value


def check_literal(value: str | int | float | bool, port: Port, position: Position) -> str | int | float | bool:
    """Return a literal as the type of an input, within its bounds.

    Raises
    ------
    PipelineError
        When it is of another type, out of bounds, or not one of the values that are allowed.
    """
    try:
        return typed_value(port, value)
    except InputError as error:
        raise PipelineError(error.message, error.hint, position) from error


def _may_have(key: str, kind: str) -> bool:
    return kind in VALUE_TYPES if key == "enum" else kind in ("number", "integer")


def _bound(section: Section, key: str, kind: str) -> int | float | None:
    item = section.item(key)
    if item is None:
        return None
    return cast(float, check_literal(literal_of(item, f"'{key}'"), Port(key, kind), item.position))


def _choices(section: Section, kind: str) -> tuple[str | int | float | bool, ...]:
    item = section.item("enum")
    if item is None:
        return ()
    if not isinstance(item, Sequence):
        raise PipelineError(f"'enum' has to be a list, not {describe(item)}.", "Write [first, second].", item.position)
    port = Port("enum", kind)
    return tuple(check_literal(literal_of(choice, "a value of 'enum'"), port, choice.position) for choice in item.items)
