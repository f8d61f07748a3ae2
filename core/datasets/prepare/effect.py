"""What a step changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from core.jsonable import JsonObject

__all__ = ["Effect"]


@dataclass(frozen=True)
class Effect:
    """What one step changed.

    Parameters
    ----------
    rows_before, rows_after : int
        Number of rows before and after the step.
    changed : mapping of str to int, default={}
        Number of cells with another value than before, by column; cells of new columns do not count.
    lost : mapping of str to int, default={}
        Number of cells that became missing, by column. They are among the changed ones.
    added, removed : tuple of str, default=()
        Names of columns that are new, and that are gone.
    renamed : mapping of str to str, default={}
        New names of columns by their old ones.
    notes : tuple of str, default=()
        Sentences on what else the user should know.
    """

    rows_before: int
    rows_after: int
    changed: Mapping[str, int] = field(default_factory=dict)
    lost: Mapping[str, int] = field(default_factory=dict)
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Phrase with the numbers of the effect.

        Examples
        --------
        >>> Effect(100, 60).summary
        'removes 40 rows'
        >>> Effect(100, 100, changed={"a": 1203}, lost={"a": 3}).summary
        'changes 1,203 cells, of which 3 become missing'
        >>> Effect(100, 100).summary
        'changes nothing'
        """
        parts = []
        rows = self.rows_after - self.rows_before
        if rows:
            parts.append(f"{'adds' if rows > 0 else 'removes'} {_count(abs(rows), 'row')}")
        if self.added:
            parts.append(f"adds {_columns(self.added)}")
        if self.removed:
            parts.append(f"removes {_columns(self.removed)}")
        if self.renamed:
            parts.append(f"renames {_columns(tuple(self.renamed))}")
        if changed := sum(self.changed.values()):
            lost = sum(self.lost.values())
            parts.append(f"changes {_count(changed, 'cell')}" + (f", of which {lost:,} become missing" if lost else ""))
        return ", ".join(parts) or "changes nothing"

    def to_dict(self) -> JsonObject:
        """Return the effect as JSON-serializable values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: JsonObject) -> Effect:
        """Return the effect from what `to_dict` returned."""
        tuples = {name: tuple(values.get(name, ())) for name in ("added", "removed", "notes")}
        return cls(**{**values, **tuples})


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _columns(names: tuple[str, ...]) -> str:
    return f"'{names[0]}'" if len(names) == 1 else _count(len(names), "column")
