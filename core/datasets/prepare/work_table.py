"""The table that steps work on: a chain of DuckDB views over Parquet, with the order of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.columns import require_columns
from core.datasets.prepare.typed import as_text, kind_of
from core.errors import InputError
from core.query import identifier, literal

if TYPE_CHECKING:
    import duckdb

__all__ = ["WorkTable"]

_CHECKPOINT_ROWS = 50_000


class WorkTable:
    """A table under preparation.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Connection that may read the table's file and write into `folder`.
    path : path
        Parquet file to begin with.
    folder : Path
        Folder for intermediate tables.
    tables : mapping of str to Path, default={}
        Parquet files of other datasets by id, for steps that join or append them.
    partial : bool, default=False
        Whether the file has only the first rows of the table: that none is left is then no error.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        path: str | Path,
        folder: Path,
        tables: Mapping[str, Path] | None = None,
        *,
        partial: bool = False,
    ) -> None:
        self.connection, self.folder, self.tables, self.partial = connection, folder, tables or {}, partial
        self._count = 0
        self.columns: dict[str, str] = {}
        self.row = "row"
        self.view = ""
        self.rows = 0
        self._open(path)

    def _open(self, path: str | Path) -> None:
        """Begin a chain of views at a file."""
        source = f"read_parquet({literal(path)})"
        described = self.query(f"DESCRIBE SELECT * FROM {source}")
        self.columns = {str(name): str(kind) for name, kind, *_ in described}
        while self.row.casefold() in {name.casefold() for name in self.columns}:
            self.row += "_"
        names = {name.casefold() for name in self.columns}
        number = "row_number() OVER () - 1" if "file_row_number" in names else "file_row_number"
        self._replace(f"SELECT *, {number} AS {identifier(self.row)} FROM {source}")
        self.rows = self.number(f"SELECT count(*) FROM {self.view}")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.connection.execute(sql).fetchall()

    def number(self, sql: str) -> int:
        """Return the only value of a query, a count."""
        return int(self.query(sql)[0][0])

    def require(self, *names: str) -> None:
        """Check that columns exist.

        Raises
        ------
        InputError
            When one does not; the hint has the nearest name.
        """
        require_columns(list(self.columns), names)

    def require_text(self, name: str, what: str) -> None:
        """Check that a column is text.

        Raises
        ------
        InputError
            When it is not; `what` begins the message.
        """
        kind = kind_of(self.columns[name])
        if kind != "text":
            raise InputError(
                f"{what} needs a text, but '{name}' is of the type {kind or self.columns[name].lower()}.",
                "Change its type to text first.",
            )

    def check_new(self, name: str, *, besides: str = "") -> None:
        """Check that a column of this name can be added.

        Raises
        ------
        InputError
            When the name is empty, too long, or that of another column, in capital or small letters.
        """
        if not name.strip() or len(name) > 200 or "\0" in name:
            raise InputError(f"'{name[:40]}' cannot be the name of a column.", "Choose 1 to 200 characters.")
        for column in self.columns:
            if column.casefold() == name.casefold() and column != besides:
                raise InputError(f"There is a column '{column}' already.", "Choose another name.")

    def _replace(self, select: str) -> None:
        self._count += 1
        view = f"step_{self._count}"
        self.connection.execute(f"CREATE TEMP VIEW {view} AS {select}")
        self.view = view

    def project(self, columns: Mapping[str, tuple[str, str]]) -> None:
        """Replace the columns.

        Parameters
        ----------
        columns : mapping
            SQL over the present columns, and DuckDB type, by name, in order.
        """
        selected = ", ".join(f"{sql} AS {identifier(name)}" for name, (sql, _) in columns.items())
        self._replace(f"SELECT {selected}, {identifier(self.row)} FROM {self.view}")
        self.columns = {name: kind for name, (_, kind) in columns.items()}

    def kept(self) -> dict[str, tuple[str, str]]:
        """Return the columns as `project` takes them, to change some of them."""
        return {name: (identifier(name), kind) for name, kind in self.columns.items()}

    def set_column(self, name: str, sql: str, kind: str) -> tuple[int, int]:
        """Give a column other values; return the number of cells that changed, and that became missing."""
        old = identifier(name)
        same = kind == self.columns[name]
        comparable, before = (f"({sql})", old) if same else (as_text(f"({sql})"), as_text(old))
        changed, lost = self.query(
            f"SELECT count(*) FILTER (new IS DISTINCT FROM old), count(*) FILTER (new IS NULL AND old IS NOT NULL) "
            f"FROM (SELECT {comparable} AS new, {before} AS old FROM {self.view})"
        )[0]
        columns = self.kept()
        columns[name] = (sql, kind)
        self.project(columns)
        return int(changed), int(lost)

    def keep_rows(self, condition: str) -> int:
        """Keep the rows for which an SQL condition is true; return how many there are."""
        self._replace(f"SELECT * FROM {self.view} WHERE {condition}")
        self.rows = self.number(f"SELECT count(*) FROM {self.view}")
        return self.rows

    def store(self, select: str) -> None:
        """Write rows to a file and continue from there; they are ordered by the hidden column `row`.

        Parameters
        ----------
        select : str
            Query with the columns of the new table, and `row`, which must not repeat.
        """
        path = self.folder / f"step-{self._count}.parquet"
        row = identifier(self.row)
        self.connection.execute(
            f"COPY (SELECT * EXCLUDE ({row}) FROM ({select}) ORDER BY {row}) TO {literal(path)} (FORMAT parquet)"
        )
        self._open(path)

    def checkpoint(self) -> None:
        """Write a large table to a file, so that steps that follow do not compute this one again."""
        if self.rows >= _CHECKPOINT_ROWS:
            path = self.folder / f"step-{self._count}.parquet"
            self.save(path)
            self._open(path)

    def save(self, path: Path) -> None:
        """Write the table."""
        self.connection.execute(
            f"COPY (SELECT * EXCLUDE ({identifier(self.row)}) FROM {self.view}) TO {literal(path)} (FORMAT parquet)"
        )
