"""New rows of a database as batches: those whose value of a column is larger than the largest one so far."""

from __future__ import annotations

import hashlib
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field, field_validator

from core.batch_sources.database import check_database, read_only
from core.batch_sources.source_look import SourceBatch
from core.batch_sources.statement import checked_statement
from core.batch_sources.watermark import Value, restored, stored, typed
from core.checked import CheckedSettings
from core.errors import InputError, LimitError, shortened
from core.jsonable import JsonObject

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Connection, CursorResult, Select, TextClause

__all__ = ["QueryLook", "QuerySettings", "check_query", "shown_query"]

PARAMETER: Final = "since"
_CHUNK = 1_000
_NAME_CHARS = 40


class QuerySettings(CheckedSettings):
    """Which rows of a database are batches.

    Parameters
    ----------
    credential : str
        Name of the credential with the database's URL.
    query : str
        Statement with the parameter ``:since``, which gets the largest value of `column` so far.
    column : str
        Column whose values grow from row to row, such as an id or a time.
    start : str
        Value that ``:since`` has in the first look: a number, or text, such as a time.
    max_rows : int, default=100000
        Maximum number of rows of a batch.
    max_mb : int, default=200
        Size of the values of a batch (MB).
    timeout_s : int, default=60
        Seconds that the query may take.

    Examples
    --------
    >>> query = "SELECT * FROM scored WHERE id > :since"
    >>> QuerySettings(credential="SQL_SALES", query=query, column="id", start="0").max_rows
    100000
    """

    credential: str = Field(
        min_length=1,
        title="Credential",
        description=(
            "Name of a credential that begins with SQL_. Whoever runs the server sets its value, the URL of the "
            "database, as PLUMBLINE_SECRET_SQL_... or in the file of secrets. Its user should only be able to read."
        ),
    )
    query: str = Field(
        min_length=1,
        max_length=20_000,
        title="Query",
        description="Such as SELECT * FROM scored WHERE id > :since",
        json_schema_extra={"multiline": True},
    )
    column: str = Field(
        min_length=1,
        max_length=200,
        title="Column that grows",
        description=(
            "A column of the result, such as an id or a time of insertion. :since is its largest value so far. Where "
            "rows can come later with the same value, write >= :since: those that came before are left out."
        ),
    )
    start: str = Field(
        min_length=1, max_length=100, title="First value", description="Rows after it are new in the first check."
    )
    max_rows: int = Field(default=100_000, ge=1, le=1_000_000, title="Maximum number of rows per check")
    max_mb: int = Field(default=200, ge=1, le=2_048, title="Size of the rows of a check (MB)")
    timeout_s: int = Field(default=60, ge=1, le=600, title="Time limit of the query (seconds)")

    @field_validator("credential", "query", "column", "start")
    @classmethod
    def _stripped(cls, value: str) -> str:
        return value.strip()


def check_query(settings: QuerySettings, *, workspace: str) -> None:
    """Raise what is wrong with a query, as far as it is known before the database is asked."""
    _statement(settings)
    check_database(settings.credential, workspace=workspace)


def shown_query(settings: QuerySettings) -> str:
    """Return where the rows are."""
    return f"{settings.credential}: {shortened(' '.join(settings.query.split()), 100)}"


