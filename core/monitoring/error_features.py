"""Columns as numbers for a model of the error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.monitoring.cell_values import as_levels, as_moments, as_numbers, cells_in_words
from core.monitoring.column_type import column_type

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ErrorFeatures"]

Array = NDArray[np.float64]

_MOST_LEVELS = 200


@dataclass(frozen=True, eq=False)
class ErrorFeatures:
    """How each column becomes a number: numbers and dates as they are, levels by their rank in frequency.

    Parameters
    ----------
    columns : mapping of str to str
        Types of the columns that are used.
    ranks : mapping of str to mapping
        Number of each level, by column.
    left_out : tuple of str
        Columns that are not used: identifiers, texts, and those without values.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"y_score": [1.0, 2.0, 3.0], "city": ["a", "b", "b"]})
    >>> ErrorFeatures.of(frame, ("city",)).matrix(frame).tolist()
    [[1.0, 1.0], [2.0, 0.0], [3.0, 0.0]]
    """

    columns: Mapping[str, str]
    ranks: Mapping[str, Mapping[str, int]]
    left_out: tuple[str, ...]

    @classmethod
    def of(cls, frame: pd.DataFrame, columns: tuple[str, ...]) -> ErrorFeatures:
        """Return what a reference says about its columns.

        Parameters
        ----------
        frame : DataFrame
            Reference.
        columns : tuple of str
            Columns to use, besides `y_score`.
        """
        types = {name: column_type(frame[name], name) for name in columns}
        used = {name: kind for name, kind in types.items() if kind in ("number", "date", "category")}
        ranks = {}
        for name, kind in used.items():
            if kind == "category":
                codes, levels = as_levels(frame[name])
                counts = np.bincount(codes[codes >= 0], minlength=len(levels))
                order = sorted(range(len(levels)), key=lambda index: (-counts[index], levels[index]))
                ranks[name] = {levels[index]: rank for rank, index in enumerate(order[:_MOST_LEVELS])}
        return cls(used, ranks, tuple(name for name in columns if name not in used))

    def matrix(self, frame: pd.DataFrame) -> Array:
        """Return the prediction and the columns of rows as numbers, NaN where one is missing or not known.

        Parameters
        ----------
        frame : DataFrame
            Rows with `y_score` and the columns.
        """
        parts = [frame["y_score"].to_numpy(dtype=np.float64)]
        for name, kind in self.columns.items():
            if kind == "category":
                codes, levels = as_levels(frame[name])
                numbers = [float(self.ranks[name].get(level, np.nan)) for level in levels]
                parts.append(np.array([*numbers, np.nan])[codes])
            elif kind == "date":
                parts.append(as_moments(frame[name]))
            else:
                fits = cells_in_words(frame[name]) in ("numbers", "true and false")
                parts.append(as_numbers(frame[name]) if fits else np.full(len(frame), np.nan))
        return np.column_stack(parts)
