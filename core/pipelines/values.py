"""Values of the type that an input declares: one set of rules for files, forms and scripts."""

from __future__ import annotations

import math

from core.errors import InputError
from core.pipelines.model import Port

__all__ = ["typed_value"]

_BOOLEANS = {"true": True, "false": False}


def typed_value(port: Port, value: object) -> str | int | float | bool:
    """Return a value as the type that an input declares, where that changes nothing about it.

    Parameters
    ----------
    port : Port
        Input that takes a value.
    value : str, int, float or bool
        Value, or its text.

    Raises
    ------
    InputError
        When the value has another type, lies outside the bounds, or is not one of the choices.

    Examples
    --------
    >>> typed_value(Port("max_depth", "integer", low=1), "6")
    6
    """
    if not isinstance(value, str | int | float | bool):
        raise _mistake(port, value)
    typed = _typed(port, value)
    if isinstance(typed, int | float) and not isinstance(typed, bool):
        if port.low is not None and typed < port.low:
            raise InputError(f"'{port.name}' is {typed}, below its minimum of {port.low}.", "Choose a larger value.")
        if port.high is not None and typed > port.high:
            raise InputError(f"'{port.name}' is {typed}, above its maximum of {port.high}.", "Choose a smaller value.")
    if port.choices and typed not in port.choices:
        listed = ", ".join(map(str, port.choices))
        raise InputError(f"'{port.name}' is '{typed}', which is not one of its choices.", f"Choose one of {listed}.")
    return typed


def _typed(port: Port, value: str | int | float | bool) -> str | int | float | bool:
    text = str(value).strip()
    try:
        match port.type:
            case "string":
                return str(value)
            case "boolean":
                return value if isinstance(value, bool) else _BOOLEANS[text.lower()]
            case "integer" if not isinstance(value, bool):
                number = float(text)
                return int(text) if number == int(number) and text.lstrip("+-").isdigit() else int(_whole(number))
            case "number" if not isinstance(value, bool):
                return value if isinstance(value, int | float) else _finite(float(text))
    except (KeyError, ValueError, OverflowError) as error:
        raise _mistake(port, value) from error
    raise _mistake(port, value)


def _whole(number: float) -> float:
    if number != int(number):
        raise ValueError(number)
    return number


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError(number)
    return number


def _mistake(port: Port, value: object) -> InputError:
    kind = "an integer" if port.type == "integer" else f"a {port.type}"
    return InputError(f"'{port.name}' is '{value}', which is not {kind}.", f"Give {kind}.")
