"""Components with a command: in files of their own, and inline in a node."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from core.pipelines.errors import PipelineError
from core.pipelines.model import Component, OutputPort
from core.pipelines.reading.commands import check_command, check_text
from core.pipelines.reading.context import Origin, Reading
from core.pipelines.reading.keys import note_unused
from core.pipelines.reading.ports import read_output_ports, read_ports
from core.pipelines.reading.references import is_remote
from core.pipelines.reading.sections import Section
from core.pipelines.reading.yaml_nodes import Item, Scalar, plain

__all__ = ["check_texts", "read_command_component", "read_inline_command", "read_variables", "reject_bindings"]


def read_command_component(section: Section, origin: Origin, reading: Reading) -> Component:
    """Return a component with a command, as its file or a node states it.

    Parameters
    ----------
    section : Section
        Keys of the component; those of its kind.
    origin : Origin
        File it stands in.
    reading : Reading
        Reading that it is part of.
    """
    note_unused(section, origin, reading)
    if "additional_includes" in section:
        raise PipelineError(
            "Additional folders of code ('additional_includes') are not copied here.",
            "Copy them into the folder of 'code'.",
            section.at("additional_includes"),
        )
    command = _command(section, origin, reading)
    component = Component(
        name=section.text("name"),
        version=section.text("version", numbers=True),
        kind="command",
        inputs=read_ports(section.group("inputs"), origin, reading),
        outputs=read_output_ports(section.group("outputs"), origin, reading),
        command=command.text,
        environment=_environment(section.item("environment")),
        environment_variables=read_variables(section, origin, reading),
        deterministic=section.flag("is_deterministic", True),
        title=section.text("display_name"),
        description=section.text("description"),
        shipped=origin.shipped,
        position=section.position,
    )
    return replace(component, code=_code(section, origin, reading))


def read_inline_command(
    section: Section, outputs: Mapping[str, OutputPort], origin: Origin, reading: Reading
) -> Component:
    """Return the component of a node that has its command itself; its inputs are those that the node is given."""
    return Component(
        name="",
        version="",
        kind="command",
        inputs={},
        outputs=outputs,
        command=_command(section, origin, reading).text,
        code=_code(section, origin, reading),
        environment=_environment(section.item("environment")),
        title=section.text("display_name"),
        description=section.text("description"),
        shipped=origin.shipped,
        position=section.position,
    )


def _command(section: Section, origin: Origin, reading: Reading) -> Scalar:
    """Return the command of a component or node, which may be allowed for shipped components only."""
    item = section.require("command", "Write the command that runs, or name a component.")
    if not isinstance(item, Scalar) or not isinstance(item.value, str) or not item.text.strip():
        raise PipelineError("'command' has to be a text.", "Write the command that runs.", item.position)
    if reading.shipped_only and not origin.shipped:
        raise PipelineError(
            "Commands of one's own do not run on this installation.",
            "Use a component that comes with Plumbline, or run the file on an installation of your own.",
            section.at("command"),
        )
    return item


def check_texts(section: Section, component: Component, swept: Collection[str] = ()) -> None:
    """Refuse a command, or variables, that refer to what their component does not have."""
    command = section.item("command")
    if isinstance(command, Scalar):
        check_command(command, component.inputs, component.outputs, swept)
    for entry in section.group("environment_variables").values():
        if isinstance(entry.value, Scalar):
            check_text(entry.value, component.inputs, component.outputs, swept)


def read_variables(section: Section, origin: Origin, reading: Reading) -> dict[str, str]:
    """Return environment variables; those of a file's own could make a shipped component run other code."""
    if "environment_variables" in section and reading.shipped_only and not origin.shipped:
        raise PipelineError(
            "Environment variables cannot be set on this installation.",
            "Remove them, or run the file on an installation of your own.",
            section.at("environment_variables"),
        )
    return section.texts("environment_variables")


def reject_bindings(item: Item, noun: str) -> None:
    """Refuse references where nothing fills them in."""
    text = json.dumps(plain(item), default=str)
    if "${{" in text:
        raise PipelineError(
            f"A reference in {noun} is not filled in here.",
            "Give the value itself, or pass it as an input.",
            item.position,
        )


def _environment(item: Item | None) -> str:
    """Return an environment as one line."""
    if item is None:
        return ""
    return item.text if isinstance(item, Scalar) else json.dumps(plain(item), default=str)


def _code(section: Section, origin: Origin, reading: Reading) -> Path | None:
    item = section.item("code")
    if item is None:
        return None
    text = section.text("code")
    if is_remote(text) or text.startswith(("azureml:", "git+", "git@")):
        raise PipelineError(
            f"The code '{text[:80]}' is not on this machine.", "Name a folder beside the file.", section.at("code")
        )
    return reading.local_path(text, item.position, origin, "code")
