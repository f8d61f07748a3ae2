"""Which encoded columns a raw column became: figures of encoded columns are summed to what people know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["encoded_places"]


def _inputs(transformer: Any, names: list[str], width: int) -> list[str] | None:
    """Return the input of each output of a fitted transformer; None where that cannot be told."""
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder

    if len(names) == 1:
        return names * width
    found: list[str] = []
    if isinstance(transformer, OneHotEncoder):
        for name, values in zip(names, transformer.categories_, strict=True):
            found += [name] * len(values)
    elif isinstance(transformer, SimpleImputer):
        known = np.array([isinstance(value, str) or value == value for value in transformer.statistics_])
        found = [name for name, kept in zip(names, known, strict=True) if kept or transformer.keep_empty_features]
        if transformer.add_indicator:
            found += [names[place] for place in transformer.indicator_.features_]
    else:
        found = names
    return found if len(found) == width else None


def encoded_places(encoder: Any, columns: Sequence[str]) -> list[NDArray[np.intp]] | None:
    """Return the places of each raw column's encoded columns.

    Parameters
    ----------
    encoder : fitted transformer
        Made of a ``ColumnTransformer`` named ``encoder_``, as `TableEncoder` is. Its inputs are raw columns, or parts
        of one, named ``"column: part"``.
    columns : sequence of str
        The raw columns.

    Returns
    -------
    list of array of int, or None
        In the order of `columns`; together they are all places, each once. None when the encoder is of another make.

    Examples
    --------
    >>> import pandas as pd
    >>> from core.features._encoder import TableEncoder
    >>> frame = pd.DataFrame({"job": ["a", "b", "a"], "age": [20.0, None, 40.0]})
    >>> [places.tolist() for places in encoded_places(TableEncoder().fit(frame), ["job", "age"])]
    [[2, 3], [0, 1]]
    """
    parts = getattr(encoder, "encoder_", None)
    if parts is None or not hasattr(parts, "output_indices_"):
        return None
    raw = {str(name): place for place, name in enumerate(columns)}
    owners: dict[int, int] = {}
    for name, transformer, used in parts.transformers_:
        where = parts.output_indices_[name]
        width = where.stop - where.start
        if not width:
            continue
        inputs = _inputs(transformer, [used] if isinstance(used, str) else [str(each) for each in used], width)
        if inputs is None:
            return None
        for place, each in zip(range(where.start, where.stop), inputs, strict=True):
            # The longest name wins: "date: year" may be a column of its own beside "date".
            owner = each if each in raw else max((n for n in raw if each.startswith(f"{n}: ")), key=len, default=None)
            if owner is None:
                return None
            owners[place] = raw[owner]
    order = [owners.get(place) for place in range(len(owners))]
    if None in order:
        return None
    return [np.flatnonzero(np.array(order) == place) for place in range(len(raw))]
