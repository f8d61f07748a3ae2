"""Columns of two batches as the same type, where that loses nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from core.monitoring.cell_values import level_text
from core.monitoring.column_sketches import (
    CategorySketch,
    ColumnSketch,
    DateSketch,
    EmptySketch,
    NumberSketch,
    TextSketch,
)
from core.monitoring.quantile_points import QuantilePoints

__all__ = ["same_type"]

_MAX_LEVELS = 200


def same_type(reference: ColumnSketch, current: ColumnSketch) -> tuple[ColumnSketch, ColumnSketch] | None:
    """Return two columns as one type; None where they cannot be compared.

    A column without values fits every type. Numbers become levels where at most 200 are distinct, and no more than
    half of the rows.

    Parameters
    ----------
    reference, current : ColumnSketch
        Columns of one name.

    Examples
    --------
    >>> import pandas as pd
    >>> from core.monitoring import sketch
    >>> codes, words = (sketch(pd.DataFrame({"a": cells})) for cells in ([1, 2, 1, 2], ["1", "b"]))
    >>> [column.levels for column in same_type(codes["a"], words["a"])]
    [('1', '2'), ('1', 'b')]
    """
    if reference.type == current.type:
        return reference, current
    if isinstance(current, EmptySketch):
        return reference, _without_values(reference, current)
    if isinstance(reference, EmptySketch):
        return _without_values(current, reference), current
    pair = _as_levels(reference), _as_levels(current)
    if pair[0] is not None and pair[1] is not None:
        return pair[0], pair[1]
    return None


def _without_values(like: ColumnSketch, column: EmptySketch) -> ColumnSketch:
    nothing = QuantilePoints.of(np.zeros(0))
    changes: dict[str, Any] = {"cells": "", "rows": column.rows, "missing": column.rows, "distinct": 0}
    if isinstance(like, NumberSketch):
        nan = float("nan")
        return replace(like, **changes, values=nothing, mean=nan, std=nan, zeros=0, infinite=0)
    if isinstance(like, CategorySketch):
        return replace(like, **changes, levels=(), counts=np.zeros(0, dtype=np.int64), rest=0)
    if isinstance(like, DateSketch):
        return replace(like, **changes, values=nothing)
    if isinstance(like, TextSketch):
        words, starts = np.zeros(0, dtype=np.uint32), np.zeros(1, dtype=np.int64)
        no_words: dict[str, Any] = {
            "words": words,
            "starts": starts,
            "vocabulary": words,
            "repeated": words.astype(bool),
        }
        return replace(like, **changes, lengths=nothing, **no_words)
    return replace(like, **changes)


def _as_levels(column: ColumnSketch) -> CategorySketch | None:
    if isinstance(column, CategorySketch):
        return column
    if not isinstance(column, NumberSketch) or not column.values.is_exact:
        return None
    if column.distinct > min(_MAX_LEVELS, column.present / 2):
        return None
    counts = column.values.counts
    order = np.argsort(-counts, kind="stable")
    return CategorySketch(
        name=column.name,
        cells=column.cells,
        rows=column.rows,
        missing=column.missing,
        distinct=column.distinct,
        levels=tuple(level_text(float(column.values.points[index])) for index in order),
        counts=counts[order],
    )
