"""Apply a recipe to a table."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._frame import load_frame, store_frame
from core.datasets.prepare.effect import Effect
from core.datasets.prepare.functions import kind_of
from core.datasets.prepare.recipe import Recipe
from core.datasets.prepare.work_table import WorkTable
from core.errors import InputError, LimitError, PlumblineError
from core.files import atomic_write
from core.progress import Event, Report, silent
from core.query import connect, literal

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["Prepared", "Preview", "StepError", "apply_recipe", "prepare_file", "preview_recipe"]

PREVIEW_ROWS = 2_000


class StepError(InputError):
    """A step that is not possible; `step` is its number, from 0."""

    def __init__(self, message: str, hint: str, step: int) -> None:
        super().__init__(message, hint)
        self.step = step


@dataclass(frozen=True)
class Prepared:
    """A table that a recipe made.

    Parameters
    ----------
    path : Path
        Parquet file of the table. It is removed with this object.
    effects : tuple of Effect
        What each step changed.
    fitted : Recipe
        The recipe with what its steps learned from this table: the row-wise ones do the same to other rows.
    """

    path: Path
    effects: tuple[Effect, ...]
    fitted: Recipe

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The table in memory, loaded on first access."""
        return load_frame(self.path)


def apply_recipe(
    frame: pd.DataFrame | str | Path, recipe: Recipe, *, tables: Mapping[str, pd.DataFrame | str | Path] | None = None
) -> Prepared:
    """Apply a recipe to a table.

    Parameters
    ----------
    frame : pandas.DataFrame or path
        Table, or the path of its Parquet file.
    recipe : Recipe
        Steps.
    tables : mapping, default={}
        Other tables by the id that steps name, for those that join or append one.

    Returns
    -------
    Prepared
        The new table, and what each step changed.

    Raises
    ------
    StepError
        When a step is not possible; nothing is changed then.
    LimitError
        When a step needs too much memory.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"fee": ["$1,200", "$80", "$80"], "id": [1, 2, 3]})
    >>> recipe = Recipe([{"step": "change_type", "column": "fee", "type": "number"},
    ...                  {"step": "derive", "column": "yearly", "expression": "fee * 12"},
    ...                  {"step": "drop", "columns": ["id"]}])
    >>> prepared = apply_recipe(table, recipe)
    >>> prepared.frame.to_dict("list")
    {'fee': [1200.0, 80.0, 80.0], 'yearly': [14400.0, 960.0, 960.0]}
    >>> prepared.effects[0].summary
    'changes 3 cells'
    """
    base = Path(tempfile.mkdtemp(prefix="plumbline-"))
    try:
        prepared = _apply_in(base, frame, recipe, tables or {})
    except BaseException:
        shutil.rmtree(base, ignore_errors=True)
        raise
    weakref.finalize(prepared, shutil.rmtree, base, ignore_errors=True)
    return prepared


def _apply_in(
    base: Path,
    frame: pd.DataFrame | str | Path,
    recipe: Recipe,
    tables: Mapping[str, pd.DataFrame | str | Path],
) -> Prepared:
    paths = {
        name: _as_path(table, base / f"other-{number}.parquet") for number, (name, table) in enumerate(tables.items())
    }
    path = _as_path(frame, base / "table.parquet")
    out = base / "prepared.parquet"
    effects, fitted = prepare_file(path, recipe, out, workdir=base, tables=paths)
    return Prepared(out, effects, fitted)


def _as_path(table: pd.DataFrame | str | Path, path: Path) -> Path:
    return Path(table) if isinstance(table, str | Path) else store_frame(table, path)


