"""The pairs of a wide table that are worth measuring: a fast estimate for all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.datasets._column_codes import ColumnCodes, standardize

__all__ = ["likely_pairs"]

_ROWS = 2_000
_CATEGORIES = 3
_BLOCK = 200


def likely_pairs(columns: Sequence[ColumnCodes], partners: int) -> set[tuple[int, int]]:
    """Return pairs of positions, the first below the second: each column with its likely closest partners.

    Parameters
    ----------
    columns : sequence of ColumnCodes
        Columns, in the same rows.
    partners : int
        Number of partners of each column.

    Notes
    -----
    A number is its ranks, a category the indicators of its three most frequent values; missing cells have the mean. The
    estimate of a pair is the largest absolute correlation between the parts of both, in at most 2,000 rows.
    """
    if len(columns) < 2:
        return set()
    parts = [_parts(column) for column in columns]
    starts = np.cumsum([0, *(len(part) for part in parts)])
    matrix = np.concatenate(parts)
    pairs = set()
    for first in range(0, len(columns), _BLOCK):
        last = min(first + _BLOCK, len(columns))
        block = np.abs(matrix[starts[first] : starts[last]] @ matrix.T)
        block = np.maximum.reduceat(block, starts[:-1], axis=1)
        block = np.maximum.reduceat(block, starts[first:last] - starts[first], axis=0)
        block[np.arange(last - first), np.arange(first, last)] = -1.0
        closest = np.argsort(-block, axis=1, kind="stable")[:, :partners]
        pairs |= {
            (min(first + row, int(column)), max(first + row, int(column)))
            for row, choice in enumerate(closest)
            for column in choice
            if column != first + row
        }
    return pairs


def _parts(column: ColumnCodes) -> np.ndarray:
    step = max(1, len(column.codes) // _ROWS)
    codes = column.codes[::step][:_ROWS]
    known = codes >= 0
    if column.ordered:
        ranks = np.zeros(len(codes))
        positions = np.unique(codes[known], return_inverse=True)[1]
        ranks[known] = positions - (positions.mean() if len(positions) else 0.0)
        features = [ranks]
    else:
        frequent = np.argsort(-column.counts, kind="stable")[:_CATEGORIES]
        features = [np.where(known, codes == value, np.mean(codes[known] == value)) for value in frequent]
    return np.stack([standardize(np.asarray(feature, dtype=float)) for feature in features]).astype(np.float32)
