"""Base of all settings: frozen, without unknown names, and with errors that a user can act on."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import SettingsError

__all__ = ["CheckedSettings"]


class CheckedSettings(BaseModel):
    """Settings that report their first mistake as a `SettingsError`.

    Raises
    ------
    SettingsError
        When a value, or a combination, is invalid.

    Examples
    --------
    >>> class Example(CheckedSettings):
    ...     rows: int
    >>> Example(rows=3).rows
    3
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "settings"
            given = "" if first["type"] in ("missing", "value_error") else f" (got {first['input']!r})"
            raise SettingsError(
                f"{name}: {first['msg'].removeprefix('Value error, ')}{given}.".replace("..", "."),
                f"See {type(self).__name__} for the values that each setting takes.",
            ) from error
