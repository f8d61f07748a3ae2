"""Who is in which group: one code a row, whatever the columns hold. Missing is a group of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from core.errors import InputError, SettingsError

__all__ = ["MAX_GROUPS", "MISSING", "Grouping", "as_groups", "bin_numbers", "group_rows", "label_text"]

MISSING = "(missing)"
MAX_GROUPS = 1_000


@dataclass(frozen=True)
class Grouping:
    """The groups of a table's rows.

    Parameters
    ----------
    codes : array of shape (n,)
        The row's group.
    labels : Index
        A label a group; a MultiIndex with several columns, those of the control features first.
    controls : int
        How many of the index's levels are control features.
    """

    codes: NDArray[np.intp]
    labels: pd.Index
    controls: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def levels(self) -> tuple[NDArray[np.intp], pd.Index | None]:
        """The control level of each group, and the levels' labels; one level without a label when there is none."""
        if not self.controls:
            return np.zeros(len(self), dtype=np.intp), None
        drop = list(range(self.controls, self.labels.nlevels))
        codes, labels = pd.factorize(self.labels.droplevel(drop))
        return codes.astype(np.intp), labels


def label_text(label: Any) -> str:
    """Return a group's label as text, the same for 1, 1.0 and "1": files and databases change the type.

    Examples
    --------
    >>> label_text(1.0), label_text("1"), label_text(None), label_text(("F", 30))
    ('1', '1', '(missing)', 'F, 30')
    """
    if isinstance(label, tuple):
        return ", ".join(label_text(part) for part in label)
    if label is None or (not isinstance(label, str) and pd.isna(label)):
        return MISSING
    if isinstance(label, float | np.floating) and float(label).is_integer():
        return str(int(label))
    return str(label)


def bin_numbers(values: Any, bins: int | Sequence[float] = 4) -> pd.Series:
    """Turn numbers into groups: so many of about equal size, or between given edges.

    Parameters
    ----------
    values : array-like of shape (n,)
        Numbers; missing ones stay missing.
    bins : int or sequence of float
        Number of groups by quantiles, or the inner edges; a value equal to an edge is in the group above.

    Returns
    -------
    Series of shape (n,)
        An ordered category of labels such as ``"25 to 40"``.

    Examples
    --------
    >>> bin_numbers([19, 25, 33, 70], [25, 60]).tolist()
    ['below 25', '25 to 60', '25 to 60', '60 and above']
    """
    try:
        numbers = pd.to_numeric(pd.Series(values)).astype(float)
    except (ValueError, TypeError) as error:
        raise InputError(f"These are no numbers to bin ({error}).", "Choose a column of numbers.") from error
    if isinstance(bins, int):
        if bins < 2:
            raise SettingsError(f"{bins} bins make no groups.", "Use 2 or more.")
        known = np.unique(numbers.dropna())
        shares = np.linspace(0, 1, bins + 1)[1:-1]
        edges = np.unique(np.quantile(numbers.dropna(), shares)) if len(known) else known
        # An edge at the smallest value parts nothing off. When most rows have that value, it is one group.
        edges = edges[edges > known[0]] if len(known) else edges
        edges = known[1:2] if not len(edges) else edges
    else:
        edges = np.unique(np.asarray(bins, dtype=float))  # all of them: the names must not change with the rows
    if not len(edges):
        found = pd.Categorical(numbers.map(label_text, na_action="ignore"), ordered=True)
        return pd.Series(found, index=numbers.index, name=numbers.name)
    told = next(
        names for digits in range(6, 18) if len(set(names := [f"{edge:,.{digits}g}" for edge in edges])) == len(edges)
    )
    names = [
        f"below {told[0]}",
        *(f"{a} to {b}" for a, b in pairwise(told)),
        f"{told[-1]} and above",
    ]
    codes = np.where(numbers.notna(), np.searchsorted(edges, numbers.fillna(edges[0]), side="right"), -1)
    found = pd.Categorical.from_codes(codes, categories=names, ordered=True)
    return pd.Series(found, index=numbers.index, name=numbers.name)


def as_groups(column: pd.Series, bins: int = 4, *, most: int = 10) -> pd.Series:
    """Return a column as it is, or its numbers in bins when it has more than `most` different ones.

    Examples
    --------
    >>> as_groups(pd.Series([1, 2, 2])).tolist(), as_groups(pd.Series(range(100)), 2).nunique()
    ([1, 2, 2], 2)
    """
    numbers = types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype)
    return bin_numbers(column, bins) if numbers and column.nunique() > max(bins, most) else column


def _refuse_same(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"Several columns are named '{twice[0]}'.", "Give each column a name of its own, once.")


