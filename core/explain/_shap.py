"""SHAP values as they are kept: by row, raw column and class, in a space that has a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import InputError
from core.explain._subject import Array
from core.features import as_categories

__all__ = ["ShapValues", "summarise"]

RESAMPLES = 500


@dataclass(frozen=True)
class ShapValues:
    """SHAP values of some rows.

    Parameters
    ----------
    method, space : str
        How they were made, and what they add up to: log-odds, margin (before the softmax), probability, prediction.
    features, classes : list of str
        Raw columns, and the outputs that are explained: the positive class of two, or "prediction".
    base : array of shape (k,)
        What each class starts from.
    values : array of shape (n, features, k)
        A row's values and the base add up to the model's output in the space.
    row_id : array of shape (n,)
        Positions in the table.
    data : DataFrame of shape (n, features)
        The cells.
    error : float
        Largest distance between a sum and the model's own output, as measured.
    """

    method: str
    space: str
    features: list[str]
    classes: list[str]
    base: Array
    values: Array
    row_id: NDArray[np.intp]
    data: pd.DataFrame
    error: float

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def outputs(self) -> Array:
        """What the values add up to, shape (n, k)."""
        return np.asarray(self.base + self.values.sum(axis=1))

    def place(self, name: str | None) -> int:
        """Return the place of a class; the only one by default.

        Raises
        ------
        InputError
            When there is no such class, or several and none is named.
        """
        if name is None and len(self.classes) == 1:
            return 0
        if name not in self.classes:
            raise InputError(
                f"There are no values of the class {name!r}.", f"Choose one of {', '.join(map(repr, self.classes))}."
            )
        return self.classes.index(name)

    def table(self) -> pd.DataFrame:
        """Return all as a table of one line a row and class: row_id, class, output, then cells and SHAP values.

        The columns of a feature ``x`` are ``value: x`` and ``shap: x``.
        """
        parts = []
        cells = {f"value: {name}": _storable(self.data[name]) for name in self.features}
        for code, name in enumerate(self.classes):
            columns: dict[str, Any] = {"row_id": self.row_id, "class": name, "output": self.outputs[:, code]}
            columns |= cells | {f"shap: {each}": self.values[:, i, code] for i, each in enumerate(self.features)}
            parts.append(pd.DataFrame(columns))
        return pd.concat(parts, ignore_index=True)

    def to_dict(self) -> dict[str, Any]:
        """Return what the table does not have."""
        return {
            "method": self.method,
            "space": self.space,
            "features": self.features,
            "classes": self.classes,
            "base": self.base.tolist(),
            "n": len(self),
            "error": self.error,
        }

    @classmethod
    def from_table(cls, found: Mapping[str, Any], table: pd.DataFrame) -> ShapValues:
        """Read what `to_dict` and `table` gave."""
        features, classes = list(found["features"]), list(found["classes"])
        n = int(found["n"])
        shap = table[[f"shap: {name}" for name in features]].to_numpy(dtype=float)
        cells = table[[f"value: {name}" for name in features]].iloc[:n].reset_index(drop=True)
        return cls(
            found["method"],
            found["space"],
            features,
            classes,
            np.array(found["base"], dtype=float),
            shap.reshape(len(classes), n, len(features)).transpose(1, 2, 0),
            table["row_id"].to_numpy()[:n],
            cells.set_axis(features, axis=1),
            float(found["error"]),
        )


def _storable(column: pd.Series) -> pd.Series:
    """Return a column that Parquet takes: objects of several types become text."""
    column = column.reset_index(drop=True)
    if column.dtype != object or column.dropna().map(type).nunique() < 2:
        return column
    return as_categories(column).where(column.notna())


def _mean(values: Array, weights: Array) -> tuple[Array, Array, Array]:
    """Return means over rows and their 95 % bootstrap intervals; weights (resamples, n), values (n, ...)."""
    flat = values.reshape(len(values), -1)
    drawn = weights @ flat / len(values)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    shape = values.shape[1:]
    return values.mean(axis=0), low.reshape(shape), high.reshape(shape)


def summarise(shap: ShapValues, groups: Mapping[str, pd.Series], *, seed: int = 0) -> pd.DataFrame:
    """Return how much each column moves the output, over all rows and within each group.

    Parameters
    ----------
    shap : ShapValues
        Of n rows.
    groups : mapping of Series of shape (n,)
        The group of each row by sensitive column.

    Returns
    -------
    DataFrame
        column, group (both missing over all rows), class, feature, importance (the mean of \\|SHAP\\|), low, high,
        direction (the mean of SHAP: which way the column moves this group), n. A group of few rows (fairness' smallest
        group) has no low and high: resamples of a row or two say nothing of the rows that were not drawn.
    """
    from core.fairness import MIN_GROUP_SIZE, label_text

    random = np.random.default_rng(seed)
    parts: list[tuple[str | None, str | None, NDArray[np.bool_]]] = [(None, None, np.ones(len(shap), dtype=bool))]
    for name, each in groups.items():
        labels = each.astype(object).map(label_text)
        parts += [(name, label, (labels == label).to_numpy()) for label in sorted(labels.unique())]
    lines = []
    for column, group, mask in parts:
        values = shap.values[mask]
        n = len(values)
        weights = random.multinomial(n, np.full(n, 1 / n), size=RESAMPLES).astype(float)
        size, low, high = _mean(np.abs(values), weights)
        if group is not None and n < MIN_GROUP_SIZE:
            low, high = np.full_like(low, np.nan), np.full_like(high, np.nan)
        direction = values.mean(axis=0)
        for code, label in enumerate(shap.classes):
            for i, feature in enumerate(shap.features):
                figures = (size[i, code], low[i, code], high[i, code], direction[i, code])
                lines.append((column, group, label, feature, *(float(figure) for figure in figures), n))
    names = ["column", "group", "class", "feature", "importance", "low", "high", "direction", "n"]
    return pd.DataFrame(lines, columns=names)
