"""The nodes of a pipeline; pipelines within pipelines come back here."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from core.pipelines.bindings import Given, Value
from core.pipelines.errors import PipelineError
from core.pipelines.model import Component, Node, OutputPort, Port
from core.pipelines.reading import keys
from core.pipelines.reading.automl_nodes import automl_component, check_task, read_automl_inputs
from core.pipelines.reading.automl_settings import read_automl_settings
from core.pipelines.reading.checks import MAX_STEPS, check_graph, check_size, with_output_types
from core.pipelines.reading.component_files import read_component
from core.pipelines.reading.components import check_texts, read_inline_command, read_variables
from core.pipelines.reading.context import Origin, Reading
from core.pipelines.reading.inference import with_inferred_inputs, with_narrowed_inputs
from core.pipelines.reading.node_kinds import kind_of
from core.pipelines.reading.ports import check_name
from core.pipelines.reading.references import binding_in
from core.pipelines.reading.sections import Section, whole_of
from core.pipelines.reading.sweep_nodes import read_sweep_settings, swept_names, unused_sweep_settings
from core.pipelines.reading.values import read_output, read_value
from core.pipelines.reading.yaml_nodes import Entry, Item, Scalar, Sequence
from core.pipelines.reading.yaml_nodes import Mapping as Group
from core.registry import unknown_name

__all__ = ["add_nodes", "check_kinds"]


def check_kinds(entries: Mapping[str, Entry]) -> None:
    """Refuse steps that do not run here, before anything else is read."""
    for name, entry in entries.items():
        section = Section(entry.value, f"the step '{name[:60]}'")
        if kind_of(section, name) == "automl":
            check_task(section)


def add_nodes(
    section: Section,
    component: Component,
    origin: Origin,
    reading: Reading,
    literals: Mapping[str, Given] | None = None,
) -> Component:
    """Return a pipeline component with its nodes, read and checked.

    Parameters
    ----------
    section : Section
        Keys of the pipeline, with ``jobs``.
    component : Component
        The pipeline, without nodes.
    origin : Origin
        File it stands in.
    reading : Reading
        Reading that it is part of.
    literals : dict of str to Given, optional
        Inputs that the file gives as a value, without a type.
    """
    section.require("jobs", "Write the steps below 'jobs'.")
    entries = section.group("jobs")
    if not entries:
        raise PipelineError("The pipeline has no steps.", "Write the steps below 'jobs'.", section.at("jobs"))
    if len(entries) > MAX_STEPS:
        raise PipelineError(f"The pipeline has more than {MAX_STEPS:,} steps.", "Split it.", section.at("jobs"))
    check_kinds(entries)
    readers = {name: _NodeReader(name, entry, component, origin, reading) for name, entry in entries.items()}
    nodes = {name: reader.node() for name, reader in readers.items()}
    check_size(replace(component, nodes=nodes))
    component = with_narrowed_inputs(component, nodes, literals or {})
    nodes = with_inferred_inputs(nodes, component)
    for name, reader in readers.items():
        reader.check(nodes[name])
    checked = with_output_types(replace(component, nodes=nodes))
    check_graph(checked, literals or {})
    return checked


class _NodeReader:
    """Reads one node.

    Parameters
    ----------
    name : str
        Key in ``jobs``.
    entry : Entry
        Place of the key, and the node as written.
    pipeline : Component
        Pipeline around the node.
    origin : Origin
        File it stands in.
    reading : Reading
        Reading that it is part of.
    """

    def __init__(self, name: str, entry: Entry, pipeline: Component, origin: Origin, reading: Reading) -> None:
        check_name(name, "step", entry.position)
        if "." in name:
            raise PipelineError(f"'{name[:60]}' cannot be the name of a step.", "Leave out the dot.", entry.position)
        self._name, self._entry, self._pipeline = name, entry, pipeline
        self._origin, self._reading = origin, reading
        self._section = Section(entry.value, f"the step '{name[:60]}'")
        self._kind = kind_of(self._section, name)

    def node(self) -> Node:
        """Return the node; inputs of inline components have no types yet."""
        read = {"command": self._command, "pipeline": self._nested, "automl": self._automl, "sweep": self._sweep}
        node = read[self._kind]()
        keys.note_unused(self._section, self._origin, self._reading)
        self._check_unused_references()
        return replace(node, display_name=self._section.text("display_name"), position=self._entry.position)

    def check(self, node: Node) -> None:
        """Refuse a command, or variables, of the node itself that refer to what it does not have."""
        check_texts(self._section, node.component)

    def _known(self, known: set[str]) -> Section:
        self._section = Section(self._entry.value, self._section.noun, known)
        return self._section

    def _command(self) -> Node:
        section = self._section
        if "component" not in section:
            section = self._known(keys.COMMAND_NODE_KEYS)
            outputs = self._outputs(None)
            declared = {name: replace(port, promoted=None, path=None) for name, port in outputs.items()}
            component, reference = read_inline_command(section, declared, self._origin, self._reading), ""
            inputs = self._inputs(None)
        else:
            component, reference = self._component("component")
            if component.kind == "pipeline" and "type" not in section:
                return self._nested_node(component, reference)
            self._expect(component, "command")
            self._known(keys.COMMAND_NODE_KEYS)
            for key in ("command", "code"):
                if key in section:
                    raise PipelineError(
                        f"The step '{self._name}' has both 'component' and '{key}'.",
                        "Remove one of them.",
                        section.at(key),
                    )
            inputs, outputs = self._inputs(component), self._outputs(component)
        return Node(
            self._name,
            "command",
            component,
            inputs,
            outputs,
            reference=reference,
            environment_variables=read_variables(self._section, self._origin, self._reading),
            timeout_s=self._timeout(),
        )

    def _nested(self) -> Node:
        if "jobs" in self._section:
            raise PipelineError(
                f"The step '{self._name}' has steps of its own.",
                "Move them to a file of the type pipeline, and name it as 'component'.",
                self._section.at("jobs"),
            )
        if "component" not in self._section:
            self._known(keys.PIPELINE_NODE_KEYS)
        return self._nested_node(*self._component("component"))

    def _nested_node(self, component: Component, reference: str) -> Node:
        self._expect(component, "pipeline")
        section = self._known(keys.PIPELINE_NODE_KEYS)
        if "settings" in section:
            self._reading.note("nested settings", section.at("settings"), keys.NESTED_SETTINGS, self._origin)
        return Node(
            self._name, "pipeline", component, self._inputs(component), self._outputs(component), reference=reference
        )

    def _automl(self) -> Node:
        section = self._known(keys.AUTOML_KEYS)
        if "environment_variables" in section:
            reason = "'environment_variables' of a search have no effect: it runs no command."
            self._reading.note("automl variables", section.at("environment_variables"), reason, self._origin)
        component = automl_component(section)
        data = read_automl_inputs(section, component, self._origin, self._reading)
        settings, bound = read_automl_settings(section, self._origin, self._reading)
        inputs: dict[str, Value] = {**data, **bound}
        outputs = self._outputs(component)
        return Node(self._name, "automl", component, inputs, outputs, settings=settings)

    def _sweep(self) -> Node:
        section = self._known(keys.SWEEP_KEYS)
        swept = swept_names(section)
        trial, reference = self._component("trial", swept)
        self._expect(trial, "command")
        settings = read_sweep_settings(section, trial)
        for key, text in unused_sweep_settings(settings).items():
            self._reading.note(key, section.at(key), text, self._origin)
        inputs, outputs = self._inputs(trial), self._outputs(trial)
        return Node(self._name, "sweep", trial, inputs, outputs, reference=reference, settings=settings)

    def _component(self, key: str, swept: Collection[str] = ()) -> tuple[Component, str]:
        item = self._section.require(key, "Name the file of a component, or azureml:NAME:VERSION.")
        return read_component(item, self._origin, self._reading, add_nodes, swept)

    def _expect(self, component: Component, kind: str) -> None:
        if component.kind != kind:
            raise PipelineError(
                f"The step '{self._name}' is of the type '{self._kind}', its component of the type '{component.kind}'.",
                f"Write 'type: {component.kind}'.",
                self._section.at("type") if "type" in self._section else self._entry.position,
            )

    def _inputs(self, component: Component | None) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for name, entry in self._section.group("inputs").items():
            check_name(name, "input", entry.position)
            port: Port | None = None
            if component is not None:
                if name not in component.inputs and self._is_surplus(name, component):
                    text = f"'{name}' has no effect: the pipeline component of '{self._name}' has no such input."
                    self._reading.note(f"{self._name}.{name}", entry.position, text, self._origin)
                    continue
                if name not in component.inputs:
                    raise PipelineError(
                        f"The step '{self._name}' has no input '{name}'.",
                        unknown_name(name, component.inputs) if component.inputs else "Its component takes no inputs.",
                        entry.position,
                    )
                port = component.inputs[name]
            values[name] = read_value(name, entry, port, self._origin, self._reading)
        return values

    def _is_surplus(self, name: str, component: Component) -> bool:
        """Return whether an unknown input is left out with a notice: one of a nested pipeline that is not misspelt.

        Azure ML leaves all of them out, without a word.
        """
        return component.kind == "pipeline" and not difflib.get_close_matches(name, component.inputs, n=1)

    def _outputs(self, component: Component | None) -> dict[str, OutputPort]:
        outputs: dict[str, OutputPort] = {}
        for name, entry in self._section.group("outputs").items():
            check_name(name, "output", entry.position)
            declared = OutputPort(name, "")
            if component is not None:
                if name not in component.outputs:
                    raise PipelineError(
                        f"The step '{self._name}' has no output '{name}'.",
                        unknown_name(name, component.outputs) if component.outputs else "Its component has no outputs.",
                        entry.position,
                    )
                declared = component.outputs[name]
            output = read_output(name, entry, declared, self._origin, self._reading)
            if not output.type:
                around = self._pipeline.outputs.get(output.promoted or "")
                output = replace(output, type=(around.type if around else "") or "uri_folder")
            outputs[name] = output
        return outputs

    def _timeout(self) -> float | None:
        if "limits" not in self._section:
            return None
        limits = Section(self._section.entries["limits"].value, "'limits'", ("timeout",))
        item = limits.item("timeout")
        return None if item is None else float(whole_of(item, "'timeout'", low=1))

    def _check_unused_references(self) -> None:
        """Refuse references to unknown inputs also in keys that have no effect here, such as ``compute``."""
        for key in keys.NO_EFFECT:
            item = self._section.item(key)
            for scalar in _scalars(item) if item is not None else ():
                binding = binding_in(scalar, macros=True)
                if binding is not None and (binding.kind != "input" or binding.name not in self._pipeline.inputs):
                    raise PipelineError(
                        f"'{scalar.text[:80]}' is not an input of the pipeline.",
                        unknown_name(binding.name, self._pipeline.inputs),
                        scalar.position,
                    )


def _scalars(item: Item) -> Iterator[Scalar]:
    match item:
        case Scalar():
            yield item
        case Sequence(items=items):
            for value in items:
                yield from _scalars(value)
        case Group(entries=entries):
            for entry in entries.values():
                yield from _scalars(entry.value)
