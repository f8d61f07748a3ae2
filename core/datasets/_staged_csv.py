"""Rows of other formats on their way to CSV, within the limits."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import TextIO

from core.datasets._limits import Limits

__all__ = ["StagedCsv"]


class StagedCsv:
    """A CSV file that is written row by row.

    Parameters
    ----------
    file : text file
        File to write, opened with ``newline=""``.
    limits : Limits
        Bounds on rows, columns, cells and bytes, which each row is checked against before it is written.
    packed : int
        Size of the file that the rows come from (bytes).
    """

    def __init__(self, file: TextIO, limits: Limits, packed: int) -> None:
        self._writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        self._limits, self._packed = limits, packed
        self._rows = self._characters = 0

    def write(self, row: Sequence[str]) -> None:
        """Write a row.

        Raises
        ------
        LimitError
            When there are now too many rows, cells or bytes, or one cell has too many.
        """
        sizes = [len(cell) for cell in row]
        self._rows += 1
        self._characters += sum(sizes) + 3 * len(sizes)
        self._limits.check_shape(self._rows, len(row))
        self._limits.check_cell(max(sizes, default=0))
        self._limits.check_expansion(self._characters, self._packed)
        self._writer.writerow(row)
