"""Whether cells fit what somebody said that their column is: asked before a search, of all of its rows."""

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
    """Refuse a type that a column's cells do not fit, and count the few that do not read as such.

    Parameters
    ----------
    frame : DataFrame
        The features.
    wanted : mapping
        What somebody said a column is; of these numeric and date can fail to fit.

    Returns
    -------
    list of Finding
        A column each, with the number of cells that count as missing, and examples.

    Raises
    ------
    SettingsError
        When numbers are to be dates, or dates numbers; or when fewer than half of the texts read as such.

    Examples
    --------
    >>> check_types(pd.DataFrame({"pay": ["12", "13.5", "n.n."]}), {"pay": "numeric"})[0].values
    {'cells': 1, 'examples': ['n.n.']}
    """
    found = []
    for name, kind in wanted.items():
        if kind not in _READS or name not in frame.columns:
            continue
        column = frame[name].dropna()
        held = describe_cells(column)
        if held == "text":
            found += _unread(column, name, kind)
        elif held and held != _READS[kind] and (kind, held) != ("numeric", "true and false"):
            raise SettingsError(
                f"'{name}' is set to {kind}, and holds {held} ({_examples(column)}).", _instead(kind, held)
            )
    return found


def _instead(kind: str, held: str) -> str:
    if kind == "numeric":
        return "Set it to date, or leave it to auto."
    if held == "numbers":  # of what since when, or in which order of digits, cannot be told
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
    told = f"{count:,} of {len(column):,} cells do not read as {_READS[kind]} ({examples})"
    if 2 * count > len(column):
        raise SettingsError(
            f"'{name}' is set to {kind}, and {told}.",
            f"{_WRITE[kind]} and load the table again, or set the column to categorical, text or auto.",
        )
    return [
        Finding(
            "unreadable",
            "notice",
            name,
            f"'{name}' is set to {kind}: {told}, and count as missing.",
            f"{_WRITE[kind]}, or leave the cell empty where there is none.",
            {"cells": count, "examples": [str(cell) for cell in column[lost.to_numpy()].unique()[:2]]},
        )
    ]


def _examples(column: pd.Series) -> str:
    """Return two cells as a person would write them."""
    cells = column.unique()[:2].tolist()
    cells = [int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in cells]
    return ", ".join(f"'{cell[:40]}'" if isinstance(cell, str) else str(cell) for cell in cells)
