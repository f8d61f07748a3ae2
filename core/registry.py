"""A registry: the records of one concept (metrics, learners, file formats, kinds of run) in one place, by name.

Extensions may add records of their own: modules named in ``PLUMBLINE_EXTENSIONS`` are imported before a registry is
read for the first time in a process, in the web process as well as in the processes of a run.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Protocol, TypeVar

from core.errors import SettingsError
from core.settings import get_settings

__all__ = ["Record", "Registry", "load_extensions", "unknown_name"]


class Record(Protocol):
    """An entry of a registry.

    Parameters
    ----------
    name : str
        Key that settings and files use. It never changes.
    """

    @property
    def name(self) -> str: ...


R = TypeVar("R", bound=Record)


class Registry(Mapping[str, R]):
    """Records by name, in the order in which they were added.

    Parameters
    ----------
    noun : str
        Noun for a record in messages, such as "metric".
    records : iterable of records
        Records to begin with.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Fruit:
    ...     name: str
    ...     title: str
    >>> fruits = Registry("fruit", [Fruit("apple", "Apple"), Fruit("pear", "Pear")])
    >>> list(fruits), fruits["pear"].title
    (['apple', 'pear'], 'Pear')
    >>> fruits.require("paer")
    Traceback (most recent call last):
    core.errors.SettingsError: Unknown fruit 'paer'. Did you mean 'pear'? Choose one of: apple, pear.
    """

    def __init__(self, noun: str, records: Iterable[R]) -> None:
        self._noun = noun
        self._records: dict[str, R] = {}
        for record in records:
            self.add(record)

    def add(self, record: R) -> R:
        """Add a record and return it.

        Raises
        ------
        ValueError
            When a record of this name exists.
        """
        if self._records.setdefault(record.name, record) is not record:
            raise ValueError(f"The {self._noun} '{record.name}' exists already.")
        return record

    def remove(self, name: str) -> None:
        """Remove a record, as a test does with the one that it added."""
        del self._records[name]

    def require(self, name: str) -> R:
        """Return the record of a name.

        Raises
        ------
        SettingsError
            When the name is unknown; the hint has the nearest name and all others.
        """
        if name not in self:
            raise SettingsError(f"Unknown {self._noun} '{name[:80]}'.", unknown_name(name, self))
        return self[name]

    def __getitem__(self, name: str) -> R:
        load_extensions()
        return self._records[name]

    def __iter__(self) -> Iterator[str]:
        load_extensions()
        return iter(list(self._records))

    def __len__(self) -> int:
        load_extensions()
        return len(self._records)


def unknown_name(name: str, known: Iterable[str], *, most: int = 30) -> str:
    """Return the hint for an unknown name: the nearest known one, and a list of all.

    Parameters
    ----------
    name : str
        Name that was given.
    known : iterable of str
        Names that exist.
    most : int, default=30
        Number of known names to list; the others are counted.

    Examples
    --------
    >>> unknown_name("incme", ["age", "income"])
    "Did you mean 'income'? Choose one of: age, income."
    """
    names = [str(other) for other in known]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean '{near[0]}'? " if near else ""
    if not names:
        return "There is nothing to choose from."
    others = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{hint}Choose one of: {', '.join(names[:most])}{others}."


_TABICL = ("core.automl.learners.tabicl_extension",)


@lru_cache(maxsize=1)
def load_extensions() -> None:
    """Import the installation's extension modules, and what other settings ask for, once per process.

    Raises
    ------
    SettingsError
        When a module that ``PLUMBLINE_EXTENSIONS`` names does not exist.
    """
    settings = get_settings()
    for name in (*settings.extensions, *(_TABICL if settings.tabicl_checkpoint is not None else ())):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
                raise
            raise SettingsError(
                f"The extension '{name}' does not exist.",
                "Correct PLUMBLINE_EXTENSIONS, or install the package that has it.",
            ) from error
