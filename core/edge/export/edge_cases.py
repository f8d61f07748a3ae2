"""Rows made up to be hard: errors of an export hide where the data at hand has no rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, Union

import numpy as np

from core.edge.export.metadata import Column

if TYPE_CHECKING:
    import onnx
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["edge_cases", "tree_thresholds"]

Cell: TypeAlias = Union[float, str, "pd.Timestamp", None]

_BASES = 3
_MAX_THRESHOLDS = 1_000
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
    """Make rows from a few rows of a table, with one cell in each changed to a hard value.

    Parameters
    ----------
    frame : DataFrame
        Training rows.
    columns : sequence of Column
        Columns of the model.
    thresholds : mapping
        Values that trees split number columns at, less the column's center; at most 1,000 in all, evenly chosen, are
        used, each with the next float32 below and above it.

    Returns
    -------
    rows : DataFrame
        Rows with the model's columns.
    names : list of str
        Description of each row.
    """
    import pandas as pd

    bases = frame.iloc[np.unique(np.linspace(0, len(frame) - 1, min(_BASES, len(frame))).astype(int))]
    changes: list[tuple[Column | None, Cell, str]] = [(None, None, "all columns missing")]
    for column in columns:
        changes.append((column, None, f"'{column.name}' missing"))
        changes += [(column, value, f"'{column.name}' is {value!r:.60}") for value in _values(column)]
    changed = [(base, *change) for change in changes for base in range(len(bases))]
    splits = [(column, float(value)) for column in columns for value in thresholds.get(column.name, ())]
    step = max(1, -(-len(splits) // _MAX_THRESHOLDS))
    for turn, (column, value) in enumerate(splits[::step]):
        near = np.nextafter(np.float32(value), np.array([-np.inf, np.inf], dtype=np.float32))
        cells = [float(cell) + (column.center or 0.0) for cell in (near[0], value, near[1])]
        changed += [(turn % len(bases), column, cell, f"'{column.name}' is {cell!r}, a threshold") for cell in cells]

    positions = [base for base, *_ in changed]
    made: dict[str, pd.Series] = {}
    for column in columns:
        cells = _loose(bases[column.name], column.kind).iloc[positions].reset_index(drop=True)
        own = [row for row, (_, target, *_) in enumerate(changed) if target is column or target is None]
        cells.iloc[own] = pd.Series([changed[row][2] for row in own], dtype=cells.dtype).to_numpy()
        made[column.name] = cells
    return pd.DataFrame(made), [name for *_, name in changed]


def _values(column: Column) -> Sequence[Cell]:
    import pandas as pd

    if column.kind == "number":
        return _NUMBERS
    if column.kind == "boolean":
        return (0.0, 1.0)
    if column.kind == "text":
        words = " ".join(column.vocabulary)
        return (*_WORDS, words, words.upper(), f"{column.vocabulary[0]} " * 1_000 + words)
    return _TEXTS if column.kind == "category" else [pd.Timestamp(date).as_unit("s") for date in _DATES]


def _loose(cells: pd.Series, kind: str) -> pd.Series:
    """Return cells in a type that holds every value they are changed to."""
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
        A model; its trees are nodes ``TreeEnsembleClassifier`` and ``TreeEnsembleRegressor``.
    names : sequence of str
        Names of the first features; others are left out.

    Returns
    -------
    dict of array
        Sorted values by name; empty for a model without trees.
    """
    thresholds: dict[str, set[float]] = {name: set() for name in names}
    for node in model.graph.node:
        if not node.op_type.startswith("TreeEnsemble"):
            continue
        attributes = {attribute.name: attribute for attribute in node.attribute}
        modes, features = attributes["nodes_modes"].strings, attributes["nodes_featureids"].ints
        for mode, feature, value in zip(modes, features, attributes["nodes_values"].floats, strict=True):
            if mode != b"LEAF" and feature < len(names):
                thresholds[names[feature]].add(value)
    return {name: np.array(sorted(values), dtype=np.float32) for name, values in thresholds.items() if values}
