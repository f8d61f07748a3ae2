"""Commands: which inputs and outputs they refer to."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from core.pipelines.errors import PipelineError
from core.pipelines.reading.references import MACROS
from core.pipelines.reading.yaml_nodes import Scalar, position_in
from core.registry import unknown_name

__all__ = ["check_command", "required_names"]

_REFERENCE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_FRAGMENT = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
_PARTS = re.compile(r"\s*(inputs|outputs|search_space)\.([\w.]+)\s*")


def check_command(
    command: Scalar, inputs: Collection[str], outputs: Collection[str], swept: Collection[str] | None = None
) -> None:
    """Refuse a command that refers to an input or output that its component does not have.

    Parameters
    ----------
    command : Scalar
        Command.
    inputs, outputs : collection of str
        Names of the component's inputs and outputs.
    swept : collection of str, optional
        Names of the search space; None where the command is not that of a sweep.
    """
    for opened, closed, regex in (("${{", "}}", _REFERENCE), ("$[[", "]]", _FRAGMENT)):
        rest = regex.sub("", command.text)
        if opened in rest:
            snippet = rest[rest.index(opened) :].split("\n")[0]
            raise PipelineError(
                f"'{snippet[:60]}' is not closed.",
                f"End it with {closed}.",
                position_in(command, snippet),
            )
    for snippet, kind, name in _references(command.text):
        known = {"inputs": inputs, "outputs": outputs, "search_space": swept or ()}.get(kind)
        if known is None:
            raise PipelineError(
                f"'{snippet[:80]}' is not a reference that a command can have.",
                "A command names its own inputs and outputs: ${{inputs.NAME}}, ${{outputs.NAME}}.",
                position_in(command, snippet),
            )
        if name not in known:
            noun = {"inputs": "input", "outputs": "output", "search_space": "search space's parameter"}[kind]
            raise PipelineError(
                f"The command names the {noun} '{name[:60]}', which does not exist.",
                unknown_name(name, known) if known else f"Declare it under '{kind}'.",
                position_in(command, snippet),
            )


def required_names(command: str) -> set[str]:
    """Return the inputs that a command names outside of optional fragments.

    Examples
    --------
    >>> sorted(required_names("train ${{inputs.data}} $[[--rate ${{inputs.rate}}]]"))
    ['data']
    """
    return {name for _, kind, name in _references(_FRAGMENT.sub("", command)) if kind == "inputs"}


def _references(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield each reference with its kind and name; the kind is empty where it is unknown."""
    for match in _REFERENCE.finditer(text):
        if match[1].strip() in MACROS:
            continue
        parts = _PARTS.fullmatch(match[1])
        yield (match[0], parts[1], parts[2]) if parts else (match[0], "", "")
