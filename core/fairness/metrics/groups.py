"""Groups of rows: one code per row, whatever the columns hold. Missing is a group of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from pandas.api import types

from core.datasets import whole_numbers
from core.errors import InputError
from core.fairness.metrics.arrays import Column, Columns, IndexArray, Label
from core.fairness.metrics.bins import BinRange, bin_ranges

__all__ = ["MAX_GROUPS", "MISSING", "Grouping", "group_rows", "is_missing", "label_text"]

MISSING = "(missing)"
MAX_GROUPS = 1_000


@dataclass(frozen=True)
class Grouping:
    """The groups of a table's rows.

    Parameters
    ----------
    codes : array of shape (n,)
        Group of each row.
    labels : Index
        Label of each group; a MultiIndex with several columns, those of the control features first.
    controls : int, default=0
        Number of levels of the index that are control features.
    bins : dict of tuple of BinRange, default={}
        Bins of the columns whose groups are bins of numbers.
    """

    codes: IndexArray
    labels: pd.Index
    controls: int = 0
    bins: dict[str, tuple[BinRange, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def levels(self) -> tuple[IndexArray, pd.Index | None]:
        """Control level of each group, and the labels of the levels; one level without a label when there is none."""
        if not self.controls:
            return np.zeros(len(self), dtype=np.intp), None
        drop = list(range(self.controls, self.labels.nlevels))
        codes, labels = pd.factorize(self.labels.droplevel(drop))
        return codes.astype(np.intp), labels


def label_text(label: Label) -> str:
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


def is_missing(label: Label) -> bool:
    """Return whether a group is of rows without a value of one of its columns.

    Examples
    --------
    >>> is_missing("(missing)"), is_missing(("F", "(missing)")), is_missing("F")
    (True, True, False)
    """
    return any(label_text(part) == MISSING for part in (label if isinstance(label, tuple) else (label,)))


def _refuse_duplicates(names: list[str]) -> None:
    duplicates = sorted({name for name in names if names.count(name) > 1})
    if duplicates:
        raise InputError(f"Several columns are named '{duplicates[0]}'.", "Give each column its own name.")


def _columns_by_name(features: Columns, prefix: str) -> dict[str, Column]:
    """Return the columns by name, whatever they came in."""
    if isinstance(features, pd.DataFrame):
        _refuse_duplicates([str(name) for name in features.columns])
        return {str(name): features.iloc[:, index] for index, name in enumerate(features.columns)}
    if isinstance(features, Mapping):
        return {str(name): values for name, values in features.items()}
    if isinstance(features, pd.Series):
        return {f"{prefix}_0" if features.name is None else str(features.name): features}
    if isinstance(features, list) and features and all(isinstance(row, list | tuple) for row in features):
        return {f"{prefix}_{index}": values for index, values in pd.DataFrame(features).items()}
    typed = isinstance(features, np.ndarray | pd.Categorical)
    array = features if typed else pd.Series(list(features))
    if isinstance(array, np.ndarray) and array.ndim == 2:
        return {f"{prefix}_{index}": array[:, index] for index in range(array.shape[1])}
    return {f"{prefix}_0": array}


def _sorted_positions(labels: list[Label]) -> list[int]:
    """Return the order of labels of possibly several types: numbers first, then texts."""

    def key(position: int) -> tuple[bool, str, Label]:
        label = labels[position]
        is_number = isinstance(label, int | float | bool)
        return not is_number, type(label).__name__ if isinstance(label, str) else "", label

    try:
        return sorted(range(len(labels)), key=key)
    except TypeError:
        return sorted(range(len(labels)), key=lambda position: (str(type(labels[position])), str(labels[position])))


def _encode(values: Column) -> tuple[IndexArray, list[Label]]:
    """Return codes and labels of one column, labels sorted, missing last."""
    series = values if isinstance(values, pd.Series) else pd.Series(values)
    if isinstance(series.dtype, pd.CategoricalDtype):
        codes, labels = _used_categories(series)
        order = list(range(len(labels)))
    else:
        if types.is_bool_dtype(series.dtype) and not series.hasnans:
            series = series.astype(bool)
        series = whole_numbers(series)  # 1, not 1.0, beside missing cells
        try:
            codes, uniques = pd.factorize(series)
        except TypeError as error:
            raise InputError(f"The values do not make groups ({error}).", "Give one text or number per row.") from error
        labels = pd.Index(uniques).tolist()
        order = _sorted_positions(labels)
    if len(labels) > MAX_GROUPS * 10:
        raise InputError(
            f"The column has {len(labels):,} different values, too many to be groups.",
            "Choose a column with fewer values, or bin its numbers.",
        )
    # Labels that read the same are one group: 1 and "1", a text "(missing)" and a value that is missing.
    kept: list[Label] = []
    code_of: dict[str, int] = {}
    ranks = np.empty(len(labels) + 1, dtype=np.intp)
    for position in order:
        text = label_text(labels[position])
        if text != MISSING and text not in code_of:
            code_of[text] = len(kept)
            kept.append(labels[position])
        ranks[position] = code_of.get(text, -1)
    ranks[-1] = -1
    ranks[ranks < 0] = len(kept)
    return ranks[codes], [*kept, MISSING]


def _used_categories(series: pd.Series) -> tuple[IndexArray, list[Label]]:
    """Return codes and labels of the categories that have rows; of bins all, which are few and follow each other."""
    codes, labels = series.cat.codes.to_numpy().astype(np.intp), series.cat.categories.tolist()
    used = np.bincount(codes + 1, minlength=len(labels) + 1)[1:] > 0
    if used.all() or bin_ranges(labels):
        return codes, labels
    position = np.append(np.cumsum(used) - 1, -1)  # the last is for missing cells, whose code is -1
    return position[codes], [label for label, has_rows in zip(labels, used, strict=True) if has_rows]


def group_rows(sensitive: Columns, control: Columns | None = None, *, rows: int | None = None) -> Grouping:
    """Return the groups that the rows make; a group without rows does not appear.

    Parameters
    ----------
    sensitive : array-like, Series, DataFrame or mapping of shape (n,) or (n, columns)
        Sensitive features; several columns are intersected.
    control : array-like, Series, DataFrame or mapping, optional
        Control features, within whose levels the groups are compared.
    rows : int, optional
        Number of rows that each column must have.

    Raises
    ------
    InputError
        When lengths differ, or there are too many groups to compare.

    Examples
    --------
    >>> group_rows(["b", None, "a", "b"]).labels.tolist()
    ['a', 'b', '(missing)']
    """
    controls = {} if control is None else _columns_by_name(control, "control_feature")
    columns = [*controls.items(), *_columns_by_name(sensitive, "sensitive_feature").items()]
    if len(columns) == len(controls):
        raise InputError("No sensitive column was given.", "Choose at least one.")
    _refuse_duplicates([name for name, _ in columns])
    encoded = []
    for name, values in columns:
        if rows is not None and len(values) != rows:
            raise InputError(f"'{name}' has {len(values):,} rows, the labels have {rows:,}.", "Give one value per row.")
        encoded.append(_encode(values))
    sizes = [len(labels) for _, labels in encoded]
    codes, present = _intersect([codes for codes, _ in encoded], sizes)
    if len(present) > MAX_GROUPS:
        raise InputError(
            f"{' and '.join(repr(name) for name, _ in columns)} make {len(present):,} groups; "
            f"at most {MAX_GROUPS:,} can be compared.",
            "Choose columns with fewer values, or bin numbers.",
        )
    parts = np.unravel_index(present, sizes)
    levels = [
        pd.Index([labels[code] for code in part], dtype=object)
        for part, (_, labels) in zip(parts, encoded, strict=True)
    ]
    names = [name for name, _ in columns]
    index = levels[0].rename(names[0]) if len(levels) == 1 else pd.MultiIndex.from_arrays(levels, names=names)
    bins = {name: ranges for name, (_, labels) in zip(names, encoded, strict=True) if (ranges := bin_ranges(labels))}
    return Grouping(codes.astype(np.intp, copy=False), index, len(controls), bins)


def _intersect(codes: list[IndexArray], sizes: list[int]) -> tuple[IndexArray, IndexArray]:
    """Return one code per row for the combination of columns, and which of all combinations have rows."""
    if np.prod([float(size) for size in sizes]) > 2**62:
        raise InputError("The columns make too many groups.", "Choose fewer columns, or bin numbers.")
    combined = codes[0]
    for other, size in zip(codes[1:], sizes[1:], strict=True):
        combined = combined * size + other
    space = int(np.prod(sizes))
    if space > 4 * MAX_GROUPS:
        combined, present = pd.factorize(combined, sort=True)
        return combined, present
    present = np.flatnonzero(np.bincount(combined, minlength=space))
    group_of = np.zeros(space, dtype=np.intp)
    group_of[present] = np.arange(len(present))
    return group_of[combined], present
