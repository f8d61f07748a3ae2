"""Which kind of node a group of keys is."""

from __future__ import annotations

from core.pipelines.errors import PipelineError
from core.pipelines.model import NodeKind
from core.pipelines.reading.sections import Section
from core.registry import unknown_name

__all__ = ["kind_of", "refuse_kind"]

NODE_KINDS: tuple[NodeKind, ...] = ("command", "pipeline", "automl", "sweep")

REFUSED = {
    "parallel": "Read all files in one command step.",
    "spark": "Write the step as a command, for example with DuckDB or pandas.",
    "import": "Import the data on the Data page, and name it as azureml:NAME@latest.",
    "data_transfer": "Copy the files beside the pipeline file.",
    "do_while": "Write the loop into one command step.",
    "if_else": "Write the condition into one command step.",
    "parallel_for": "Write one node for each value.",
    "flow": "Write the step as a command.",
    "flow_parallel": "Write the step as a command.",
    "base": "Write the step as a command.",
    "finetuning": "Use the component fine_tune_text.",
}
"""Kinds of steps that do not run here, with what to do instead."""


def kind_of(section: Section, name: str) -> NodeKind:
    """Return the kind of a node.

    Parameters
    ----------
    section : Section
        Keys of the node.
    name : str
        Name of the node.

    Raises
    ------
    PipelineError
        When the kind does not run here, or does not exist.
    """
    kind = section.text("type").lower()
    if not kind:
        return "sweep" if "trial" in section else "command"
    for known in NODE_KINDS:
        if kind == known:
            return known
    raise refuse_kind(section, kind, f"step '{name}'")


def refuse_kind(section: Section, kind: str, noun: str) -> PipelineError:
    """Return the error for a kind of step that does not run here, or does not exist."""
    if kind in REFUSED:
        return PipelineError(
            f"The {noun} is of the type '{kind}', which does not run here.", REFUSED[kind], section.at("type")
        )
    return PipelineError(
        f"The {noun} has the unknown type '{kind[:60]}'.", unknown_name(kind, NODE_KINDS), section.at("type")
    )
