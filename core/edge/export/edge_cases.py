"""Rows made up to be hard: what an export gets wrong hides where the data at hand has no rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.edge.export.metadata import Column

if TYPE_CHECKING:
    import onnx
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["edge_cases", "tree_thresholds"]

_BASES = 3
_MOST_THRESHOLDS = 1_000
_NUMBERS = (0.0, -0.0, 1e30, -1e30, 1e39, -1e39, np.inf, -np.inf)  # those beyond 3.4e38 are missing
_TEXTS = ("", " ", "a value that was never there", "Größe 大小 🙂", "nan", "(missing)")
_WORDS = (*_TEXTS, "?! ", "İSTANBUL ΌΣΟΣ ﬁn ǅ straße", "e\u0301 a\u200db x_y 1.5 ١٢", "a\u00a0b\nc\x00d")
_DATES = (
    "0001-01-01",
    "1899-12-31T23:59:59",
    "1900-03-01",
    "1969-12-31T23:59:59",
    "1970-01-01",
    "2000-02-29T12:00:00",
    "2024-12-31T23:59:59",
    "2100-02-28",
    "2400-02-29",
    "9999-12-31T23:59:59",
)


def edge_cases(
    frame: pd.DataFrame, columns: Sequence[Column], thresholds: Mapping[str, NDArray[np.float32]]
) -> tuple[pd.DataFrame, list[str]]:
    """Make rows from a few of a table's: one cell changed in each, to what is hard.

    Parameters
    ----------
    frame : DataFrame
        Rows of the training.
    columns : sequence of Column
        Those of the model.
    thresholds : mapping
        For number columns the values that trees split at; at most 1,000 in all, evenly chosen, are tried, with the
        next float32 below and above each.

    Returns
    -------
    rows : DataFrame
        With the model's columns.
    names : list of str
        What each row is about.
    """
    import pandas as pd

    bases = frame.iloc[np.unique(np.linspace(0, len(frame) - 1, min(_BASES, len(frame))).astype(int))]
    changes: list[tuple[Column | None, Any, str]] = [(None, None, "all columns missing")]
    for column in columns:
        changes.append((column, None, f"'{column.name}' missing"))
        changes += [(column, value, f"'{column.name}' is {value!r:.60}") for value in _values(column)]
    on_base = [(place, *change) for change in changes for place in range(len(bases))]
    splits = [(column, float(value)) for column in columns for value in thresholds.get(column.name, ())]
    step = max(1, -(-len(splits) // _MOST_THRESHOLDS))
    for turn, (column, value) in enumerate(splits[::step]):
        near = np.nextafter(np.float32(value), np.array([-np.inf, np.inf], dtype=np.float32))
        on_base += [
            (turn % len(bases), column, float(each), f"'{column.name}' is {float(each)!r}, a threshold")
            for each in (near[0], value, near[1])
        ]

    places = [place for place, *_ in on_base]
    made: dict[str, pd.Series] = {}
    for column in columns:
        cells = _loose(bases[column.name], column.kind).iloc[places].reset_index(drop=True)
        own = [row for row, (_, changed, *_) in enumerate(on_base) if changed is column or changed is None]
        cells.iloc[own] = pd.Series([on_base[row][2] for row in own], dtype=cells.dtype).to_numpy()
        made[column.name] = cells
    return pd.DataFrame(made), [name for *_, name in on_base]


def _values(column: Column) -> Sequence[Any]:
    import pandas as pd

    if column.kind == "number":
        return _NUMBERS
    if column.kind == "boolean":
        return (0.0, 1.0)
    if column.kind == "text":
        words = " ".join(column.vocabulary)
        return (*_WORDS, words, words.upper(), f"{column.vocabulary[0]} " * 1_000 + words)
    return _TEXTS if column.kind == "category" else [pd.Timestamp(each).as_unit("s") for each in _DATES]


def _loose(cells: pd.Series, kind: str) -> pd.Series:
    """Return cells in a type that holds whatever they are changed to."""
    import pandas as pd

    from core.features import as_dates

    if kind in ("category", "text"):
        return cells.astype(object)
    if kind == "date":
        return as_dates(cells).dt.tz_localize(None).astype("datetime64[s]")
    return pd.Series(pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float, na_value=np.nan))


def tree_thresholds(model: onnx.ModelProto, names: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Return the values that the trees of a model split its first features at.

    Parameters
    ----------
    model : ModelProto
        Its trees are nodes ``TreeEnsembleClassifier`` and ``TreeEnsembleRegressor``.
    names : sequence of str
        The first features; others are left out.

    Returns
    -------
    dict of array
        Sorted values by name; empty of a model without trees.
    """
    found: dict[str, set[float]] = {name: set() for name in names}
    for node in model.graph.node:
        if not node.op_type.startswith("TreeEnsemble"):
            continue
        parts = {each.name: each for each in node.attribute}
        modes = parts["nodes_modes"].strings
        for mode, place, value in zip(modes, parts["nodes_featureids"].ints, parts["nodes_values"].floats, strict=True):
            if mode != b"LEAF" and place < len(names):
                found[names[place]].add(value)
    return {name: np.array(sorted(values), dtype=np.float32) for name, values in found.items() if values}
