"""Checks of a pipeline's connections, before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from core.errors import InputError
from core.pipelines.bindings import Data, Given, InputOf, OutputOf
from core.pipelines.errors import PipelineError, Position
from core.pipelines.model import Component, Node, OutputPort, Port
from core.pipelines.reading.commands import required_names
from core.pipelines.reading.inference import ports_below
from core.pipelines.reading.port_types import accepts
from core.pipelines.reading.ports import check_literal
from core.pipelines.values import typed_value
from core.registry import unknown_name

__all__ = ["MAX_STEPS", "check_graph", "check_size", "check_values", "with_output_types"]

MAX_STEPS = 1_000


def check_size(pipeline: Component) -> None:
    """Refuse a pipeline with more steps than can be run, counting those of pipelines within it."""
    if _steps(pipeline) > MAX_STEPS:
        raise PipelineError(f"The pipeline has more than {MAX_STEPS:,} steps.", "Split it.", pipeline.position)


def check_graph(pipeline: Component, literals: Collection[str] = ()) -> None:
    """Check the nodes of a pipeline: references, types, required inputs, circles.

    Parameters
    ----------
    pipeline : Component
        Pipeline with its nodes.
    literals : collection of str, default=()
        Names of inputs whose type is only that of the value that the file gives; `check_values` judges the value.

    Raises
    ------
    PipelineError
        At the first mistake, in the order of the file.
    """
    for node in pipeline.nodes.values():
        for name in node.inputs:
            _check_input(node, node.component.inputs[name], pipeline, literals)
        _check_required(node)
    _check_promoted(pipeline)
    _check_circles(pipeline.nodes)


def check_values(pipeline: Component, values: Mapping[str, Given | Data]) -> None:
    """Check the values of a pipeline's own inputs against what its nodes take.

    Parameters
    ----------
    pipeline : Component
        Pipeline with its nodes.
    values : dict of str to Given or Data
        Values by the names of inputs.
    """
    below = ports_below(pipeline.nodes)
    for name, value in values.items():
        port = pipeline.inputs[name]
        if isinstance(value, Given):
            if port.is_data:
                raise _not_a_value(port, value.position)
            for inner in below.get(name, ()):
                _check_passed(name, value, inner)
            check_literal(value.value, port, value.position)
        elif not port.is_data:
            raise _not_files(port, value.position)
        elif value.path is not None or value.asset is not None:
            _check_types(port, value.type, f"'{value.text[:80]}'", value.position)


def _check_passed(name: str, value: Given, port: Port) -> None:
    """Check the value of an input of the pipeline against an input of a step that it is passed to."""
    if port.is_data:
        return
    try:
        typed_value(port, value.value)
    except InputError as error:
        raise PipelineError(
            f"The input '{name}' is passed to '{port.name}' of a step: {error.message}", error.hint, value.position
        ) from error


def _check_input(node: Node, port: Port, pipeline: Component, literals: Collection[str]) -> None:
    value = node.inputs[port.name]
    match value:
        case Given(value=literal, position=position):
            if port.is_data:
                raise _not_a_value(port, position)
            check_literal(literal, port, position)
        case Data(type=kind, position=position):
            if not port.is_data:
                raise _not_files(port, position)
            if value.path is not None or value.asset is not None:  # what is elsewhere shows its type when it is here
                _check_types(port, kind, f"'{value.text[:80]}'", position)
        case InputOf(name=name, position=position):
            source = pipeline.inputs.get(name)
            if source is None:
                raise PipelineError(
                    f"The pipeline has no input '{name}'.",
                    unknown_name(name, pipeline.inputs) if pipeline.inputs else "Declare it under 'inputs'.",
                    position,
                )
            _check_source(port, source, position, is_literal=name in literals)
        case OutputOf(position=position):
            output = _output(value, node, pipeline)
            _check_types(port, output.type, f"the output '{value.output}' of '{value.node}'", position)


def _check_source(port: Port, source: Port, position: Position, *, is_literal: bool) -> None:
    if not is_literal:
        _check_types(port, source.type, f"the input '{source.name}' of the pipeline", position)
    elif port.is_data:
        raise _not_a_value(port, position)
    if source.optional and source.default is None and not port.optional and port.default is None:
        raise PipelineError(
            f"The input '{port.name}' is required, but '{source.name}' of the pipeline may be left out.",
            f"Remove 'optional' from '{source.name}', or give it a default.",
            position,
        )


def _output(value: OutputOf, node: Node, pipeline: Component) -> OutputPort:
    source = pipeline.nodes.get(value.node)
    if source is None:
        raise PipelineError(
            f"There is no step '{value.node}'.", unknown_name(value.node, pipeline.nodes), value.position
        )
    ports = {**source.component.outputs, **source.outputs}
    if value.output not in ports:
        raise PipelineError(
            f"The step '{value.node}' has no output '{value.output}'.",
            unknown_name(value.output, ports) if ports else f"Declare it under the outputs of '{value.node}'.",
            value.position,
        )
    return ports[value.output]


def _check_types(port: Port, given: str, subject: str, position: Position) -> None:
    if not accepts(port.type, given):
        raise PipelineError(
            f"The input '{port.name}' takes {port.type}, but {subject} is {given}.",
            "Bind it to another one, or change one of the types.",
            position,
        )


def _check_required(node: Node) -> None:
    swept = node.settings.get("search_space", {}) if node.kind == "sweep" else {}
    missing = [
        port
        for name, port in node.component.inputs.items()
        if port.default is None and name not in node.inputs and name not in swept
    ]
    named = required_names(node.component.command) if missing else set()
    for port in missing:
        if not port.optional:
            raise PipelineError(
                f"The step '{node.name}' needs the input '{port.name}' ({port.type}).",
                "Give it under 'inputs' of the step.",
                node.position,
            )
        if port.name in named:
            raise PipelineError(
                f"The step '{node.name}' leaves out the optional input '{port.name}', which its command needs.",
                "Give it, or write the command's part as $[[ ... ]].",
                node.position,
            )


def _check_promoted(pipeline: Component) -> None:
    sources: dict[str, str] = {}
    for node in pipeline.nodes.values():
        for name, output in node.outputs.items():
            declared = node.component.outputs[name]
            _check_output_types(output, declared.type, f"its component writes {declared.type}")
            if output.promoted is None:
                continue
            around = pipeline.outputs.get(output.promoted)
            if around is None:
                raise PipelineError(
                    f"The pipeline has no output '{output.promoted}'.",
                    unknown_name(output.promoted, pipeline.outputs)
                    if pipeline.outputs
                    else "Declare it under 'outputs'.",
                    output.position,
                )
            if around.name in sources:
                first = sources[around.name]
                raise PipelineError(
                    f"Both '{first}' and '{node.name}' write the output '{around.name}' of the pipeline.",
                    "Give one of them another output.",
                    output.position,
                )
            sources[around.name] = node.name
            _check_output_types(output, around.type, f"the pipeline's output '{around.name}' is {around.type}")
    for name, output in pipeline.outputs.items():
        if name not in sources:
            raise PipelineError(
                f"No step writes the output '{name}' of the pipeline.",
                f"Write ${{{{parent.outputs.{name}}}}} as an output of a step, or remove it.",
                output.position,
            )


def _check_output_types(output: OutputPort, other: str, reason: str) -> None:
    if not accepts(output.type, other) and not accepts(other, output.type):
        raise PipelineError(
            f"The output '{output.name}' is {output.type}, but {reason}.", "Change one of the types.", output.position
        )


def with_output_types(pipeline: Component) -> Component:
    """Return a pipeline whose outputs without a type have that of the step's output."""
    types = {
        output.promoted: output.type
        for node in pipeline.nodes.values()
        for output in node.outputs.values()
        if output.promoted
    }
    outputs = {
        name: output if output.type else replace(output, type=types.get(name, "uri_folder"))
        for name, output in pipeline.outputs.items()
    }
    return replace(pipeline, outputs=outputs)


