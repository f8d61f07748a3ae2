"""The encoded columns of each raw column: values of encoded columns are summed by the raw column they came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.base import TransformerMixin

__all__ = ["encoded_columns"]


def _inputs(transformer: TransformerMixin, names: list[str], width: int) -> list[str] | None:
    """Return the input of each output of a fitted transformer; None where it is unknown."""
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder

    if len(names) == 1:
        return names * width
    if isinstance(transformer, OneHotEncoder):
        inputs = [name for name, values in zip(names, transformer.categories_, strict=True) for _ in range(len(values))]
    elif isinstance(transformer, SimpleImputer):
        known = np.array([isinstance(value, str) or value == value for value in transformer.statistics_])
        inputs = [name for name, kept in zip(names, known, strict=True) if kept or transformer.keep_empty_features]
        if transformer.add_indicator:
            inputs += [names[index] for index in transformer.indicator_.features_]
    else:
        inputs = names
    return inputs if len(inputs) == width else None


def encoded_columns(encoder: TransformerMixin, columns: Sequence[str]) -> list[NDArray[np.intp]] | None:
    """Return the positions of each raw column's encoded columns.

    Parameters
    ----------
    encoder : fitted transformer
        A `TableEncoder`, or another one with a ``ColumnTransformer`` named ``encoder_``. Its inputs are raw columns, or
        parts of one, named ``"column: part"``.
    columns : sequence of str
        The raw columns.

    Returns
    -------
    list of array of int, or None
        Positions in the order of `columns`; together they are all positions, each once. None when the encoder is of
        another type.

    Examples
    --------
    >>> import pandas as pd
    >>> from core.features import TableEncoder
    >>> frame = pd.DataFrame({"job": ["a", "b", "a"], "age": [20.0, None, 40.0]})
    >>> [positions.tolist() for positions in encoded_columns(TableEncoder().fit(frame), ["job", "age"])]
    [[2, 3], [0, 1]]
    """
    parts = getattr(encoder, "encoder_", None)
    if parts is None or not hasattr(parts, "output_indices_"):
        return None
    raw = {str(name): index for index, name in enumerate(columns)}
    owners: dict[int, int] = {}
    for name, transformer, used in parts.transformers_:
        positions = parts.output_indices_[name]
        width = positions.stop - positions.start
        if not width:
            continue
        inputs = _inputs(transformer, [used] if isinstance(used, str) else [str(column) for column in used], width)
        if inputs is None:
            return None
        for position, column in zip(range(positions.start, positions.stop), inputs, strict=True):
            owner = _raw_column(column, raw)
            if owner is None:
                return None
            owners[position] = raw[owner]
    order = [owners.get(position) for position in range(len(owners))]
    if None in order:
        return None
    return [np.flatnonzero(np.array(order) == index) for index in range(len(raw))]


def _raw_column(column: str, raw: dict[str, int]) -> str | None:
    """Return the raw column of an encoder's input; the longest name wins, as "date: year" may be one besides "date"."""
    if column in raw:
        return column
    return max((name for name in raw if column.startswith(f"{name}: ")), key=len, default=None)
