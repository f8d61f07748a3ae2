"""Commands with values in them: the shell reads each value from a variable, so that none is part of its text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from core.errors import InputError

__all__ = ["Rendered", "fill_in", "render", "text_of"]

_EXPRESSION = re.compile(r"\$\{\{\s*([A-Za-z_][\w.\-]*)\s*\}\}")
_OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
_QUOTED = {"": '"${%s}"', '"': "${%s}", "'": "'\"${%s}\"'", "(": '"${%s}"'}
"""How a variable is written where quotes are open, so that its value stays one word."""
_UNSAFE = {"`": "backquotes", "<<": "a here-document", "{": "braces of the shell", "$'": "quotes of the kind $'...'"}


class Rendered(NamedTuple):
    """A command for the shell.

    Parameters
    ----------
    command : str
        Text of the command.
    variables : dict of str to str
        Values by the environment variable that the command reads.
    """

    command: str
    variables: dict[str, str]


def text_of(value: object) -> str:
    """Return a value as a command takes it.

    Examples
    --------
    >>> text_of(0.1), text_of(True), text_of(6)
    ('0.1', 'True', '6')
    """
    return str(value)


def render(template: str, values: Mapping[str, str]) -> Rendered:
    """Return a command with its values.

    Parameters
    ----------
    template : str
        Command with ``${{inputs.x}}``, ``${{outputs.y}}`` and optional parts ``$[[ --flag ${{inputs.z}} ]]``.
    values : dict of str to str
        Values by expression, such as ``"inputs.x"``. An optional part is left out when a value in it is missing.

    Raises
    ------
    InputError
        When a value is missing, or stands where the shell would not read it as one word.

    Examples
    --------
    >>> render("train --rate ${{inputs.rate}} $[[--seed ${{inputs.seed}}]]", {"inputs.rate": "1; rm x"})
    Rendered(command='train --rate "${PLUMBLINE_VALUE_1}" ', variables={'PLUMBLINE_VALUE_1': '1; rm x'})
    """
    template = _OPTIONAL.sub(lambda part: _optional(part.group(1), values), template)
    pieces: list[str] = []
    variables: dict[str, str] = {}
    end = 0
    quotes = _OpenQuotes()
    for match in _EXPRESSION.finditer(template):
        plain = template[end : match.start()]
        quotes.read(plain)
        name = f"PLUMBLINE_VALUE_{len(variables) + 1}"
        variables[name] = _value(match.group(1), values)
        pieces += [plain, quotes.pattern(match.group(0)) % name]
        end = match.end()
    return Rendered("".join([*pieces, template[end:]]), variables)


def fill_in(template: str, values: Mapping[str, str]) -> str:
    """Return a text with its values as they are, for what no shell reads, such as an environment variable.

    Examples
    --------
    >>> fill_in("${{inputs.x}}-1", {"inputs.x": "a b"})
    'a b-1'
    """
    return _EXPRESSION.sub(lambda match: _value(match.group(1), values), template)


def _value(name: str, values: Mapping[str, str]) -> str:
    if name not in values:
        raise InputError(f"The command refers to '{name}', which has no value.", "Give it a value, or a default.")
    if "\x00" in values[name]:
        raise InputError(f"The value of '{name}' has a zero byte.", "Give it as plain text.")
    return values[name]


def _optional(part: str, values: Mapping[str, str]) -> str:
    return part.strip() if all(name in values for name in _EXPRESSION.findall(part)) else ""


class _OpenQuotes:
    """Quotes that are open at the end of what was read: the shell's rules for words, as far as values need them."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._word_begins = True

    @property
    def _inner(self) -> str:
        return self._open[-1] if self._open else ""

    def read(self, text: str) -> None:
        """Follow the quotes of a part of the command."""
        position = 0
        while position < len(text):
            if self._word_begins and text[position] == "#" and self._inner in ("", "("):
                end = text.find("\n", position)
                position = len(text) if end < 0 else end
                continue
            length = self._step(text, position)
            self._word_begins = text[position + length - 1] in " \t\n;&|("
            position += length

    def _step(self, text: str, position: int) -> int:
        """Take in what stands at a position, and return its length."""
        character, inner = text[position], self._inner
        if inner == "'":
            return self._close(character, "'")
        if character == "\\":
            return min(2, len(text) - position)
        if inner == "$'":
            return self._close(character, "'")
        for opening, kind in (("$(", "("), ("${", "{"), ("$'", "$'")):
            if text.startswith(opening, position) and not (kind == "$'" and inner == '"'):
                self._open.append(kind)
                return 2
        if character == "`":
            return self._close(character, "`") if inner == "`" else self._push(character)
        if inner == '"':
            return self._close(character, '"')
        if character in "'\"":
            return self._push(character)
        if (inner, character) in (("(", ")"), ("{", "}")):
            self._open.pop()
        elif text.startswith("<<<", position):
            return 3
        elif text.startswith("<<", position):
            self._open.append("<<")
            return 2
        return 1

    def _push(self, kind: str) -> int:
        self._open.append(kind)
        return 1

    def _close(self, character: str, closing: str) -> int:
        if character == closing:
            self._open.pop()
        return 1

    def pattern(self, expression: str) -> str:
        """Return how a variable has to be written here."""
        for kind, name in _UNSAFE.items():
            if kind in self._open:
                raise InputError(
                    f"The command has '{expression}' in {name}, where it would not stay one word.",
                    "Pass it as an argument of its own.",
                )
        self._word_begins = False
        return _QUOTED[self._inner]
