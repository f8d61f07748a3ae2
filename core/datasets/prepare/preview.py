"""What a recipe does to the first rows of a table."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._frame import load_frame
from core.datasets._stored_rows import first_rows_table
from core.datasets.prepare.effect import Effect
from core.datasets.prepare.recipe import Recipe
from core.datasets.prepare.session import StepError, open_table, step_errors
from core.datasets.prepare.typed import kind_of
from core.errors import LimitError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Preview", "preview_recipe"]

PREVIEW_ROWS = 2_000
_PREVIEW_BYTES = 8 * 2**20


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
        Changes by each step in these rows, up to the first one that is not possible.
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
        Number of rows to look at; fewer where their texts are long.
    tables : mapping of str to Path, default={}
        Parquet files of other datasets by id.

    Returns
    -------
    Preview
    """
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
        first = Path(folder) / "first.parquet"
        pq.write_table(first_rows_table(path, rows, max_bytes=_PREVIEW_BYTES), first)
        with open_table(first, Path(folder), Path(folder), tables or {}, partial=True) as table:
            before, effects = table.rows, []
            error: StepError | LimitError | None = None
            for number, step in enumerate(recipe.steps):
                try:
                    with step_errors(number, step.describe()):
                        effects.append(step.apply(table)[0])
                except (StepError, LimitError) as caught:
                    error = caught
                    break
            table.save(out := Path(folder) / "preview.parquet")
            types = {name: kind_of(kind) or kind.lower() for name, kind in table.columns.items()}
        return Preview(load_frame(out), types, tuple(effects), error, before)
