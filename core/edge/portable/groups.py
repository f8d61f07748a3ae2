"""Names of the groups that a policy decides by: of values, and of the cells of a file."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from .cells import MARKERS, MISSING, CellError, groups, number_text
from .written import Value, category_text, known_word, read_cell

__all__ = ["GroupNames"]

_SPACES = " \t\u00a0"
_BOOLEANS = {"true": "True", "True": "True", "TRUE": "True", "false": "False", "False": "False", "FALSE": "False"}
_BIN = re.compile(r"(?:below (?P<top>\S+)|(?P<low>\S+) to (?P<high>\S+)|(?P<bottom>\S+) and above)")


class GroupNames:
    """Names of groups, by the columns that a policy decides by.

    Parameters
    ----------
    columns : sequence of str
        Names of the columns; without columns all rows are one group.
    names : collection of str
        Groups that the policy has rules for; parts of several columns are joined by ", ".
    bins : mapping, optional
        Bins of the columns whose groups are bins of numbers: name, low and high of each, from the lowest on. A policy
        of an earlier version does not have them; its bins are known by the names of its groups.

    Examples
    --------
    >>> names = GroupNames(["sex", "age"], ["f, below 30", "f, 30 and above", "m, below 30"])
    >>> names.of_values([["f", "m"], [30.0, None]])
    ['f, 30 and above', 'm, (missing)']
    """

    def __init__(
        self,
        columns: Sequence[str],
        names: Collection[str],
        bins: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    ) -> None:
        self.columns = list(columns)
        parts = [[name] if len(self.columns) == 1 else name.split(", ") for name in names]
        whole = [part for part in parts if len(part) == len(self.columns)]
        self._known = [dict.fromkeys(part[index] for part in whole) for index in range(len(self.columns))]
        self._bins = [
            _named_bins(known) if bins is None else _stored_bins(bins.get(name, ()))
            for name, known in zip(self.columns, self._known, strict=True)
        ]
        self._all_rows = next(iter(names), "")  # the one group where there are no columns

    def known(self, column: str) -> tuple[str, ...]:
        """Return the parts of the groups' names that stand for a column; none for numbers in bins."""
        index = self.columns.index(column)
        return () if self._bins[index] else tuple(name for name in self._known[index] if name != MISSING)

    def of_values(self, values: Sequence[Sequence[Value]], rows: int = 0) -> list[str]:
        """Return the group of each row.

        Parameters
        ----------
        values : sequence of sequence
            Values of each column; None where one is missing.
        rows : int, default=0
            Number of rows, for a policy without columns.
        """
        if not self.columns:
            return [self._all_rows] * rows
        named = [[self._of_value(index, value) for value in column] for index, column in enumerate(values)]
        return [", ".join(parts) for parts in zip(*named, strict=True)]

    def of_cells(
        self, cells: Mapping[str, Sequence[str]], formats: Mapping[str, Mapping[str, Any]] | None = None
    ) -> list[str]:
        """Return the group of each row of a file.

        Parameters
        ----------
        cells : mapping of str to sequence of str
            Cells by column.
        formats : mapping of str to dict, optional
            Format in which the training file had the cells of a column, a `core.datasets.CellFormat`. Other columns
            hold plain values: 1, 1.0 and "1" are the same, true is True.

        Raises
        ------
        CellError
            When a cell is not written as in training.
        """
        if not self.columns:
            return [self._all_rows] * len(next(iter(cells.values())))
        named = []
        for index, name in enumerate(self.columns):
            written = (formats or {}).get(name)
            read = self._plain(index, cells[name]) if written is None else self._written(index, written)
            named.append([read(row, cell) for row, cell in enumerate(cells[name], start=1)])
        return [", ".join(parts) for parts in zip(*named, strict=True)]

    def _of_value(self, index: int, value: Value) -> str:
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return MISSING
        known, bins = self._known[index], self._bins[index]
        if bins is not None:
            number = _number(value)
            return category_text(value) or MISSING if number is None else bins(number)
        if isinstance(value, datetime) and value.tzinfo is not None:
            value = value.astimezone(UTC)
            if str(value) not in known:
                value = value.replace(tzinfo=None)
        return category_text(value) or MISSING

    def _written(self, index: int, written: Mapping[str, Any]) -> Callable[[int, str], str]:
        known = self._known[index]

        def read(row: int, cell: str) -> str:
            if written["kind"] == "text":
                return known_word(cell, known, written["missing"]) or MISSING
            try:
                return self._of_value(index, read_cell(written, cell))
            except (ValueError, OverflowError):
                name = self.columns[index]
                message = f"Row {row}: the column '{name}' holds {cell!r}, which is not written as in training."
                raise CellError(message) from None

        return read

    def _plain(self, index: int, cells: Sequence[str]) -> Callable[[int, str], str]:
        """Return how to read cells of unknown format: as the groups that the policy knows, else by all cells."""
        known = self._known[index]
        others = dict(zip(cells, groups(cells), strict=True))

        def read(row: int, cell: str) -> str:
            text = cell.strip(_SPACES)
            number = number_text(text)
            if self._bins[index] is not None and number is not None:
                return self._of_value(index, float(number))
            for name in (cell, cell.lstrip(), text, number, _BOOLEANS.get(text)):
                if name and name in known:
                    return name
            if MISSING in known and text in MARKERS:
                return MISSING
            return others[cell]

        return read


def _number(value: Value) -> float | None:
    if isinstance(value, str):
        text = number_text(value.strip(_SPACES))
        return None if text is None else float(text)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _stored_bins(bins: Sequence[Mapping[str, Any]]) -> Callable[[float], str] | None:
    """Return the function from a number to its bin; None without bins."""
    if not bins:
        return None
    edges = [float(item["high"]) for item in bins[:-1]]
    return lambda number: str(bins[bisect_right(edges, number)]["name"])


def _named_bins(names: Collection[str]) -> Callable[[float], str] | None:
    """Return the function from a number to its bin, by the names that `core.fairness.bin_numbers` gives bins.

    None where the names are not those of bins.
    """
    texts: dict[float, str] = {}
    for name in names:
        if name == MISSING:
            continue
        match = _BIN.fullmatch(name)
        if match is None:
            return None
        for text in match.groupdict().values():
            if text is not None:
                try:
                    texts[float(text.replace(",", ""))] = text
                except ValueError:
                    return None
    if not texts:
        return None
    edges = sorted(texts)

    def name_of(number: float) -> str:
        position = bisect_right(edges, number)
        if position == 0:
            return f"below {texts[edges[0]]}"
        if position == len(edges):
            return f"{texts[edges[-1]]} and above"
        return f"{texts[edges[position - 1]]} to {texts[edges[position]]}"

    return name_of
