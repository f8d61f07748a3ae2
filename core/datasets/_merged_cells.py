"""Cells of a sheet that are merged with the one above: their rows have its value, as the sheet shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

__all__ = ["MergedCells"]


class MergedCells:
    """The cells of a sheet that are merged over several rows.

    Parameters
    ----------
    ranges : iterable of (int, int, int), default=()
        First row, column and last row of each range, from 0; of a range of several columns, the first one.

    Attributes
    ----------
    filled : int
        Number of cells that `fill` has filled.

    Examples
    --------
    >>> merged = MergedCells([(0, 0, 2)])
    >>> rows = [["north", "a"], ["", "b"], ["", "c"], ["", "d"]]
    >>> for number, row in enumerate(rows):
    ...     merged.fill(number, row)
    >>> [row[0] for row in rows], merged.filled
    (['north', 'north', 'north', ''], 2)
    """

    def __init__(self, ranges: Iterable[tuple[int, int, int]] = ()) -> None:
        self.filled = 0
        self._starting: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._open: dict[int, tuple[int, str]] = {}  # last row and value, by column
        for first, column, last in ranges:
            self.add(first, column, last)

    def add(self, first: int, column: int, last: int) -> None:
        """Add a range before its first row is filled."""
        if last > first:
            self._starting[first].append((column, last))

    def fill(self, number: int, row: list[str]) -> None:
        """Fill the cells of the next row that are merged with one above, if the row has others; remember new ranges."""
        for column, (last, value) in [*self._open.items()]:
            if last < number:
                del self._open[column]
            elif any(row):
                row += [""] * (column + 1 - len(row))
                if not row[column] and value:
                    row[column] = value
                    self.filled += 1
        for column, last in self._starting.pop(number, ()):
            self._open[column] = (last, row[column] if column < len(row) else "")

    @property
    def notice(self) -> str:
        """Sentence about the cells that were filled, or an empty string."""
        return (
            f"Cells that have the value of the one above, which they are merged with: {self.filled:,}."
            if self.filled
            else ""
        )
