"""The base of all tables of the catalog."""

from __future__ import annotations

import secrets

from sqlmodel import SQLModel

from core.jsonable import JsonObject

__all__ = ["Row", "new_id"]


def new_id() -> str:
    """Return a random id of 16 characters, which no other row of any table has."""
    return secrets.token_hex(8)


class Row(SQLModel):
    """A row that can become JSON."""

    def to_dict(self) -> JsonObject:
        """Return the row as a JSON-serializable dictionary."""
        return self.model_dump(mode="json")
