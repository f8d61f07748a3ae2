"""What can be done about a finding with one click: steps, or roles of columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.datasets._finding import Finding
from core.datasets.prepare.row_steps import Filter, RemoveDuplicates
from core.datasets.prepare.step import Step
from core.datasets.prepare.type_step import ChangeType
from core.datasets.prepare.value_steps import Merge

__all__ = ["Fix", "fix_for"]


@dataclass(frozen=True)
class Fix:
    """What can be done about a finding.

    Parameters
    ----------
    label : str
        Label of the button, such as "Ignore the column".
    steps : tuple of Step, default=()
        Steps to add to the recipe.
    ignore, sensitive : str, optional
        Column that gets this role.
    safe : bool, default=False
        Whether it is right wherever the finding is: it loses no information.
    """

    label: str
    steps: tuple[Step, ...] = ()
    ignore: str | None = None
    sensitive: str | None = None
    safe: bool = False


def fix_for(finding: Finding) -> Fix | None:
    """Return what can be done about a finding, or None.

    Examples
    --------
    >>> fix_for(Finding("constant", "notice", "one", "'one' has a single value.")).label
    'Ignore the column'
    """
    make = _FIXES.get(finding.check)
    return None if make is None or finding.level == "passed" else make(finding)


def _ignore(*, safe: bool) -> Callable[[Finding], Fix | None]:
    def make(finding: Finding) -> Fix | None:
        return None if finding.column is None else Fix("Ignore the column", ignore=finding.column, safe=safe)

    return make


def _mark(finding: Finding) -> Fix | None:
    return None if finding.column is None else Fix("Mark as sensitive", sensitive=finding.column, safe=True)


def _merge(finding: Finding) -> Fix | None:
    values = finding.values.get("merge")
    if finding.column is None or not values:
        return None
    return Fix("Merge spellings", (Merge(column=finding.column, values=values),), safe=True)


def _read_as(kind: str, label: str) -> Callable[[Finding], Fix | None]:
    def make(finding: Finding) -> Fix | None:
        return None if finding.column is None else Fix(label, (ChangeType(column=finding.column, type=kind),))

    return make


def _remove_copies(_: Finding) -> Fix:
    return Fix("Remove copies", (RemoveDuplicates(),))


def _with_target(finding: Finding) -> Fix | None:
    if finding.column is None:
        return None
    return Fix("Remove these rows", (Filter(condition=f"not is_missing(`{finding.column}`)"),))


_FIXES: dict[str, Callable[[Finding], Fix | None]] = {
    "constant": _ignore(safe=True),
    "identifier": _ignore(safe=True),
    "missing": _ignore(safe=False),
    "leakage": _ignore(safe=False),
    "proxy": _ignore(safe=False),
    "high_cardinality": _ignore(safe=False),
    "near_duplicates": _ignore(safe=False),
    "sensitive": _mark,
    "spellings": _merge,
    "dates_as_text": _read_as("date", "Read as dates"),
    "numbers_as_text": _read_as("number", "Make it a number"),
    "duplicate_rows": _remove_copies,
    "missing_target": _with_target,
}
