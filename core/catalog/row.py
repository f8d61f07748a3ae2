"""The base of all tables of the catalog."""

from __future__ import annotations

import secrets

from sqlmodel import Field, SQLModel

from core.jsonable import JsonObject

__all__ = ["Deletable", "Row", "new_id"]


def new_id() -> str:
    """Return a random id of 16 characters, which no other row of any table has."""
    return secrets.token_hex(8)


class Row(SQLModel):
    """A row that can become JSON."""

    def to_dict(self) -> JsonObject:
        """Return the row as a JSON-serializable dictionary."""
        return self.model_dump(mode="json")


class Deletable(Row):
    """A row that people can delete. For a while it is only hidden, and can be had back (`core.catalog.deletions`)."""

    deletion_id: str | None = Field(default=None, index=True, max_length=16)  # of the deletion that hides it