def _columns(features: Any, kind: str) -> dict[str, Any]:
    """Return the columns by name, whatever they came in."""
    if isinstance(features, pd.DataFrame):
        _refuse_same([str(name) for name in features.columns])
        return {str(name): features.iloc[:, place] for place, name in enumerate(features.columns)}
    if isinstance(features, Mapping):
        return {str(name): values for name, values in features.items()}
    if isinstance(features, pd.Series):
        return {f"{kind}_0" if features.name is None else str(features.name): features}
    if isinstance(features, list) and features and all(isinstance(row, list | tuple) for row in features):
        return {f"{kind}_{place}": values for place, values in pd.DataFrame(features).items()}
    typed = isinstance(features, np.ndarray | pd.Categorical)
    array = features if typed else pd.Series(list(features))
    if isinstance(array, np.ndarray) and array.ndim == 2:
        return {f"{kind}_{place}": array[:, place] for place in range(array.shape[1])}
    return {f"{kind}_0": array}


def _sorted(labels: list[Any]) -> list[int]:
    """Return the order of labels of possibly several types."""
    return sorted(
        range(len(labels)),
        key=lambda place: (
            not isinstance(labels[place], int | float | bool),
            type(labels[place]).__name__ if isinstance(labels[place], str) else "",
            labels[place],
        ),
    )


def _encode(values: Any) -> tuple[NDArray[np.intp], list[Any]]:
    """Return codes and labels of one column, labels sorted, missing last."""
    series = values if isinstance(values, pd.Series) else pd.Series(values)
    if isinstance(series.dtype, pd.CategoricalDtype):
        codes, labels = series.cat.codes.to_numpy().astype(np.intp), series.cat.categories.tolist()
        order = list(range(len(labels)))
    else:
        if types.is_bool_dtype(series.dtype) and not series.hasnans:
            series = series.astype(bool)
        try:
            codes, uniques = pd.factorize(series)
        except TypeError as error:
            raise InputError(f"The values make no groups ({error}).", "Give a text or a number a row.") from error
        labels = pd.Index(uniques).tolist()
        try:
            order = _sorted(labels)
        except TypeError:
            order = sorted(range(len(labels)), key=lambda place: (str(type(labels[place])), str(labels[place])))
    if len(labels) > MAX_GROUPS * 10:
        raise InputError(
            f"The column has {len(labels):,} different values: that makes no groups.",
            "Choose a column with fewer values, or bin its numbers.",
        )
    # Labels that read the same are one group: 1 and "1", a text "(missing)" and a value that is missing.
    kept: list[Any] = []
    place_of: dict[str, int] = {}
    ranks = np.empty(len(labels) + 1, dtype=np.intp)
    for place in order:
        text = label_text(labels[place])
        if text != MISSING and text not in place_of:
            place_of[text] = len(kept)
            kept.append(labels[place])
        ranks[place] = place_of.get(text, -1)
    ranks[-1] = -1
    ranks[ranks < 0] = len(kept)
    return ranks[codes], [*kept, MISSING]


def group_rows(sensitive: Any, control: Any = None, *, rows: int | None = None) -> Grouping:
    """Find the groups that the rows make; those that no row is in do not appear.

    Parameters
    ----------
    sensitive, control : array-like, Series, DataFrame or mapping of shape (n,) or (n, columns)
        Several columns are intersected.
    rows : int, optional
        How many rows there must be.

    Raises
    ------
    InputError
        When lengths differ, or there are too many groups to compare.

    Examples
    --------
    >>> group_rows(["b", None, "a", "b"]).labels.tolist()
    ['a', 'b', '(missing)']
    """
    controls = {} if control is None else _columns(control, "control_feature")
    columns = [*controls.items(), *_columns(sensitive, "sensitive_feature").items()]
    if len(columns) == len(controls):
        raise InputError("There is no sensitive column.", "Choose at least one.")
    _refuse_same([name for name, _ in columns])
    encoded = []
    for name, values in columns:
        if rows is not None and len(values) != rows:
            raise InputError(f"'{name}' has {len(values):,} rows, the labels have {rows:,}.", "Give one value a row.")
        encoded.append(_encode(values))
    codes, labels = encoded[0]
    sizes = [len(found) for _, found in encoded]
    if np.prod([float(size) for size in sizes]) > 2**62:
        raise InputError("The columns make too many groups.", "Choose fewer columns, or bin numbers.")
    for more, found in encoded[1:]:
        codes = codes * len(found) + more
    space = int(np.prod(sizes))
    if space <= 4 * MAX_GROUPS:
        present = np.flatnonzero(np.bincount(codes, minlength=space))
        place = np.zeros(space, dtype=np.intp)
        place[present] = np.arange(len(present))
        codes = place[codes]
    else:
        codes, present = pd.factorize(codes, sort=True)
    if len(present) > MAX_GROUPS:
        raise InputError(
            f"{' and '.join(repr(name) for name, _ in columns)} make {len(present):,} groups; "
            f"{MAX_GROUPS:,} is the most that can be compared.",
            "Choose columns with fewer values, or bin numbers.",
        )
    parts = np.unravel_index(present, sizes)
    names = [name for name, _ in columns]
    if len(columns) == 1:
        index = pd.Index([labels[place] for place in present], name=names[0], dtype=object)
    else:
        index = pd.MultiIndex.from_arrays(
            [
                pd.Index([found[place] for place in part], dtype=object)
                for part, (_, found) in zip(parts, encoded, strict=True)
            ],
            names=names,
        )
    return Grouping(codes.astype(np.intp, copy=False), index, len(controls))