def prepare_file(
    path: Path,
    recipe: Recipe,
    out: Path,
    *,
    workdir: Path,
    tables: Mapping[str, Path] | None = None,
    report: Report = silent,
) -> tuple[tuple[Effect, ...], Recipe]:
    """Apply a recipe to a Parquet file and write another.

    Parameters
    ----------
    path : Path
        Table.
    recipe : Recipe
        Steps.
    out : Path
        File to write.
    workdir : Path
        Folder for temporary files.
    tables : mapping of str to Path, default={}
        Parquet files of other datasets by id.
    report : callable, optional
        Callback for progress.

    Returns
    -------
    effects : tuple of Effect
        What each step changed.
    fitted : Recipe
        The recipe with what its steps learned from this table.

    Raises
    ------
    StepError
        When a step is not possible.
    LimitError
        When a step needs too much memory.
    """
    with _open(path, workdir, out.parent, tables or {}) as table:
        effects, fitted = [], []
        for number, step in enumerate(recipe.steps):
            report(Event("prepare", number / (len(recipe.steps) + 1), step.describe()))
            with _step_errors(number, step.describe()):
                effect, done = step.apply(table)
            effects.append(effect)
            fitted.append(done)
        report(Event("prepare", len(recipe.steps) / (len(recipe.steps) + 1), "Writing the table"))
        with _step_errors(len(recipe.steps) - 1, "Writing the table"), atomic_write(out) as partial:
            table.save(partial)
    return tuple(effects), Recipe(fitted)


@dataclass(frozen=True)
class Preview:
    """What a recipe does to the first rows of a table.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows after the steps that are possible.
    types : dict of str to str
        Type of each column: number, integer, text, boolean, date, timestamp, or what DuckDB calls another one.
    effects : tuple of Effect
        What each step did to these rows, up to the first one that is not possible.
    error : StepError or LimitError, optional
        Why the next step is not possible.
    rows : int
        Number of rows that were looked at.
    """

    frame: pd.DataFrame
    types: dict[str, str]
    effects: tuple[Effect, ...]
    error: StepError | LimitError | None
    rows: int


def preview_recipe(
    path: Path, recipe: Recipe, *, rows: int = PREVIEW_ROWS, tables: Mapping[str, Path] | None = None
) -> Preview:
    """Apply a recipe to the first rows of a Parquet file.

    Parameters
    ----------
    path : Path
        Table.
    recipe : Recipe
        Steps.
    rows : int, default=2000
        Number of rows to look at.
    tables : mapping of str to Path, default={}
        Parquet files of other datasets by id.

    Returns
    -------
    Preview
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
        first = Path(folder) / "first.parquet"
        with pq.ParquetFile(path) as file:
            batch = next(file.iter_batches(batch_size=rows), None)
            pq.write_table(file.schema_arrow.empty_table() if batch is None else pa.Table.from_batches([batch]), first)
        with _open(first, Path(folder), Path(folder), tables or {}, partial=True) as table:
            before, effects = table.rows, []
            error: StepError | LimitError | None = None
            for number, step in enumerate(recipe.steps):
                try:
                    with _step_errors(number, step.describe()):
                        effects.append(step.apply(table)[0])
                except (StepError, LimitError) as caught:
                    error = caught
                    break
            table.save(out := Path(folder) / "preview.parquet")
            types = {name: kind_of(kind) or kind.lower() for name, kind in table.columns.items()}
        return Preview(load_frame(out), types, tuple(effects), error, before)


@contextmanager
def _open(
    path: Path, workdir: Path, folder: Path, tables: Mapping[str, Path], *, partial: bool = False
) -> Iterator[WorkTable]:
    """Open a table in a connection that reaches these files alone."""
    with tempfile.TemporaryDirectory(prefix="preparing-", dir=workdir) as scratch, connect(scratch) as connection:
        _lock(connection, [path, *tables.values()], [Path(scratch), folder])
        yield WorkTable(connection, path, Path(scratch), tables, partial=partial)


def _lock(connection: duckdb.DuckDBPyConnection, files: list[Path], folders: list[Path]) -> None:
    """Let a connection read these files and write into these folders, and nothing else."""
    paths = ", ".join(literal(path) for path in files)
    directories = ", ".join(literal(f"{folder}/") for folder in folders)
    connection.execute(
        f"SET allowed_paths = [{paths}]; SET allowed_directories = [{directories}]; "
        "SET enable_external_access = false; SET lock_configuration = true"
    )


class _step_errors:
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
