"""References to components: the files they name, and inline ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from core.pipelines.errors import START, PipelineError, Position
from core.pipelines.model import Component
from core.pipelines.reading.components import check_texts, read_command_component
from core.pipelines.reading.context import Origin, Reading
from core.pipelines.reading.keys import COMMAND_COMPONENT_KEYS, NESTED_SETTINGS, PIPELINE_COMPONENT_KEYS
from core.pipelines.reading.node_kinds import refuse_kind
from core.pipelines.reading.ports import read_output_ports, read_ports
from core.pipelines.reading.references import is_remote, parse_asset
from core.pipelines.reading.sections import Section, text_of
from core.pipelines.reading.sources import SHIPPED, find_component
from core.pipelines.reading.text_files import read_text
from core.pipelines.reading.yaml_nodes import Item, Mapping
from core.pipelines.reading.yaml_text import parse

__all__ = ["ReadNodes", "read_component", "read_component_file", "shipped_component"]

MAX_NESTING = 20
MAX_COMPONENT_FILES = 500

ReadNodes = Callable[[Section, Component, Origin, Reading], Component]
"""Adds the nodes of a pipeline component, which may name further components."""


def read_component(
    item: Item, origin: Origin, reading: Reading, read_nodes: ReadNodes, swept: Collection[str] = ()
) -> tuple[Component, str]:
    """Return the component that a node names, or has inline, and the reference as written.

    Parameters
    ----------
    item : Item
        Value of ``component`` or ``trial``.
    origin : Origin
        File it stands in.
    reading : Reading
        Reading that it is part of.
    read_nodes : callable
        Function that adds the nodes of a pipeline component.
    swept : collection of str, default=()
        Names of the search space, where it is the trial of a sweep.
    """
    if isinstance(item, Mapping):
        section = Section(item, "the component", COMMAND_COMPONENT_KEYS)
        if "type" in section and section.text("type").lower() != "command":
            raise refuse_kind(section, section.text("type"), "component")
        component = read_command_component(section, origin, reading)
        check_texts(section, component, swept)
        return component, ""
    text = text_of(item, "'component'")
    if is_remote(text) or text.startswith("git+"):
        raise PipelineError(
            f"The component '{text[:80]}' is not on this machine.", "Keep a copy beside the file.", item.position
        )
    asset = parse_asset(text, item.position)
    path = (
        reading.local_path(text, item.position, origin, "component")
        if asset is None
        else find_component(asset, text, reading.sources, item.position).resolve()
    )
    if path.is_dir():
        raise PipelineError(f"The component '{text[:80]}' is a folder.", "Name its YAML file.", item.position)
    return _read_file(path, text, item.position, reading, read_nodes, swept), text


def read_component_file(path: Path, reading: Reading, read_nodes: ReadNodes) -> Component:
    """Return the component of a file.

    Parameters
    ----------
    path : Path
        Path of the file, which exists.
    reading : Reading
        Reading that it is part of.
    read_nodes : callable
        Function that adds the nodes of a pipeline component.
    """
    return _read_file(path, path.name, START, reading, read_nodes, ())


def shipped_component(name: str) -> Component:
    """Return a component that came with the product.

    Examples
    --------
    >>> shipped_component("train_xgboost").inputs["max_depth"].default
    6
    """
    reading = Reading(SHIPPED, [], shipped_only=True)
    return _read_file(SHIPPED / f"{name}.yml", name, START, reading, lambda _section, component, *_: component, ())


def _read_file(
    path: Path, text: str, position: Position, reading: Reading, read_nodes: ReadNodes, swept: Collection[str]
) -> Component:
    if path in reading.components:
        return reading.components[path]
    if len(reading.components) >= MAX_COMPONENT_FILES:
        raise PipelineError(
            f"The pipeline names more than {MAX_COMPONENT_FILES} component files.", "Name fewer.", position
        )
    with _opened(path, text, position, reading):
        source = read_text(path, position, path)
        tree = parse(source, path)
        section = Section(tree, f"the component file '{path.name}'")
        origin = Origin(path.parent, path.is_relative_to(SHIPPED))
        kind = section.text("type").lower() or ("pipeline" if "jobs" in section else "command")
        if kind == "command":
            section = Section(tree, section.noun, COMMAND_COMPONENT_KEYS)
            component = read_command_component(section, origin, reading)
            check_texts(section, component, swept)
        elif kind == "pipeline":
            component = _read_pipeline_component(tree, origin, reading, read_nodes)
        else:
            raise refuse_kind(section, kind, f"component '{path.name}'")
    reading.components[path] = replace(component, source=source)
    return reading.components[path]


def _read_pipeline_component(tree: Mapping, origin: Origin, reading: Reading, read_nodes: ReadNodes) -> Component:
    """Return a component that is a pipeline."""
    section = Section(tree, "the pipeline component", PIPELINE_COMPONENT_KEYS)
    if "settings" in section:
        reading.note("nested settings", section.at("settings"), NESTED_SETTINGS, origin)
    component = Component(
        name=section.text("name"),
        version=section.text("version", numbers=True),
        kind="pipeline",
        inputs=read_ports(section.group("inputs"), origin, reading),
        outputs=read_output_ports(section.group("outputs"), origin, reading, default_type=""),
        deterministic=section.flag("is_deterministic", True),
        title=section.text("display_name"),
        description=section.text("description"),
        shipped=origin.shipped,
        position=section.position,
    )
    return read_nodes(section, component, origin, reading)


@contextmanager
def _opened(path: Path, text: str, position: Position, reading: Reading) -> Iterator[None]:
    """Mark a file as being read, so that a file that includes itself is refused."""
    if path in reading.open_files:
        names = [file.name for file in reading.open_files[reading.open_files.index(path) :]] + [path.name]
        raise PipelineError(
            f"The component '{text[:80]}' includes itself: {' → '.join(names)}.", "Name another component.", position
        )
    if len(reading.open_files) > MAX_NESTING:
        raise PipelineError(
            f"Pipelines are nested more than {MAX_NESTING} levels deep.", "Make them flatter.", position
        )
    reading.open_files.append(path)
    try:
        yield
    finally:
        reading.open_files.pop()
