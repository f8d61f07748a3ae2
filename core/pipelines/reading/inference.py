"""Inputs of nodes that declare none: their types are those of what they are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.pipelines.model import Component, Data, Given, InputOf, Node, OutputOf, Port, Value
from core.pipelines.reading.port_types import type_of

__all__ = ["with_inferred_inputs"]


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
