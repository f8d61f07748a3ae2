"""Repair of column names, so that all are present, printable and unique."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["repair_names"]


def repair_names(names: Sequence[str | None]) -> tuple[list[str], dict[str, str]]:
    """Make column names usable: trimmed, not empty, unique without regard to case.

    Parameters
    ----------
    names : sequence of str or None
        Names in the file.

    Returns
    -------
    repaired : list of str
        Names of the columns, in order.
    renamed : dict
        Names in the file of the columns that changed, by new name.

    Examples
    --------
    >>> repair_names(["a", "A", "", " b "])
    (['a', 'A_2', 'column_3', 'b'], {'A_2': 'A', 'column_3': '', 'b': ' b '})
    """
    originals = [name or "" for name in names]
    cleaned = [" ".join("".join(c if c.isprintable() else " " for c in name).split()) for name in originals]
    # A name that is unique is not changed, so that "a", "a", "a_2" become "a", "a_3", "a_2".
    taken = {name.casefold() for name in cleaned if name}
    seen: set[str] = set()
    suffixes: dict[str, int] = {}
    repaired: list[str] = []
    for position, name in enumerate(cleaned, start=1):
        candidate = name or f"column_{position}"
        if candidate.casefold() in seen or (not name and candidate.casefold() in taken):
            suffix = suffixes.get(candidate.casefold(), 2)
            while (other := f"{candidate}_{suffix}".casefold()) in seen or other in taken:
                suffix += 1
            suffixes[candidate.casefold()] = suffix + 1
            candidate = f"{candidate}_{suffix}"
        seen.add(candidate.casefold())
        repaired.append(candidate)
    renamed = {new: old for new, old in zip(repaired, originals, strict=True) if new != old}
    return repaired, renamed
