"""What is kept of a column of a batch: enough to test it later, and none of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.monitoring.quantile_points import QuantilePoints

__all__ = [
    "COLUMN_TYPES",
    "CategorySketch",
    "ColumnSketch",
    "ColumnType",
    "DateSketch",
    "EmptySketch",
    "IdSketch",
    "NumberSketch",
    "TextSketch",
]

ColumnType: TypeAlias = Literal["number", "category", "date", "text", "id", "empty"]

COLUMN_TYPES: dict[ColumnType, str] = {
    "number": "numbers",
    "category": "categories",
    "date": "dates",
    "text": "texts",
    "id": "identifiers",
    "empty": "no values",
}
"""Titles of the types of columns that monitoring tells apart."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ColumnSketch:
    """What is known of every column.

    Parameters
    ----------
    name : str
        Name of the column.
    cells : str
        Content of its cells in words: "numbers", "true and false", "dates", "text", or empty where all are missing.
    rows : int
        Rows of the batch.
    missing : int
        Rows without a value.
    distinct : int
        Distinct values; of dates and texts, those among the rows that were looked at.
    """

    type: ClassVar[ColumnType] = "empty"

    name: str
    cells: str
    rows: int
    missing: int
    distinct: int

    @property
    def present(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing

    @property
    def missing_share(self) -> float:
        """Share of the rows without a value."""
        return self.missing / self.rows if self.rows else float("nan")

    @property
    def is_constant(self) -> bool:
        """Whether all rows that have a value have the same one."""
        return self.distinct == 1


@dataclass(frozen=True, eq=False, kw_only=True)
class NumberSketch(ColumnSketch):
    """A column of numbers.

    Parameters
    ----------
    values : QuantilePoints
        Distribution of the numbers.
    mean, std : float
        Mean and standard deviation of the finite numbers; NaN without any.
    zeros, infinite : int
        Rows with 0, and with an infinite number.
    """

    type: ClassVar[ColumnType] = "number"

    values: QuantilePoints
    mean: float
    std: float
    zeros: int = 0
    infinite: int = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class CategorySketch(ColumnSketch):
    """A column of categories, or of true and false.

    Parameters
    ----------
    levels : tuple of str
        Levels as texts, the most frequent first; equal counts in alphabetical order.
    counts : array of int of shape (k,)
        Rows of each level.
    rest : int, default=0
        Rows of the levels that are not kept.
    """

    type: ClassVar[ColumnType] = "category"

    levels: tuple[str, ...]
    counts: NDArray[np.int64]
    rest: int = 0

    @property
    def is_exact(self) -> bool:
        """Whether all levels are kept."""
        return self.rest == 0


@dataclass(frozen=True, eq=False, kw_only=True)
class DateSketch(ColumnSketch):
    """A column of dates.

    Parameters
    ----------
    values : QuantilePoints
        Seconds since 1970 (UTC).
    """

    type: ClassVar[ColumnType] = "date"

    values: QuantilePoints


@dataclass(frozen=True, eq=False, kw_only=True)
class TextSketch(ColumnSketch):
    """A column of texts.

    Parameters
    ----------
    lengths : QuantilePoints
        Words per text, of at most 10,000 rows.
    words : array of uint32 of shape (w,)
        Hashed words of at most 1,000 rows, one row after the other; the first 64 words of each.
    starts : array of int of shape (r + 1,)
        Positions where the words of each of these rows begin, and the end of the last.
    vocabulary : array of uint32 of shape (v,)
        Hashes of the words that most rows have, at most 20,000, in ascending order.
    repeated : array of bool of shape (v,)
        Whether more than one row has the word.
    """

    type: ClassVar[ColumnType] = "text"

    lengths: QuantilePoints
    words: NDArray[np.uint32]
    starts: NDArray[np.int64]
    vocabulary: NDArray[np.uint32]
    repeated: NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class IdSketch(ColumnSketch):
    """A column of identifiers, whose values are not compared."""

    type: ClassVar[ColumnType] = "id"


@dataclass(frozen=True, eq=False, kw_only=True)
class EmptySketch(ColumnSketch):
    """A column whose cells are all missing."""

    type: ClassVar[ColumnType] = "empty"
