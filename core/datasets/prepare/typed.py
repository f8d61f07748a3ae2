"""Types of values in expressions: those that columns of the database have, and SQL with the type of its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["STORED", "Kind", "Typed", "as_text", "kind_of"]

Kind: TypeAlias = Literal["number", "integer", "text", "boolean", "date", "timestamp", "missing"]

STORED = {
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "text": "VARCHAR",
}
"""DuckDB type of each type of values."""


@dataclass(frozen=True)
class Typed:
    """SQL of a value, and the type of the value.

    Parameters
    ----------
    sql : str
        Expression.
    kind : {"number", "integer", "text", "boolean", "date", "timestamp", "missing"}
        Type; "missing" is that of the constant None.
    constant : bool, default=False
        Whether it is written in the expression itself.
    """

    sql: str
    kind: Kind
    constant: bool = False


def kind_of(duckdb_type: str) -> Kind | None:
    """Return the type of values that a DuckDB type holds, None for one that expressions cannot use.

    Examples
    --------
    >>> kind_of("BIGINT"), kind_of("DECIMAL(18,2)"), kind_of("TIMESTAMP"), kind_of("BLOB")
    ('integer', 'number', 'timestamp', None)
    """
    name = duckdb_type.upper()
    if name == "BOOLEAN":
        return "boolean"
    if name.endswith("INT") or name == "INTEGER" or name == "UINTEGER":
        return "integer"
    if name in ("DOUBLE", "FLOAT") or name.startswith("DECIMAL"):
        return "number"
    if name.startswith("TIMESTAMP"):
        return "timestamp"
    return {"VARCHAR": "text", "DATE": "date"}.get(name)  # type: ignore[return-value]


def as_text(value: str) -> str:
    """Return SQL of the text of a value: a whole number has no decimal point."""
    return f"regexp_replace(CAST({value} AS VARCHAR), '^(-?[0-9]+)\\.0$', '\\1')"
