"""SHAP values by row, raw column and class, in a named space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel

from core.errors import InputError
from core.explain.explained_model import Array, IndexArray
from core.features import as_categories

__all__ = ["ShapSummary", "ShapValues", "summarize"]

_RESAMPLES = 500


class ShapSummary(BaseModel):
    """The part of `ShapValues` that its table does not hold."""

    method: str
    space: str
    features: list[str]
    classes: list[str]
    base: list[float]
    n: int
    error: float


@dataclass(frozen=True)
class ShapValues:
    """SHAP values of some rows.

    Parameters
    ----------
    method, space : str
        Method, and the space in which the values add up: log-odds, margin (before the softmax), probability,
        prediction.
    features, classes : list of str
        Raw columns, and the outputs that are explained: the positive class of two, or "prediction".
    base : array of shape (k,)
        Value that each class starts from.
    values : array of shape (n, features, k)
        SHAP values. A row's values and the base add up to the model's output in the space.
    row_id : array of shape (n,)
        Positions in the table.
    data : DataFrame of shape (n, features)
        The cells.
    error : float
        Largest measured distance between a sum and the model's own output.
    """

    method: str
    space: str
    features: list[str]
    classes: list[str]
    base: Array
    values: Array
    row_id: IndexArray
    data: pd.DataFrame
    error: float

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def outputs(self) -> Array:
        """Sums of base and values, shape (n, k)."""
        return np.asarray(self.base + self.values.sum(axis=1))

    def class_index(self, name: str | None) -> int:
        """Return the position of a class; that of the only one by default.

        Raises
        ------
        InputError
            When the class is unknown, or there are several and none is named.
        """
        if name is None and len(self.classes) == 1:
            return 0
        if name not in self.classes:
            raise InputError(f"Unknown class {name!r}.", f"Choose one of {', '.join(map(repr, self.classes))}.")
        return self.classes.index(name)

    def of_rows(self, row_ids: IndexArray) -> ShapValues:
        """Return the values of the rows at these positions in the table, as far as they were explained."""
        inside = np.isin(self.row_id, row_ids)
        return replace(
            self, values=self.values[inside], row_id=self.row_id[inside], data=self.data[inside].reset_index(drop=True)
        )

    def table(self) -> pd.DataFrame:
        """Return a table with one line per row and class: row_id, class, output, then cells and SHAP values.

        The columns of a feature ``x`` are ``value: x`` and ``shap: x``.
        """
        parts = []
        cells = {f"value: {name}": _storable(self.data[name]) for name in self.features}
        for code, name in enumerate(self.classes):
            columns = {"row_id": self.row_id, "class": name, "output": self.outputs[:, code]} | cells
            columns |= {f"shap: {feature}": self.values[:, i, code] for i, feature in enumerate(self.features)}
            parts.append(pd.DataFrame(columns))
        return pd.concat(parts, ignore_index=True)

    @property
    def summary(self) -> ShapSummary:
        """What the table does not hold."""
        return ShapSummary(
            method=self.method,
            space=self.space,
            features=self.features,
            classes=self.classes,
            base=self.base.tolist(),
            n=len(self),
            error=self.error,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what the table does not hold as JSON-serializable values."""
        return self.summary.model_dump()

    @classmethod
    def from_table(cls, summary: ShapSummary | Mapping[str, Any], table: pd.DataFrame) -> ShapValues:
        """Read what `to_dict` and `table` returned."""
        stored = ShapSummary.model_validate(summary)
        features, classes, n = stored.features, stored.classes, stored.n
        shap = table[[f"shap: {name}" for name in features]].to_numpy(dtype=float)
        cells = table[[f"value: {name}" for name in features]].iloc[:n].reset_index(drop=True)
        return cls(
            method=stored.method,
            space=stored.space,
            features=features,
            classes=classes,
            base=np.array(stored.base, dtype=float),
            values=shap.reshape(len(classes), n, len(features)).transpose(1, 2, 0),
            row_id=table["row_id"].to_numpy()[:n],
            data=cells.set_axis(features, axis=1),
            error=stored.error,
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


def summarize(shap: ShapValues, groups: Mapping[str, pd.Series], *, seed: int = 0) -> pd.DataFrame:
    """Return how much each column moves the output, over all rows and within each group.

    Parameters
    ----------
    shap : ShapValues
        SHAP values of n rows.
    groups : mapping of Series of shape (n,)
        Group of each row, by sensitive column.
    seed : int, default=0
        Seed of the resamples.

    Returns
    -------
    DataFrame
        column, group (both missing over all rows), class, feature, importance (the mean of \\|SHAP\\|), low, high,
        direction (the mean of SHAP: which way the column moves this group), n. A group smaller than fairness' minimum
        group size has no low and high: resamples of a row or two say nothing of the rows that were not drawn.
    """
    from core.fairness import MIN_GROUP_SIZE, label_text

    random = np.random.default_rng(seed)
    parts: list[tuple[str | None, str | None, NDArray[np.bool_]]] = [(None, None, np.ones(len(shap), dtype=bool))]
    for name, group_of_row in groups.items():
        labels = group_of_row.astype(object).map(label_text)
        parts += [(name, label, (labels == label).to_numpy()) for label in sorted(labels.unique())]
    lines = []
    for column, group, mask in parts:
        values = shap.values[mask]
        n = len(values)
        weights = random.multinomial(n, np.full(n, 1 / n), size=_RESAMPLES).astype(float)
        size, low, high = _mean(np.abs(values), weights)
        if group is not None and n < MIN_GROUP_SIZE:
            low, high = np.full_like(low, np.nan), np.full_like(high, np.nan)
        direction = values.mean(axis=0)
        for code, label in enumerate(shap.classes):
            for i, feature in enumerate(shap.features):
                numbers = (float(part[i, code]) for part in (size, low, high, direction))
                lines.append((column, group, label, feature, *numbers, n))
    names = ["column", "group", "class", "feature", "importance", "low", "high", "direction", "n"]
    return pd.DataFrame(lines, columns=names)
