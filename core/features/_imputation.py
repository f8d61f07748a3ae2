"""What stands for a number that is missing: a step of the encoder for each way to impute."""

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
    plan: Sequence[ColumnPlan], default: str, asked: Mapping[str, str]
) -> list[tuple[str, SimpleImputer, list[str]]]:
    """Return the steps that impute numbers, yes or no, and the parts of dates, with a flag of what was missing.

    Parameters
    ----------
    plan : list of ColumnPlan
        What each column becomes.
    default : str
        median, mean, most_frequent or zero.
    asked : mapping
        The same for single columns.

    Returns
    -------
    list of (name, imputer, inputs)
        One step named "number" where all are imputed in one way, else "number: median" and the like. Dates come last.

    Raises
    ------
    SettingsError
        When a column that is asked for becomes no number.
    """
    kinds = {item.name: item.kind for item in plan}
    for name, how in asked.items():
        kind = kinds.get(name, "left out")
        if kind not in ("number", "boolean", "date"):
            use = "left out of the model" if kind == "left out" else f"used as {kind}"
            raise SettingsError(
                f"What is missing in '{name}' is to become a number ({how}), and '{name}' is {use}.",
                "Leave it to the default: a missing category counts as one of its own, a missing text has no words.",
            )
    columns = [name for name, kind in kinds.items() if kind != "left out"]
    groups: dict[str, list[str]] = {}
    for name, kind in sorted(kinds.items(), key=lambda item: item[1] == "date"):
        if kind in ("number", "boolean", "date"):
            inputs = date_features(name, columns) if kind == "date" else [name]
            groups.setdefault(asked.get(name, default), []).extend(inputs)
    return [
        ("number" if len(groups) == 1 else f"number: {how}", _imputer(how), inputs) for how, inputs in groups.items()
    ]


def _imputer(how: str) -> SimpleImputer:
    return SimpleImputer(strategy="constant" if how == "zero" else how, fill_value=0.0, add_indicator=True)
