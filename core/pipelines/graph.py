"""The steps of a pipeline: the nodes of nested pipelines as one list, with the source of every input."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from core.pipelines.bindings import Data, Given, InputOf, OutputOf, Value
from core.pipelines.model import Node, OutputPort, Pipeline

__all__ = ["PipelineInput", "Source", "Step", "StepOutput", "descendants", "promoted_outputs", "steps_of"]


@dataclass(frozen=True)
class StepOutput:
    """An output of a step.

    Parameters
    ----------
    step : str
        Path of the step.
    output : str
        Name of the output.
    """

    step: str
    output: str


@dataclass(frozen=True)
class PipelineInput:
    """An input of the pipeline itself.

    Parameters
    ----------
    name : str
        Name of the input.
    """

    name: str


Source = Given | Data | StepOutput | PipelineInput
"""Origin of an input's value."""


@dataclass(frozen=True)
class Step:
    """Something that runs: a node that is not a pipeline itself.

    Parameters
    ----------
    path : str
        Names of the nodes that lead to it, such as ``"train"``, or ``"data_pipeline/clean"`` in a nested pipeline.
    node : Node
        The node.
    sources : dict of str to Source
        Origins of its inputs; an input that is left out is missing, or has its default.
    outputs : dict of str to OutputPort
        Its outputs by name.
    """

    path: str
    node: Node
    sources: Mapping[str, Source]
    outputs: Mapping[str, OutputPort]

    @property
    def needs(self) -> list[str]:
        """Paths of the steps whose outputs it reads."""
        sources = self.sources.values()
        return list(dict.fromkeys(source.step for source in sources if isinstance(source, StepOutput)))

    @property
    def title(self) -> str:
        """Title for users."""
        return self.node.display_name or self.node.component.title or self.node.name


@dataclass
class _Flattened:
    """Steps so far, and the outputs of the pipelines whose nodes they are."""

    steps: list[Step] = field(default_factory=list)
    promoted: dict[str, dict[str, StepOutput]] = field(default_factory=dict)


def steps_of(pipeline: Pipeline) -> list[Step]:
    """Return the steps of a pipeline that was checked, in the order of the file.

    Parameters
    ----------
    pipeline : Pipeline
        Pipeline that `load_pipeline` returned.
    """
    return _flatten(pipeline).steps


def promoted_outputs(pipeline: Pipeline) -> dict[str, StepOutput]:
    """Return the step's output that each output of the pipeline is."""
    return _flatten(pipeline).promoted[""]


def descendants(steps: Iterable[Step], paths: Iterable[str]) -> set[str]:
    """Return these paths, and those of all steps that need one of them, directly or not."""
    reached = set(paths)
    listed = list(steps)
    while more := {step.path for step in listed if reached.intersection(step.needs)} - reached:
        reached |= more
    return reached


def _flatten(pipeline: Pipeline) -> _Flattened:
    flattened = _Flattened()
    _add(pipeline.nodes, {name: PipelineInput(name) for name in pipeline.inputs}, "", flattened)
    return flattened


def _add(nodes: Mapping[str, Node], inputs: Mapping[str, Source], prefix: str, flattened: _Flattened) -> None:
    """Add the steps of some nodes; inner outputs are known once every node has its place."""
    for node in nodes.values():
        path = f"{prefix}{node.name}"
        sources = {name: _source(value, inputs, prefix) for name, value in node.inputs.items()}
        known = {name: source for name, source in sources.items() if source is not None}
        if node.kind == "pipeline":
            defaults = {
                name: Given(port.default, port.position)
                for name, port in node.component.inputs.items()
                if port.default is not None
            }
            _add(node.component.nodes, defaults | known, f"{path}/", flattened)
        else:
            outputs = {name: _merged(port, node.outputs.get(name)) for name, port in node.component.outputs.items()}
            flattened.steps.append(Step(path, node, known, outputs))
    flattened.promoted[prefix] = {
        port.promoted: StepOutput(f"{prefix}{node.name}", name)
        for node in nodes.values()
        for name, port in node.outputs.items()
        if port.promoted is not None
    }
    _follow(flattened)


def _source(value: Value, inputs: Mapping[str, Source], prefix: str) -> Source | None:
    match value:
        case InputOf(name=name):
            return inputs.get(name)  # an optional input that was left out
        case OutputOf(node=node, output=output):
            return StepOutput(f"{prefix}{node}", output)
    return value


def _merged(port: OutputPort, said: OutputPort | None) -> OutputPort:
    """Return the output of a component with what its node says about it."""
    if said is None:
        return port
    return replace(said, type=said.type or port.type, description=port.description)


def _follow(flattened: _Flattened) -> None:
    """Replace outputs of nested pipelines by those of the steps inside."""

    def leaf(output: StepOutput) -> StepOutput:
        inner = flattened.promoted.get(f"{output.step}/", {})
        return leaf(inner[output.output]) if output.output in inner else output

    flattened.promoted = {
        prefix: {name: leaf(output) for name, output in outputs.items()}
        for prefix, outputs in flattened.promoted.items()
    }
    flattened.steps = [
        replace(
            step,
            sources={
                name: leaf(source) if isinstance(source, StepOutput) else source
                for name, source in step.sources.items()
            },
        )
        for step in flattened.steps
    ]
