"""From a raw table to numbers: one transformer, fitted on training rows only.

Numbers: the median replaces a missing value, with an indicator. Booleans: 0 and 1. Categories: one column per value up
to a limit, above it one ordinal column (most frequent first, without the target, so nothing leaks between folds).
Dates: seconds since the epoch, and parts. Free text: TF-IDF of its words. Identifiers and constants are left out, with
a finding that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from core.datasets import Finding
from core.errors import InputError
from core.features._cells import (
    DATE_PARTS,
    as_categories,
    as_dates,
    as_doubles,
    as_seconds,
    date_features,
    require_columns,
)
from core.features._imputation import number_steps
from core.features._plan import plan_columns
from core.features._precision import MergedValues, find_center, merged_values
from core.features._text import TextFeatures, as_words

__all__ = ["TableEncoder"]

ONE_HOT_LIMIT = 20


class TableEncoder(TransformerMixin, BaseEstimator):
    """Encode a raw frame as a float32 matrix.

    Parameters
    ----------
    one_hot_limit : int, default=20
        Maximum number of values of a category that gets one column per value.
    column_types : mapping, optional
        Types of columns: numeric, categorical, text, date, ignore; the others are decided from their values.
    imputation : {"median", "mean", "most_frequent", "zero"}, default="median"
        Method that replaces missing numbers.
    column_imputation : mapping, optional
        Methods for single columns.

    Attributes
    ----------
    columns_ : list of str
        Columns that are used; a frame to transform must have them, in any order, and may have others.
    kinds_ : list of str
        Feature type of each of them: number, boolean, category, date or text.
    plan_ : list of ColumnPlan
        Decision for each column of the training frame.
    centers_ : dict of str to float
        Value that is subtracted from a number, or from a date's seconds since 1970, before it becomes float32: for
        columns whose last digits would be lost otherwise. Columns whose missing values become zero have none.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [20.0, None, 40.0], "job": ["a", "b", "a"]})
    >>> TableEncoder().fit_transform(frame).tolist()
    [[20.0, 0.0, 1.0, 0.0], [30.0, 1.0, 0.0, 1.0], [40.0, 0.0, 1.0, 0.0]]
    """

    def __init__(
        self,
        one_hot_limit: int = ONE_HOT_LIMIT,
        column_types: Mapping[str, str] | None = None,
        imputation: str = "median",
        column_imputation: Mapping[str, str] | None = None,
    ) -> None:
        self.one_hot_limit = one_hot_limit
        self.column_types = column_types
        self.imputation = imputation
        self.column_imputation = column_imputation

    def fit(self, frame: pd.DataFrame, y: object = None) -> TableEncoder:
        """Learn the columns' feature types, medians and categories.

        Raises
        ------
        InputError
            When there is no column that a model could use.
        SettingsError
            When a column of `column_imputation` does not become a number.
        """
        self.plan_ = plan_columns(frame, self.column_types)
        feature_types = {item.name: item.kind for item in self.plan_ if item.kind != "left out"}
        if not feature_types:
            reasons = "; ".join(f"'{item.name}': {item.reason}" for item in self.plan_[:5])
            raise InputError(
                f"No column is left that a model could use ({reasons}).",
                "Add columns with information about the target, or keep more of them.",
            )
        self.columns_ = list(feature_types)
        self.kinds_ = list(feature_types.values())
        set_to_numeric = [name for name in feature_types if (self.column_types or {}).get(name) == "numeric"]
        self.mixed_ = [name for name in set_to_numeric if not types.is_numeric_dtype(frame[name].dtype)]
        low: list[str] = []
        high: list[str] = []
        dates: list[str] = []
        texts: list[str] = []
        for name, kind in feature_types.items():
            if kind == "date":
                dates.append(name)
            elif kind == "text":
                texts.append(name)
            elif kind == "category":
                (low if frame[name].nunique() < self.one_hot_limit else high).append(name)
        self.dates_ = dates
        self._center(frame)
        self.encoder_ = ColumnTransformer(
            [
                *number_steps(self.plan_, self.imputation, self.column_imputation or {}),
                ("one_hot", OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32), low),
                (
                    "ordinal",
                    OrdinalEncoder(
                        categories=[self._by_frequency(frame[name]) for name in high],
                        handle_unknown="use_encoded_value",
                        unknown_value=-1,
                        dtype=np.float32,
                    ),
                    high,
                ),
                *((f"text: {index}", TextFeatures(name), [name]) for index, name in enumerate(texts)),
            ],
            verbose_feature_names_out=False,
        )
        self.encoder_.fit(self._typed(frame))
        return self

    def _center(self, frame: pd.DataFrame) -> None:
        """Choose the centers of numbers and dates, and note which distinct values become equal all the same."""
        self.centers_: dict[str, float] = {}
        self.merged_: dict[str, list[int]] = {}
        for name, kind in zip(self.columns_, self.kinds_, strict=True):
            if kind not in ("number", "date"):
                continue
            values = self._doubles(name, kind, frame[name])
            center = find_center(values)
            if center is not None and (self.column_imputation or {}).get(name, self.imputation) != "zero":
                self.centers_[name] = center
            whole = types.is_integer_dtype(frame[name].dtype)  # more digits than float64 has
            distinct = frame[name].nunique() if whole and np.nanmax(np.abs(values), initial=0) > 2**53 else None
            merged = merged_values(values, self._rounded(name, values), distinct)
            if merged is not None:
                self.merged_[name] = [merged.distinct, merged.kept]

    @staticmethod
    def _by_frequency(column: pd.Series) -> list[str]:
        return list(as_categories(column).value_counts().index)

    def transform(self, frame: pd.DataFrame) -> NDArray[np.float32]:
        """Encode rows.

        Returns
        -------
        array of shape (n, features), float32

        Raises
        ------
        InputError
            When a column is missing, or a numeric column has other values.
        """
        return np.asarray(self.encoder_.transform(self._typed(frame)), dtype=np.float32)

    @property
    def mixed(self) -> list[str]:
        """Columns of texts that the settings declare to be numbers; models stored before this was kept have none."""
        return getattr(self, "mixed_", [])

    @property
    def centers(self) -> dict[str, float]:
        """Centers of the columns that have one; models stored before there were any have none."""
        return getattr(self, "centers_", {})

    def _typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        require_columns(frame, self.columns_)
        typed: dict[str, Any] = {}
        for name, kind in zip(self.columns_, self.kinds_, strict=True):
            column = frame[name]
            if kind == "category":
                typed[name] = as_categories(column)
            elif kind == "text":
                typed[name] = as_words(column)
            elif kind == "date":
                typed |= self._date_parts(name, column)
            else:
                typed[name] = self._rounded(name, self._doubles(name, kind, column))
        return pd.DataFrame(typed, index=frame.index)

    def _doubles(self, name: str, kind: str, column: pd.Series) -> NDArray[np.float64]:
        """Return the numbers of a column, or the seconds since 1970 of its dates; NaN where one is missing."""
        if kind == "date":
            return _seconds(as_dates(column))
        if name in self.mixed:  # `check_types` has counted the texts that are not numbers
            column = pd.to_numeric(column, errors="coerce")
        return as_doubles(name, column)

    def _rounded(self, name: str, values: NDArray[np.float64]) -> NDArray[np.float32]:
        if name not in self.centers:
            return values.astype(np.float32)
        with np.errstate(over="ignore"):
            centered = (values - self.centers[name]).astype(np.float32)
        return np.where(np.isfinite(centered), centered, np.float32(np.nan))

    def _date_parts(self, name: str, column: pd.Series) -> dict[str, Any]:
        dates = as_dates(column)
        values = [self._rounded(name, _seconds(dates))]
        values += [getattr(dates.dt, part).to_numpy(dtype=np.float32, na_value=np.nan) for part in DATE_PARTS]
        return dict(zip(date_features(name, self.columns_), values, strict=True))

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the encoded columns, such as "color_red", with a prime where a name is taken."""
        names: dict[str, None] = {}
        for step, fitted, used in self.encoder_.transformers_:
            if step == "remainder" or not len(used):
                continue
            for name in fitted.get_feature_names_out(used):
                while name in names:
                    name = f"{name}'"
                names[name] = None
        return np.asarray(list(names), dtype=object)

    def findings(self) -> list[Finding]:
        """Return a finding about each column that was left out, or some of whose values are one to the model."""
        merged = [MergedValues(*counts).finding(name) for name, counts in self.merged_.items()]
        return merged + [
            Finding(
                "left_out",
                "notice",
                item.name,
                f"'{item.name}' is left out of the model: {item.reason}.",
                "Nothing to do, unless it has more information than that.",
            )
            for item in self.plan_
            if item.kind == "left out"
        ]


def _seconds(dates: pd.Series) -> NDArray[np.float64]:
    return np.where(dates.notna(), as_seconds(dates).astype(np.float64), np.nan)
