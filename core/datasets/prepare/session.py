"""The session in which steps run: a locked connection, and errors that name the step."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets.prepare.work_table import WorkTable
from core.errors import InputError, LimitError, PlumblineError
from core.query import connect, literal

if TYPE_CHECKING:
    import duckdb

__all__ = ["StepError", "column_types", "open_table", "step_errors"]


class StepError(InputError):
    """A step that is not possible; `step` is its number, from 0."""

    def __init__(self, message: str, hint: str, step: int) -> None:
        super().__init__(message, hint)
        self.step = step


@contextmanager
def open_table(
    path: Path, workdir: Path, folder: Path, tables: Mapping[str, Path], *, partial: bool = False
) -> Iterator[WorkTable]:
    """Open a table in a connection that reaches these files alone."""
    with tempfile.TemporaryDirectory(prefix="preparing-", dir=workdir) as scratch, connect(scratch) as connection:
        _lock(connection, [path, *tables.values()], [Path(scratch), folder])
        yield WorkTable(connection, path, Path(scratch), tables, partial=partial)


def column_types(path: Path) -> dict[str, str]:
    """Return the DuckDB type of each column of a Parquet file by name."""
    with (
        tempfile.TemporaryDirectory(prefix="plumbline-") as folder,
        open_table(path, Path(folder), Path(folder), {}) as table,
    ):
        return dict(table.columns)


def _lock(connection: duckdb.DuckDBPyConnection, files: list[Path], folders: list[Path]) -> None:
    """Let a connection read these files and write into these folders, and nothing else."""
    paths = ", ".join(literal(path) for path in files)
    directories = ", ".join(literal(f"{folder}/") for folder in folders)
    connection.execute(
        f"SET allowed_paths = [{paths}]; SET allowed_directories = [{directories}]; "
        "SET enable_external_access = false; SET lock_configuration = true"
    )


class step_errors:
    """Name the step in errors of its work."""

    def __init__(self, number: int, phrase: str) -> None:
        self._number, self._phrase = number, phrase

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        import duckdb

        name = f"Step {self._number + 1} ({self._phrase[:80]})"
        if isinstance(error, PlumblineError):
            raise StepError(f"{name}: {error.message}", error.hint, self._number) from error
        if isinstance(error, duckdb.OutOfMemoryException):
            raise LimitError(f"{name} needs too much memory.", "Filter rows or drop columns before it.") from error
        if isinstance(error, duckdb.Error):
            raise StepError(
                f"{name} is not possible: {str(error).splitlines()[0][:200]}",
                "Change or remove this step.",
                self._number,
            ) from error
