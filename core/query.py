"""DuckDB connections for reading, profiling and checking: bounded in memory and temporary files, and offline."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.resources import usable_cores
from core.settings import get_settings

if TYPE_CHECKING:
    import duckdb

__all__ = ["connect", "identifier", "limit_memory", "literal"]

MEMORY_LIMIT = "600MB"
MAX_THREADS = 4


@contextmanager
def connect(workdir: str | Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory DuckDB that spills into `workdir` and loads no extension.

    Parameters
    ----------
    workdir : path
        Folder for temporary files.

    Yields
    ------
    duckdb.DuckDBPyConnection
    """
    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "threads": max(1, min(MAX_THREADS, usable_cores())),
        "temp_directory": str(workdir),
        "max_temp_directory_size": f"{_temporary_mb(Path(workdir))}MB",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    connection = duckdb.connect(":memory:", config=settings)
    try:
        connection.execute("SET enable_progress_bar = false; SET TimeZone = 'UTC'")
        # It moves a cast into the reader of CSV, which fails where the cast, and TRY_CAST, would have a value.
        known = connection.execute("SELECT name FROM duckdb_optimizers() WHERE name = 'type_pushdown'").fetchall()
        if known:
            connection.execute("SET disabled_optimizers = 'type_pushdown'")
        yield connection
    finally:
        connection.close()


def _temporary_mb(folder: Path) -> int:
    """Return the limit of the temporary files: at most half of what is free, so that the table can be stored too."""
    return max(1, min(get_settings().run_disk_mb, shutil.disk_usage(folder).free // 2 // 10**6))


def limit_memory(megabytes: int) -> None:
    """Give the connections that this process opens from now on less memory: it serves pages, and shares its memory."""
    global MEMORY_LIMIT
    MEMORY_LIMIT = f"{megabytes:d}MB"


def identifier(name: str) -> str:
    """Quote a column name for SQL.

    Examples
    --------
    >>> identifier("birth year")
    '"birth year"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | Path) -> str:
    """Quote a string for SQL.

    Examples
    --------
    >>> literal("it's")
    "'it''s'"
    """
    return "'" + str(value).replace("'", "''") + "'"