def _check_circles(nodes: Mapping[str, Node]) -> None:
    """Refuse nodes that need each other's outputs, by removing those that need none that is left."""
    needs = {
        name: {value.node: value.position for value in node.inputs.values() if isinstance(value, OutputOf)}
        for name, node in nodes.items()
    }
    left = dict(needs)
    while free := [name for name, sources in left.items() if not left.keys() & sources.keys()]:
        for name in free:
            del left[name]
    if not left:
        return
    circle = [next(iter(left))]
    while circle[-1] not in circle[:-1]:
        circle.append(next(name for name in left[circle[-1]] if name in left))
    circle = circle[circle.index(circle[-1]) :]
    raise PipelineError(
        f"The steps need each other in a circle: {' → '.join(reversed(circle))}.",
        "Remove one of these connections.",
        needs[circle[0]][circle[1]],
    )


def _steps(pipeline: Component) -> int:
    return sum(_steps(node.component) if node.kind == "pipeline" else 1 for node in pipeline.nodes.values())


def _not_a_value(port: Port, position: Position) -> PipelineError:
    return PipelineError(
        f"The input '{port.name}' takes files ({port.type}), not a value.",
        "Give it {type, path}, or the output of a step.",
        position,
    )


def _not_files(port: Port, position: Position) -> PipelineError:
    return PipelineError(
        f"The input '{port.name}' takes a value ({port.type}), not files.", "Give it a value.", position
    )
