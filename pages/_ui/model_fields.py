"""Defaults and limits of widgets, read from the fields of the settings that the widgets fill."""

from __future__ import annotations

from typing import Any

import annotated_types
from pydantic import BaseModel

__all__ = ["default", "limits", "number"]


def default(model: type[BaseModel], name: str) -> Any:
    """Return the default of a field.

    Examples
    --------
    >>> from core.automl import AutoMLSettings
    >>> default(AutoMLSettings, "test_fraction")
    0.2
    """
    return model.model_fields[name].get_default(call_default_factory=True)


def limits(model: type[BaseModel], name: str, *, scale: int | None = None) -> dict[str, Any]:
    """Return the inclusive limits of a field of numbers as arguments of ``st.number_input`` and ``st.slider``.

    Parameters
    ----------
    model : type of BaseModel
        Settings that the widget fills.
    name : str
        Name of the field.
    scale : int, optional
        Factor from the field to the widget, such as 100 for percent; the widget's numbers are then whole.

    Examples
    --------
    >>> from core.automl import AutoMLSettings
    >>> limits(AutoMLSettings, "max_trials")
    {'min_value': 2, 'max_value': 1000000}
    >>> limits(AutoMLSettings, "test_fraction", scale=100)
    {'min_value': 0, 'max_value': 50}
    """
    field = model.model_fields[name]
    ends: dict[str, Any] = {}
    for item in field.metadata:
        if isinstance(item, annotated_types.Ge):
            ends["min_value"] = item.ge
        elif isinstance(item, annotated_types.Le):
            ends["max_value"] = item.le
    # A widget takes numbers of one type only: those of the field.
    convert = float if "float" in str(field.annotation) else int
    return {end: convert(value) if scale is None else round(scale * value) for end, value in ends.items()}


def number(model: type[BaseModel], name: str, *, scale: int | None = None) -> dict[str, Any]:
    """Return the limits and the default of a field as arguments of ``st.number_input`` and ``st.slider``.

    Examples
    --------
    >>> from core.automl import AutoMLSettings
    >>> number(AutoMLSettings, "test_fraction", scale=100)
    {'min_value': 0, 'max_value': 50, 'value': 20}
    """
    value = default(model, name)
    return limits(model, name, scale=scale) | {"value": value if scale is None else round(scale * value)}
