"""Types that a file does not state: of inputs of inline nodes, and of a pipeline's inputs that are plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.errors import InputError
from core.pipelines.bindings import Data, Given, InputOf, OutputOf, Value
from core.pipelines.model import Component, Node, Port
from core.pipelines.reading.port_types import type_of
from core.pipelines.values import typed_value

Literal = str | int | float | bool

__all__ = ["ports_below", "with_inferred_inputs", "with_narrowed_inputs"]


def with_narrowed_inputs(pipeline: Component, nodes: Mapping[str, Node], literals: Mapping[str, Given]) -> Component:
    """Return a pipeline whose plain values have the type and the bounds of the inputs that they go to.

    ``rate: 1`` is a whole number by itself; where a component declares the input that takes it as a number between 0
    and 1, the input of the pipeline is one as well, so that another value can be checked before anything runs.

    Parameters
    ----------
    pipeline : Component
        Pipeline, without its nodes.
    nodes : dict of str to Node
        Its nodes; inputs of inline ones are not declared yet.
    literals : dict of str to Given
        Inputs that are plain values.
    """
    inputs = dict(pipeline.inputs)
    below = ports_below(nodes) if literals else {}
    for name, literal in literals.items():
        ports = [port for port in below.get(name, ()) if not port.is_data]
        narrowed = _narrowed(inputs[name], ports)
        if _fits(literal, narrowed):  # otherwise the checks name the input that it does not fit
            inputs[name] = narrowed
    return replace(pipeline, inputs=inputs)


def _narrowed(port: Port, ports: list[Port]) -> Port:
    types = {inner.type for inner in ports} - {"string"} or {inner.type for inner in ports}
    if types == {"number", "integer"}:
        types = {"integer"}
    if len(types) != 1:
        return port
    choices = [set(inner.choices) for inner in ports if inner.choices]
    lows = [inner.low for inner in ports if inner.low is not None]
    highs = [inner.high for inner in ports if inner.high is not None]
    return replace(
        port,
        type=types.pop(),
        low=max(lows, default=None),
        high=min(highs, default=None),
        choices=_common(next(inner.choices for inner in ports if inner.choices), choices) if choices else (),
        description=next((inner.description for inner in ports if inner.description), ""),
    )


def _fits(literal: Given, port: Port) -> bool:
    try:
        typed_value(port, literal.value)
    except InputError:
        return False
    return True


def _common(listed: tuple[Literal, ...], choices: list[set[Literal]]) -> tuple[Literal, ...]:
    return tuple(choice for choice in listed if all(choice in others for others in choices))


def ports_below(nodes: Mapping[str, Node]) -> dict[str, list[Port]]:
    """Return the declared inputs of nodes, at any depth, by the input of the pipeline that they are bound to."""
    ports: dict[str, list[Port]] = {}
    for node in nodes.values():
        deeper = ports_below(node.component.nodes) if node.kind == "pipeline" else {}
        for inner, value in node.inputs.items():
            if isinstance(value, InputOf) and inner in node.component.inputs:
                ports.setdefault(value.name, []).extend([node.component.inputs[inner], *deeper.get(inner, ())])
    return ports


def with_inferred_inputs(nodes: Mapping[str, Node], pipeline: Component) -> dict[str, Node]:
    """Return nodes whose components have an input for each that the node is given.

    Parameters
    ----------
    nodes : dict of str to Node
        Nodes by name.
    pipeline : Component
        Pipeline around them.
    """
    return {name: _with_inferred_inputs(node, nodes, pipeline) for name, node in nodes.items()}


def _with_inferred_inputs(node: Node, nodes: Mapping[str, Node], pipeline: Component) -> Node:
    inferred = {
        name: Port(name, _type(value, nodes, pipeline), position=value.position)
        for name, value in node.inputs.items()
        if name not in node.component.inputs
    }
    if not inferred:
        return node
    return replace(node, component=replace(node.component, inputs={**node.component.inputs, **inferred}))


def _type(value: Value, nodes: Mapping[str, Node], pipeline: Component) -> str:
    """Return the type of a value; what does not exist is refused by the checks later."""
    match value:
        case Given(value=literal):
            return type_of(literal)
        case Data(type=kind):
            return kind
        case InputOf(name=name):
            return pipeline.inputs[name].type if name in pipeline.inputs else "string"
        case OutputOf(node=name, output=output):
            source = nodes.get(name)
            ports = {**source.component.outputs, **source.outputs} if source else {}
            return ports[output].type if output in ports else "uri_folder"