class QueryLook:
    """A look at the rows of a database.

    Parameters
    ----------
    settings : QuerySettings
        Settings that say which rows are batches.
    before : mapping
        State that the look before left; empty for the first one.
    workspace : str
        Workspace that reads.

    Raises
    ------
    InputError
        When the query cannot be used, or its result does not have the column.
    LimitError
        When more rows than a batch may have share one value.
    RemoteError
        When the database cannot be reached.
    """

    def __init__(self, settings: QuerySettings, before: Mapping[str, Any], *, workspace: str) -> None:
        self._settings = settings
        self._before: JsonObject = dict(before)
        self._after: JsonObject = self._before
        since = restored(before["since"]) if "since" in before else typed(settings.start)
        known = Counter(before.get("rows", []))
        statement = _statement(settings)
        with read_only(settings.credential, settings.timeout_s, workspace=workspace) as connection:
            names, rows, cut = _read(connection, statement, settings, since, known)
        self._names, self._rows, self._cut = names, rows, cut
        self._batches: tuple[SourceBatch, ...] = ()
        if rows:
            index = names.index(settings.column)
            largest = rows[-1][index]
            name = f"{settings.column} up to {shortened(largest, _NAME_CHARS)}"
            self._batches = (SourceBatch(name, time.time(), str(largest)[:300]),)
            ends = [_mark(row) for row in rows if row[index] == largest]
            kept = [*known.elements()] if largest == since else []
            self._next: JsonObject = {"since": stored(largest, settings.column), "rows": sorted([*kept, *ends])}

    @property
    def batches(self) -> tuple[SourceBatch, ...]:
        """One batch with the rows that are new, or none."""
        return self._batches

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence, where there are more rows than one look brings."""
        if not self._cut:
            return ()
        return (f"There are more rows than one check brings; {len(self._rows):,} came, the others follow.",)

    def fetch(self, batch: SourceBatch, folder: Path) -> Path:
        """Write the rows as a Parquet file."""
        path = folder / "batch.parquet"
        _frame(self._names, self._rows).to_parquet(path, index=False)
        return path

    def brought(self, batch: SourceBatch) -> None:
        """Note that the rows were brought: the next look begins after them."""
        self._after = self._next

    def failed(self, batch: SourceBatch) -> None:
        """Note that the rows could not be used: they come again."""
        self._after = self._before

    def state(self) -> JsonObject:
        """Return the largest value so far, and marks of the rows that have it."""
        return self._after


def _statement(settings: QuerySettings) -> TextClause:
    from sqlalchemy import text

    statement = text(checked_statement(settings.query))
    parameters = set(statement.compile().params)
    if parameters != {PARAMETER}:
        others = ", ".join(f":{name}" for name in sorted(parameters - {PARAMETER}))
        problem = f"has the parameters {others}" if others else f"does not have the parameter :{PARAMETER}"
        raise InputError(
            f"The query {problem}.",
            f"Write :{PARAMETER} and no other, as in WHERE id > :{PARAMETER}; a colon in a text is written \\:.",
        )
    return statement


def _read(
    connection: Connection, statement: TextClause, settings: QuerySettings, since: Value, known: Counter[str]
) -> tuple[list[str], list[tuple[Any, ...]], bool]:
    """Return names and rows that are new, in the order of the column, and whether there are more of them."""
    from sqlalchemy import column, literal_column, select

    inner = statement.columns(column(settings.column)).subquery("plumbline_rows")
    ordered: Select[Any] = select(literal_column("*")).select_from(inner).order_by(inner.c[settings.column])
    with closing(connection.execution_options(stream_results=True).execute(ordered, {PARAMETER: since})) as result:
        return _new_rows(result, settings, since, known)


def _new_rows(
    result: CursorResult[Any], settings: QuerySettings, since: Value, known: Counter[str]
) -> tuple[list[str], list[tuple[Any, ...]], bool]:
    names = list(result.keys())
    if settings.column not in names:
        raise InputError(
            f"The query's result has no column '{shortened(settings.column)}'.",
            f"Select it, or name one of its columns: {shortened(', '.join(names), 200)}.",
        )
    index, known = names.index(settings.column), Counter(known)
    rows: list[tuple[Any, ...]] = []
    size, limit = 0, settings.max_mb << 20
    while chunk := result.fetchmany(_CHUNK):
        for fetched in chunk:
            row = tuple(fetched)
            if row[index] is None or row[index] != row[index]:
                raise InputError(
                    f"The column '{shortened(settings.column)}' is empty in a row of the result.",
                    "Leave such rows out, as by WHERE ... IS NOT NULL: they have no place in the order.",
                )
            if row[index] == since and known[mark := _mark(row)] > 0:
                known[mark] -= 1  # it came before
                continue
            rows.append(row)
            size += sum(map(sys.getsizeof, row))
            if len(rows) > settings.max_rows or size > limit:
                return names, _whole(rows, index, settings), True
    return names, rows, False


def _whole(rows: list[tuple[Any, ...]], index: int, settings: QuerySettings) -> list[tuple[Any, ...]]:
    """Return the rows but those with the last value, of which there may be more."""
    last = rows[-1][index]
    whole = [row for row in rows if row[index] != last]
    if not whole:
        raise LimitError(
            f"More rows than one check brings have the value {shortened(last, _NAME_CHARS)} in "
            f"'{shortened(settings.column)}'.",
            "Raise the limits of this source, or name a column whose values are different.",
        )
    return whole


def _mark(row: tuple[Any, ...]) -> str:
    return hashlib.blake2b(repr(row).encode(), digest_size=8).hexdigest()


def _frame(names: list[str], rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Return rows as a table of values that a model reads: numbers, texts, times."""
    import pandas as pd

    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise InputError(
            f"The query's result has the column '{shortened(repeated[0])}' twice.", "Name one of them otherwise (AS)."
        )
    return pd.DataFrame({name: [_plain(row[index]) for row in rows] for index, name in enumerate(names)}, columns=names)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if value is None or isinstance(value, bool | int | float | str | datetime | date):
        return value
    return str(value)
