"""Groups of keys with known names and types."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from core.pipelines.errors import PipelineError, Position
from core.pipelines.reading.yaml_nodes import Entry, Item, Mapping, Scalar, describe
from core.registry import unknown_name

__all__ = ["Section", "flag_of", "mapping_of", "text_of", "whole_of"]


class Section:
    """A group of keys, whose unknown ones are refused.

    Parameters
    ----------
    item : Item
        Group of keys.
    noun : str
        Noun for messages, such as "the pipeline".
    known : collection of str, optional
        Names of the keys; all are allowed where it is left out.
    """

    def __init__(self, item: Item, noun: str, known: Collection[str] | None = None) -> None:
        self.noun = noun
        self.entries = mapping_of(item, noun)
        self.position = item.position
        for name, entry in self.entries.items():
            if known is not None and name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"Did you mean '{near[0]}'?" if near else unknown_name(name, sorted(known))
                raise PipelineError(f"There is no key '{name[:60]}' in {noun}.", hint, entry.position)

    def __contains__(self, key: str) -> bool:
        return key in self.entries and not _is_empty(self.entries[key].value)

    def at(self, key: str) -> Position:
        """Return the place of a key, or that of the section where it has none."""
        return self.entries[key].position if key in self.entries else self.position

    def item(self, key: str) -> Item | None:
        """Return a value, or None where it is missing or empty."""
        return self.entries[key].value if key in self else None

    def require(self, key: str, hint: str) -> Item:
        """Return a value that has to be given."""
        item = self.item(key)
        if item is None:
            raise PipelineError(f"The key '{key}' is missing in {self.noun}.", hint, self.at(key))
        return item

    def text(self, key: str, *, numbers: bool = False) -> str:
        """Return a text, or "" where it is missing; numbers are allowed where they are said to be."""
        item = self.item(key)
        return "" if item is None else text_of(item, f"'{key}'", numbers=numbers)

    def flag(self, key: str, default: bool) -> bool:
        """Return a truth value."""
        item = self.item(key)
        return default if item is None else flag_of(item, f"'{key}'")

    def group(self, key: str) -> dict[str, Entry]:
        """Return the entries of a group of keys, empty where it is missing."""
        item = self.item(key)
        return {} if item is None else mapping_of(item, f"'{key}'")

    def texts(self, key: str) -> dict[str, str]:
        """Return a group of texts, such as tags."""
        return {
            name: "" if _is_empty(entry.value) else text_of(entry.value, f"'{name[:60]}' in '{key}'", numbers=True)
            for name, entry in self.group(key).items()
        }


def mapping_of(item: Item, noun: str) -> dict[str, Entry]:
    """Return the entries of a group of keys."""
    if not isinstance(item, Mapping):
        raise _wrong(item, noun, "a group of keys", "Write keys below it, indented.")
    return dict(item.entries)


def text_of(item: Item, noun: str, *, numbers: bool = False) -> str:
    """Return a text."""
    if not isinstance(item, Scalar) or item.value is None or not (numbers or isinstance(item.value, str)):
        raise _wrong(item, noun, "a text", "Put it in quotes." if isinstance(item, Scalar) else "Write one text.")
    return item.text


def flag_of(item: Item, noun: str) -> bool:
    """Return a truth value, also one in quotes."""
    if isinstance(item, Scalar):
        if isinstance(item.value, bool):
            return item.value
        if item.text.lower() in ("true", "false"):
            return item.text.lower() == "true"
    raise _wrong(item, noun, "true or false", "Write true or false.")


def whole_of(item: Item, noun: str, *, low: int | None = None) -> int:
    """Return a whole number, also one in quotes."""
    if isinstance(item, Scalar) and not isinstance(item.value, bool):
        try:
            value = int(item.value) if isinstance(item.value, int) else int(item.text)
        except ValueError as error:
            raise _wrong(item, noun, "a whole number", "Write digits only.") from error
        if low is not None and value < low:
            raise PipelineError(f"{_capital(noun)} is {value}, below {low}.", f"Write {low} or more.", item.position)
        return value
    raise _wrong(item, noun, "a whole number", "Write digits only.")


def _is_empty(item: Item) -> bool:
    return isinstance(item, Scalar) and item.value is None


def _wrong(item: Item, noun: str, expected: str, hint: str) -> PipelineError:
    return PipelineError(f"{_capital(noun)} has to be {expected}, not {describe(item)}.", hint, item.position)


def _capital(noun: str) -> str:
    return noun[:1].upper() + noun[1:]
