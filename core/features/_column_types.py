"""Whether cells fit the type that the settings give their column: checked before a search, on all of its rows."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from core.datasets import Finding
from core.errors import SettingsError
from core.features._cells import describe_cells

__all__ = ["check_types"]

_READS = {"numeric": "numbers", "date": "dates"}
_WRITE = {"numeric": "Write numbers such as 1234.5", "date": "Write dates such as 2024-01-15"}


def check_types(frame: pd.DataFrame, wanted: Mapping[str, str]) -> list[Finding]:
    """Refuse a type that a column's cells do not fit, and count the few cells that cannot be read as such.

    Parameters
    ----------
    frame : DataFrame
        Columns that become features.
    wanted : mapping
        Types of columns, as the settings give them; of these numeric and date can fail to fit.

    Returns
    -------
    list of Finding
        One per column, with the number of cells that count as missing, and examples.

    Raises
    ------
    SettingsError
        When numbers are set to date, or dates to numeric; or when fewer than half of the texts can be read as such.

    Examples
    --------
    >>> check_types(pd.DataFrame({"pay": ["12", "13.5", "n.n."]}), {"pay": "numeric"})[0].values
    {'cells': 1, 'examples': ['n.n.']}
    """
    findings = []
    for name, kind in wanted.items():
        if kind not in _READS or name not in frame.columns:
            continue
        column = frame[name].dropna()
        cells = describe_cells(column)
        if cells == "text":
            findings += _unread(column, name, kind)
        elif cells and cells != _READS[kind] and (kind, cells) != ("numeric", "true and false"):
            raise SettingsError(
                f"'{name}' is set to {kind}, but its cells are {cells} ({_examples(column)}).", _instead(kind, cells)
            )
    return findings


def _instead(kind: str, cells: str) -> str:
    if kind == "numeric":
        return "Set it to date, or leave it to auto."
    if cells == "numbers":  # their unit, origin or order of digits is not known
        return (
            "Leave it a number (set it to auto or numeric), or write the dates as 2024-01-15 and load the table again."
        )
    return "Leave it to auto, or set it to categorical."


def _unread(column: pd.Series, name: str, kind: str) -> list[Finding]:
    texts = column.astype(object)
    if kind == "date":
        # No guess at other orders of day and month: a table of other rows would be read in another one.
        read = pd.to_datetime(texts, errors="coerce", utc=True, format="ISO8601")
    else:
        read = pd.to_numeric(texts, errors="coerce")
    lost = read.isna()
    count = int(lost.sum())
    if not count:
        return []
    examples = _examples(column[lost.to_numpy()])
    unread = f"{count:,} of {len(column):,} cells cannot be read as {_READS[kind]} ({examples})"
    if 2 * count > len(column):
        raise SettingsError(
            f"'{name}' is set to {kind}, but {unread}.",
            f"{_WRITE[kind]} and load the table again, or set the column to categorical, text or auto.",
        )
    return [
        Finding(
            "unreadable",
            "notice",
            name,
            f"'{name}' is set to {kind}: {unread}, so they count as missing.",
            f"{_WRITE[kind]}, or leave the cell empty where there is none.",
            {"cells": count, "examples": [str(cell) for cell in column[lost.to_numpy()].unique()[:2]]},
        )
    ]


def _examples(column: pd.Series) -> str:
    """Return two example cells as text."""
    cells = column.unique()[:2].tolist()
    cells = [int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in cells]
    return ", ".join(f"'{cell[:40]}'" if isinstance(cell, str) else str(cell) for cell in cells)
