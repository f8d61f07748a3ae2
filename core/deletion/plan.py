"""What a deletion would do, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.catalog import Run, Schedule
from core.catalog.row import Deletable
from core.jobs import task_spec

__all__ = ["DeletionPlan", "by_kind", "counted", "quoted"]

_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class DeletionPlan:
    """What a deletion would do.

    Parameters
    ----------
    kind : str
        Kind of the thing, such as "run".
    row_id : str
        Its id.
    title : str
        Its name.
    goes : tuple of str
        Sentences on what is deleted with it.
    stays : tuple of str
        Sentences on what depends on it, and what becomes of that.
    forbidden : str, default=""
        Sentence on why it cannot be deleted now; empty when it can.
    hint : str, default=""
        Advice in that case.
    rows : mapping
        Ids of the rows that are hidden, by their table.
    schedules : tuple of Schedule
        Schedules that are turned off.
    """

    kind: str
    row_id: str
    title: str
    goes: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    forbidden: str = ""
    hint: str = ""
    rows: Mapping[type[Deletable], tuple[str, ...]] = field(default_factory=dict)
    schedules: tuple[Schedule, ...] = ()


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "file"), counted(1200, "file")
    ('1 file', '1,200 files')
    """
    return f"{number:,} {noun}{'s' * (number != 1)}"


def quoted(names: Iterable[str]) -> str:
    """Return names in quotes, the first of them where there are many.

    Examples
    --------
    >>> quoted(["a", "b"]), quoted("abcdefg")
    ("'a', 'b'", "'a', 'b', 'c', 'd', 'e' and 2 others")
    """
    listed = list(names)
    rest = len(listed) - _SHOWN
    more = "" if rest <= 0 else f" and {counted(rest, 'other')}"
    return ", ".join(f"'{name}'" for name in listed[:_SHOWN]) + more


def by_kind(runs: Iterable[Run]) -> str:
    """Return how many runs there are of each kind, such as "Explanation (1), Export (2)"."""
    types = Counter(task_spec(run.task).title for run in runs)
    return ", ".join(f"{title} ({number:,})" for title, number in sorted(types.items()))
