"""Steps of the encoder that impute missing numbers, one for each method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sklearn.impute import SimpleImputer

from core.errors import SettingsError
from core.features._cells import date_features

if TYPE_CHECKING:
    from core.features._plan import ColumnPlan

__all__ = ["number_steps"]


def number_steps(
    plan: Sequence[ColumnPlan], default: str, methods: Mapping[str, str]
) -> list[tuple[str, SimpleImputer, list[str]]]:
    """Return the steps that impute numbers, booleans and the parts of dates, with an indicator of missing values.

    Parameters
    ----------
    plan : list of ColumnPlan
        Feature type of each column.
    default : str
        Method: median, mean, most_frequent or zero.
    methods : mapping
        Methods for single columns.

    Returns
    -------
    list of (name, imputer, inputs)
        One step named "number" where all columns have the same method, else "number: median" and so on. Dates come
        last.

    Raises
    ------
    SettingsError
        When a column of `methods` does not become a number.
    """
    feature_types = {item.name: item.kind for item in plan}
    for name, method in methods.items():
        kind = feature_types.get(name, "left out")
        if kind not in ("number", "boolean", "date"):
            use = "left out of the model" if kind == "left out" else f"used as {kind}"
            raise SettingsError(
                f"Missing values of '{name}' are set to become a number ({method}), but '{name}' is {use}.",
                "Leave it at the default: a missing category is a category of its own, a missing text has no words.",
            )
    columns = [name for name, kind in feature_types.items() if kind != "left out"]
    groups: dict[str, list[str]] = {}
    for name, kind in sorted(feature_types.items(), key=lambda item: item[1] == "date"):
        if kind in ("number", "boolean", "date"):
            inputs = date_features(name, columns) if kind == "date" else [name]
            groups.setdefault(methods.get(name, default), []).extend(inputs)
    return [
        ("number" if len(groups) == 1 else f"number: {method}", _imputer(method), inputs)
        for method, inputs in groups.items()
    ]


def _imputer(method: str) -> SimpleImputer:
    return SimpleImputer(strategy="constant" if method == "zero" else method, fill_value=0.0, add_indicator=True)
