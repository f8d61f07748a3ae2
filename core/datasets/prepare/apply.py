"""Apply a recipe to a table."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._frame import load_frame, store_frame
from core.datasets.prepare.effect import Effect
from core.datasets.prepare.recipe import Recipe
from core.datasets.prepare.session import open_table, step_errors
from core.files import atomic_write
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Prepared", "apply_recipe", "prepare_file"]


@dataclass(frozen=True)
class Prepared:
    """A table that a recipe made.

    Parameters
    ----------
    path : Path
        Parquet file of the table. It is removed with this object.
    effects : tuple of Effect
        Changes by each step.
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
        Changes by each step.
    fitted : Recipe
        The recipe with what its steps learned from this table.

    Raises
    ------
    StepError
        When a step is not possible.
    LimitError
        When a step needs too much memory.
    """
    with open_table(path, workdir, out.parent, tables or {}) as table:
        effects, fitted = [], []
        for number, step in enumerate(recipe.steps):
            report(Event("prepare", number / (len(recipe.steps) + 1), step.describe()))
            with step_errors(number, step.describe()):
                effect, done = step.apply(table)
            effects.append(effect)
            fitted.append(done)
        report(Event("prepare", len(recipe.steps) / (len(recipe.steps) + 1), "Writing the table"))
        with step_errors(len(recipe.steps) - 1, "Writing the table"), atomic_write(out) as partial:
            table.save(partial)
    return tuple(effects), Recipe(fitted)
