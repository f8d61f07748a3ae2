"""A hash of each row, to count those that are equal to an earlier one."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["RowHashes"]

Hashes = NDArray[np.uint64]


class RowHashes:
    """A hash per row, added up column by column, so that their order does not matter.

    Parameters
    ----------
    rows : int
        Rows of the batch.

    Examples
    --------
    >>> hashes = RowHashes(3)
    >>> hashes.add_numbers("age", np.array([1.0, 2.0, 1.0]))
    >>> hashes.duplicates
    1
    """

    def __init__(self, rows: int) -> None:
        self._sums: Hashes = np.zeros(rows, dtype=np.uint64)

    def add_numbers(self, name: str, values: NDArray[np.float64]) -> None:
        """Add a column of numbers; 0 and -0 are equal, and so are all missing values."""
        plain = values + 0.0
        plain[np.isnan(plain)] = np.nan
        self._add(name, plain.view(np.uint64))

    def add_levels(self, name: str, codes: NDArray[np.intp], levels: Sequence[str]) -> None:
        """Add a column of levels by their texts; a missing cell has the code -1."""
        hashes = [zlib.crc32(level.encode("utf-8", "surrogatepass")) + 1 for level in levels]
        self._add(name, np.array([*hashes, 0], dtype=np.uint64)[codes])

    def add_texts(self, name: str, texts: NDArray[np.object_]) -> None:
        """Add a column of texts, most of which are distinct."""
        from pandas.util import hash_array

        self._add(name, np.asarray(hash_array(texts, categorize=False)))

    def _add(self, name: str, values: Hashes) -> None:
        salt = np.uint64(zlib.crc32(name.encode("utf-8", "surrogatepass")) * 2 + 1)
        mixed = (values + salt) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(32)
        mixed *= np.uint64(0xD6E8FEB86659FD93)
        mixed ^= mixed >> np.uint64(29)
        self._sums += mixed

    @property
    def duplicates(self) -> int:
        """Rows that are equal to an earlier one."""
        ordered = np.sort(self._sums)
        return int((ordered[1:] == ordered[:-1]).sum())
