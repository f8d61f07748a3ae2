"""What can be done about a finding with one click: steps, or roles of columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.datasets._finding import Finding
from core.datasets._spellings import clean_spelling
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


def fix_for(finding: Finding, *, safe_only: bool = False) -> Fix | None:
    """Return what can be done about a finding, or None.

    Parameters
    ----------
    finding : Finding
        The finding.
    safe_only : bool, default=False
        Whether to return only what is safe, which may be a part of what can be done: of spellings, stray blanks are
        removed, but upper and lower case is kept, which may mean different things (``mg`` and ``Mg``).

    Examples
    --------
    >>> fix_for(Finding("constant", "notice", "one", "'one' has a single value.")).label
    'Ignore the column'
    """
    make = _FIXES.get(finding.check)
    fix = None if make is None or finding.level == "passed" else make(finding)
    if fix is None or fix.safe or not safe_only:
        return fix
    return _blanks(finding) if finding.check == "spellings" else None


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
    safe = _without_blanks(values) == values
    return Fix("Merge spellings", (Merge(column=finding.column, values=values),), safe=safe)


def _blanks(finding: Finding) -> Fix | None:
    values = _without_blanks(finding.values.get("merge") or {})
    if finding.column is None or not values:
        return None
    return Fix("Remove stray blanks", (Merge(column=finding.column, values=values),), safe=True)


def _without_blanks(spellings: Iterable[str]) -> dict[str, str]:
    """Return the spellings that have stray blanks or invisible characters, with those that they have without them."""
    return {spelling: clean for spelling in spellings if (clean := clean_spelling(spelling)) != spelling}


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
