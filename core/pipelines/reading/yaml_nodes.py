"""A YAML document as a tree, whose keys and values know their place in the file."""

from __future__ import annotations

from collections.abc import Mapping as AbcMapping
from collections.abc import Sequence as AbcSequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from core.pipelines.errors import Position

__all__ = ["Entry", "Item", "Mapping", "Scalar", "Sequence", "describe", "plain", "position_in"]


@dataclass(frozen=True)
class Scalar:
    """A text, number, truth value, or nothing.

    Parameters
    ----------
    value : str, int, float, bool or None
        Value.
    text : str
        The value as it was written, without quotes.
    position : Position
        Its place.
    end_line : int
        Line of its last character.
    lines : sequence of str
        Lines of the whole file.
    """

    value: str | int | float | bool | None
    text: str
    position: Position
    end_line: int
    lines: AbcSequence[str]


@dataclass(frozen=True)
class Sequence:
    """A list."""

    items: tuple[Item, ...]
    position: Position


@dataclass(frozen=True)
class Mapping:
    """Values by key, in the order of the file."""

    entries: AbcMapping[str, Entry]
    position: Position


class Entry(NamedTuple):
    """A key's place and its value."""

    position: Position
    value: Item


Item = Scalar | Sequence | Mapping


def plain(item: Item) -> Any:
    """Return an item as plain Python values."""
    match item:
        case Mapping(entries=entries):
            return {key: plain(entry.value) for key, entry in entries.items()}
        case Sequence(items=items):
            return [plain(value) for value in items]
    return item.value


def describe(item: Item) -> str:
    """Return what an item is, for messages.

    Examples
    --------
    >>> describe(Sequence((), Position(1, 1)))
    'a list'
    """
    match item:
        case Mapping():
            return "a group of keys"
        case Sequence():
            return "a list"
        case Scalar(value=None):
            return "nothing"
        case Scalar(value=bool()):
            return f"the truth value {item.text[:60]}"
        case Scalar(value=str()):
            return f"the text '{item.text[:60]}'"
    return f"the number {item.text[:60]}"


def position_in(scalar: Scalar, part: str) -> Position:
    """Return the place of a part of a text: its own line where the text has several, else that of the text."""
    first = scalar.position.line
    for number, line in enumerate(scalar.lines[first - 1 : scalar.end_line], first):
        start = scalar.position.column - 1 if number == first else 0
        column = line.find(part.split("\n")[0], start)
        if column >= 0:
            return scalar.position._replace(line=number, column=column + 1)
    return scalar.position
