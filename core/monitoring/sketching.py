"""Makes the sketch of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.columns import require_columns
from core.errors import InputError, SettingsError
from core.monitoring.batch_sketch import BatchSketch
from core.monitoring.cell_values import as_levels, as_moments, as_numbers, cells_in_words, level_text
from core.monitoring.column_sketches import (
    COLUMN_TYPES,
    CategorySketch,
    ColumnSketch,
    ColumnType,
    DateSketch,
    EmptySketch,
    IdSketch,
    NumberSketch,
    TextSketch,
)
from core.monitoring.column_type import column_type
from core.monitoring.quantile_points import MAX_POINTS, QuantilePoints
from core.monitoring.row_hashes import RowHashes
from core.monitoring.word_hashes import MAX_TEXTS, MAX_VOCABULARY, MAX_WORDS, hash_words, vocabulary_of
from core.registry import unknown_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MAX_LEVELS", "sketch"]

MAX_LEVELS = 1_000
"""Levels that are kept of a column with more than 10,000 rows: the most frequent ones. Of fewer rows all are kept."""

_EXACT_ROWS = 10_000
_CELLS_OF: dict[ColumnType, tuple[str, ...]] = {
    "number": ("numbers", "true and false"),
    "category": ("numbers", "true and false", "text"),
    "date": ("dates",),
    "text": ("text",),
    "id": ("numbers", "text"),
}
"""Cells that can be compared with a reference of each type."""


def sketch(
    frame: pd.DataFrame,
    *,
    columns: Sequence[str] | None = None,
    types: Mapping[str, ColumnType] | None = None,
    like: BatchSketch | None = None,
    score: str | None = None,
    as_of: object = None,
) -> BatchSketch:
    """Return what monitoring keeps of a table, and not its rows.

    Parameters
    ----------
    frame : DataFrame
        The batch.
    columns : sequence of str, optional
        Columns to keep; all by default.
    types : mapping of str to str, optional
        Types of columns that are not to be decided by their cells: "number", "category", "date", "text", "id".
    like : BatchSketch, optional
        Reference, whose types the columns get where their cells allow it.
    score : str, optional
        Column of the model's score; by default that of `like`, where the table has it.
    as_of : date, optional
        Moment of the batch, by which the age of its dates is known.

    Returns
    -------
    BatchSketch
        Exact for columns with up to 10,000 rows or distinct numbers. Of texts, 10,000 random rows are read at most.

    Raises
    ------
    InputError
        When the table has no rows or columns, a name twice, or lacks a column that is named.
    SettingsError
        When a type is unknown, or does not fit the cells.

    See Also
    --------
    compare : Compares two batches.

    Examples
    --------
    >>> import pandas as pd
    >>> batch = sketch(pd.DataFrame({"income": [2.0, 3.0, 0.0], "paid": [True, False, True]}))
    >>> {name: column.type for name, column in batch.columns.items()}, batch["income"].zeros
    ({'income': 'number', 'paid': 'category'}, 1)
    """
    import pandas as pd

    table = _checked(frame, columns)
    require_columns(table.columns, types or (), what="The batch")
    for name, wanted in (types or {}).items():
        if wanted not in COLUMN_TYPES:
            raise SettingsError(f"Unknown type '{wanted}' of the column '{name}'.", unknown_name(wanted, COLUMN_TYPES))
    if score is not None:
        require_columns(table.columns, [score], what="The batch")
    elif like is not None and like.score in table.columns:
        score = like.score
    hashes = RowHashes(len(table))
    kept: dict[str, ColumnSketch] = {}
    for name in table.columns:
        given = (types or {}).get(name)
        series = table[name]
        cells = cells_in_words(series)
        if like is not None and name in like.columns and like.columns[name].cells == "true and false":
            series, cells = _as_truth(series, cells)
        kept[name] = _SKETCHERS[_type_of(series, name, cells, given, like)](
            series, {"name": name, "cells": cells, "rows": len(table)}, None if name == score else hashes
        )
    moment = None if as_of is None else float(pd.Timestamp(as_of).timestamp())
    return BatchSketch(len(table), kept, hashes.duplicates, score, moment)


def _as_truth(series: pd.Series, cells: str) -> tuple[pd.Series, str]:
    """Return 0 and 1, or their words, as true and false, where a column holds nothing else."""
    words = {"0": False, "1": True, "false": False, "true": True}
    if cells not in ("numbers", "text"):
        return series, cells
    texts = series.map(level_text, na_action="ignore").astype(object).str.lower()
    if not texts.dropna().isin(words).all():
        return series, cells
    return texts.map(words).astype("boolean"), "true and false"


def _checked(frame: pd.DataFrame, columns: Sequence[str] | None) -> pd.DataFrame:
    if columns is not None:
        require_columns(frame.columns, columns, what="The batch")
        frame = frame[list(columns)]
    names = [str(name) for name in frame.columns]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise InputError(f"The batch has the column '{twice[0]}' twice.", "Give each column a name of its own.")
    if not len(frame) or not names:
        raise InputError(
            f"The batch has {len(frame):,} rows and {len(names):,} columns.",
            "Give a table with at least one row and one column.",
        )
    return frame.set_axis(names, axis=1)


def _type_of(
    series: pd.Series, name: str, cells: str, given: ColumnType | None, like: BatchSketch | None
) -> ColumnType:
    if given is not None:
        if cells and cells not in _CELLS_OF.get(given, ()):
            raise SettingsError(
                f"The column '{name}' holds {cells} and cannot be compared as {COLUMN_TYPES[given]}.",
                "Choose a type that fits the cells, or correct the cells.",
            )
        return given
    if like is not None and name in like.columns:
        wanted = like.columns[name].type
        if wanted != "empty" and (not cells or cells in _CELLS_OF[wanted]):
            return wanted
    return column_type(series, name)


def _number(series: pd.Series, common: dict[str, Any], hashes: RowHashes | None) -> ColumnSketch:
    numbers = as_numbers(series)
    if hashes is not None:
        hashes.add_numbers(common["name"], numbers)
    present = numbers[~np.isnan(numbers)]
    values = QuantilePoints.of(present)
    infinite = int(np.isinf(present).sum())
    finite = present if not infinite else present[np.isfinite(present)]
    # The sum of sorted numbers does not depend on the order of the rows.
    finite = np.sort(finite) if len(finite) <= _EXACT_ROWS else finite
    return NumberSketch(
        **common,
        missing=len(numbers) - len(present),
        distinct=len(values.points),
        values=values,
        mean=float(finite.mean()) if len(finite) else float("nan"),
        std=float(finite.std()) if len(finite) else float("nan"),
        zeros=int((present == 0).sum()),
        infinite=infinite,
    )


def _category(series: pd.Series, common: dict[str, Any], hashes: RowHashes | None) -> ColumnSketch:
    codes, levels = as_levels(series)
    if hashes is not None:
        hashes.add_levels(common["name"], codes, levels)
    counts = np.bincount(codes[codes >= 0], minlength=len(levels)).astype(np.int64)
    order = sorted(range(len(levels)), key=lambda index: (-counts[index], levels[index]))
    chosen = order[: _EXACT_ROWS if len(series) <= _EXACT_ROWS else MAX_LEVELS]
    kept = counts[np.array(chosen, dtype=np.intp)] if chosen else np.zeros(0, dtype=np.int64)
    return CategorySketch(
        **common,
        missing=int((codes < 0).sum()),
        distinct=len(levels),
        levels=tuple(levels[index] for index in chosen),
        counts=kept,
        rest=int(counts.sum() - kept.sum()),
    )


def _date(series: pd.Series, common: dict[str, Any], hashes: RowHashes | None) -> ColumnSketch:
    moments = as_moments(series)
    if hashes is not None:
        hashes.add_numbers(common["name"], moments)
    values = QuantilePoints.of(moments[~np.isnan(moments)])
    return DateSketch(**common, missing=int(np.isnan(moments).sum()), distinct=len(values.points), values=values)


def _text(series: pd.Series, common: dict[str, Any], hashes: RowHashes | None) -> ColumnSketch:
    import pandas as pd

    missing = series.isna().to_numpy()
    strings = series if isinstance(series.dtype, pd.StringDtype) else series.map(str, na_action="ignore")
    texts = strings.astype(object).to_numpy()
    if hashes is not None:
        hashes.add_texts(common["name"], texts)
    positions = _sample(np.flatnonzero(~missing), MAX_POINTS)
    rows = [hash_words(texts[position]) for position in positions]
    kept, others = _split(rows)
    vocabulary, repeated = vocabulary_of(others or kept)
    if others:  # the vocabulary is that of other rows already, for these rows as for those of a batch
        repeated = np.ones_like(repeated)
    chosen = sorted(row[:MAX_WORDS] for row in kept)
    return TextSketch(
        **common,
        missing=int(missing.sum()),
        distinct=len({tuple(row) for row in rows}),
        lengths=QuantilePoints.of(np.array([len(row) for row in rows], dtype=np.float64)),
        words=np.array([word for row in chosen for word in row], dtype=np.uint32),
        starts=np.cumsum([0, *(len(row) for row in chosen)]).astype(np.int64),
        vocabulary=vocabulary,
        repeated=repeated,
    )


def _split(rows: list[list[int]]) -> tuple[list[list[int]], list[list[int]]]:
    """Return the rows whose words are kept, and those that the vocabulary is of; none where that is of the same rows.

    Of rows with more words than a vocabulary keeps, words of one row are cut off from it, and would count as unknown in
    a batch although the reference has them: then it is that of other rows.
    """
    if len(rows) <= MAX_TEXTS and len({word for row in rows for word in row}) <= MAX_VOCABULARY:
        return rows, []
    order = np.random.default_rng(0).permutation(len(rows))
    count = min(MAX_TEXTS, len(rows) // 2)
    return [rows[index] for index in order[:count]], [rows[index] for index in order[count:]]


def _sample(positions: NDArray[np.intp], limit: int) -> NDArray[np.intp]:
    if len(positions) <= limit:
        return positions
    return np.sort(np.random.default_rng(0).choice(positions, limit, replace=False))


def _identifier(series: pd.Series, common: dict[str, Any], hashes: RowHashes | None) -> ColumnSketch:
    try:
        distinct = int(series.nunique())
    except TypeError:  # lists and the like, which have no hash
        distinct = int(series.map(str, na_action="ignore").nunique())
    return IdSketch(**common, missing=int(series.isna().sum()), distinct=distinct)


def _empty(series: pd.Series, common: dict[str, Any], hashes: RowHashes | None) -> ColumnSketch:
    return EmptySketch(**common, missing=len(series), distinct=0)


_SKETCHERS: dict[ColumnType, Callable[[pd.Series, dict[str, Any], RowHashes | None], ColumnSketch]] = {
    "number": _number,
    "category": _category,
    "date": _date,
    "text": _text,
    "id": _identifier,
    "empty": _empty,
}
