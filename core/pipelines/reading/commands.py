"""Commands: which inputs and outputs they refer to."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from core.errors import InputError
from core.pipelines.errors import PipelineError
from core.pipelines.reading.yaml_nodes import Scalar, position_in
from core.pipelines.running.command import render
from core.registry import unknown_name

__all__ = ["check_command", "check_text", "required_names", "swept_in"]

MAX_COMMAND = 100_000

# Neither reaches over the beginning of another one, so that their time grows with the text alone.
_REFERENCE = re.compile(r"\$\{\{([^{}]*)\}\}")
_FRAGMENT = re.compile(r"\$\[\[((?:(?!\$\[\[).)*?)\]\]", re.DOTALL)
_PARTS = re.compile(r"\s*(inputs|outputs|search_space)\.([\w.]+)\s*")


def check_command(
    command: Scalar, inputs: Collection[str], outputs: Collection[str], swept: Collection[str] = ()
) -> None:
    """Refuse a command that refers to what its component does not have, or where the shell would split a value.

    Parameters
    ----------
    command : Scalar
        Command.
    inputs, outputs : collection of str
        Names of the component's inputs and outputs.
    swept : collection of str, default=()
        Names of the search space, where the command is that of a sweep.
    """
    check_text(command, inputs, outputs, swept)
    try:
        render(command.text, {f"{kind}.{name}" if name else kind: "" for _, kind, name in _references(command.text)})
    except InputError as error:
        snippet = error.message.split("'")[1]
        raise PipelineError(error.message, error.hint, position_in(command, snippet)) from error


def check_text(text: Scalar, inputs: Collection[str], outputs: Collection[str], swept: Collection[str] = ()) -> None:
    """Refuse a command, or the value of a variable, that refers to what its component does not have.

    Parameters
    ----------
    text : Scalar
        Text with ``${{inputs.x}}`` and ``${{outputs.y}}``.
    inputs, outputs : collection of str
        Names of the component's inputs and outputs.
    swept : collection of str, default=()
        Names of the search space, where the command is that of a sweep.
    """
    if len(text.text) > MAX_COMMAND:
        raise PipelineError(
            f"The command has more than {MAX_COMMAND:,} characters.", "Move it to a file of the code.", text.position
        )
    for opened, closed, regex in (("${{", "}}", _REFERENCE), ("$[[", "]]", _FRAGMENT)):
        rest = regex.sub("", text.text)
        if opened in rest:
            snippet = rest[rest.index(opened) :].split("\n")[0]
            raise PipelineError(
                f"'{snippet[:60]}' is not closed.",
                f"End it with {closed}.",
                position_in(text, snippet),
            )
    for snippet, kind, name in _references(text.text):
        if kind == "name":
            continue
        known = {"inputs": inputs, "outputs": outputs, "search_space": swept}.get(kind)
        if known is None:
            raise PipelineError(
                f"'{snippet[:80]}' is not a reference that a command can have.",
                "A command names its own inputs and outputs: ${{inputs.NAME}}, ${{outputs.NAME}}.",
                position_in(text, snippet),
            )
        if name not in known:
            noun = {"inputs": "input", "outputs": "output", "search_space": "parameter of a search space"}[kind]
            raise PipelineError(
                f"The command names the {noun} '{name[:60]}', which does not exist.",
                unknown_name(name, known) if known else f"Declare it under '{kind}'.",
                position_in(text, snippet),
            )


def required_names(command: str) -> set[str]:
    """Return the inputs that a command names outside of optional fragments.

    Examples
    --------
    >>> sorted(required_names("train ${{inputs.data}} $[[--rate ${{inputs.rate}}]]"))
    ['data']
    """
    return {name for _, kind, name in _references(_FRAGMENT.sub("", command)) if kind == "inputs"}


def swept_in(command: str) -> set[str]:
    """Return the names of the search space that a command names itself.

    Examples
    --------
    >>> swept_in("train --rate ${{search_space.rate}}")
    {'rate'}
    """
    return {name for _, kind, name in _references(command) if kind == "search_space"}


def _references(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield each reference with its kind and name; the kind is empty where it is unknown."""
    for match in _REFERENCE.finditer(text):
        parts = _PARTS.fullmatch(match[1])
        if parts:
            yield match[0], parts[1], parts[2]
        else:
            yield match[0], "name" if match[1].strip() == "name" else "", ""
