"""Tables of SQLite databases, as CSV."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from core.datasets._dialect import Layout
from core.datasets._limits import Limits
from core.datasets._options import AUTO, Decision, ReadOptions
from core.datasets._staged_csv import StagedCsv
from core.datasets._table import Dialect
from core.errors import InputError
from core.query import identifier
from core.registry import unknown_name

__all__ = ["DatabaseTable", "database_to_csv"]

_HIDDEN = 1  # what the pragma says of a column of a virtual table that "SELECT *" leaves out


@dataclass(frozen=True)
class DatabaseTable:
    """A table as it was written to CSV: its layout, the tables of the database, the positions of declared texts,
    and whether it has all rows.
    """

    layout: Layout
    tables: tuple[str, ...]
    texts: tuple[int, ...]
    complete: bool = True


def database_to_csv(
    path: Path, out: Path, limits: Limits, options: ReadOptions, most: int | None = None
) -> DatabaseTable:
    """Write one table of an SQLite database as CSV, or its first rows: the chosen table, or the one with most rows.

    Raises
    ------
    InputError
        When the file is damaged, or lacks the table that was chosen.
    LimitError
        When the table, or a cell of it, is too large.
    """
    longest = max(limits.max_cell_bytes, 2**20)  # columns may be computed while they are read, to any size
    try:
        with closing(sqlite3.connect(f"file:{path.absolute()}?mode=ro&immutable=1", uri=True)) as connection:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, longest)
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.text_factory = lambda content: content.decode("utf-8", "replace")
            return _write(connection, out, path.stat().st_size, limits, options, most)
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_TOOBIG:
            limits.check_cell(longest + 1)
        raise InputError("The SQLite database is damaged.", "Export the table as CSV.") from error


def _write(
    connection: sqlite3.Connection, out: Path, packed: int, limits: Limits, options: ReadOptions, most: int | None
) -> DatabaseTable:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY rowid"
    )
    names = tuple(name for (name,) in connection.execute(query))
    if not names:
        raise InputError("The SQLite database has no table.", "Choose another file.")
    if options.sheet not in (AUTO, *names):
        raise InputError(f"The database has no table {options.sheet!r}.", unknown_name(options.sheet, names))
    if options.sheet != AUTO:
        chosen, decision = options.sheet, Decision("sheet", options.sheet, "It was given.", "given")
    else:
        sizes = {name: connection.execute(f"SELECT count(*) FROM {identifier(name)}").fetchone()[0] for name in names}
        chosen = max(names, key=sizes.__getitem__)
        evidence = f"It has most rows, {sizes[chosen]:,}."
        decision = Decision("sheet", chosen, evidence, "certain" if len(names) == 1 else "likely")
    columns = [
        column
        for column in connection.execute(f"PRAGMA table_xinfo({identifier(chosen)})")
        if column[-1] != _HIDDEN  # columns that are computed are not
    ]
    limits.check_columns(len(columns))
    texts = tuple(i for i, (_, _, kind, *_) in enumerate(columns) if _is_text(kind))
    with out.open("w", encoding="utf-8", newline="") as file:
        staged = StagedCsv(file, limits, packed)
        rows = connection.execute(f"SELECT * FROM {identifier(chosen)}")
        for row in islice(rows, most):
            staged.write(["" if cell is None else cell.hex() if isinstance(cell, bytes) else str(cell) for cell in row])
        complete = most is None or rows.fetchone() is None
    others = ", ".join(repr(name) for name in names if name != chosen)
    notices = (f"The table {chosen!r} was read; the database also has {others}.",) if others else ()
    layout = Layout(Dialect(",", '"', False), '"', [name for _, name, *_ in columns], notices, decisions=(decision,))
    return DatabaseTable(layout, names, texts, complete)


def _is_text(declared: str) -> bool:
    """Return whether SQLite stores a column of this declared type as text (its rules of affinity)."""
    return "INT" not in declared.upper() and any(word in declared.upper() for word in ("CHAR", "CLOB", "TEXT"))
