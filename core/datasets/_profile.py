"""Profiling of a table: one scan of DuckDB, then exact counts of repeated values."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._column_profile import Profile
from core.datasets._frame import store_frame
from core.datasets._isolation import profile_isolated
from core.datasets._limits import Limits
from core.datasets._profile_scan import scan
from core.datasets._table import Table
from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["profile"]


def profile(table: Table | str | Path | pd.DataFrame, *, limits: Limits | None = None) -> Profile:
    """Profile a table.

    Parameters
    ----------
    table : Table, path or pandas.DataFrame
        Table to describe, or the path of its Parquet file. A file may come from anywhere, and so it is profiled in a
        process of its own; a `Table` was checked when it was read.
    limits : Limits, optional
        Largest table that is profiled, and the memory and processor time that it may take; by default those of the
        installation.

    Returns
    -------
    Profile

    Raises
    ------
    InputError
        When a file is damaged.
    LimitError
        When the table is larger than the limits, or needs more memory or processor time.

    See Also
    --------
    check : Check a table for what would spoil a model.

    Examples
    --------
    >>> import pandas as pd
    >>> columns = profile(pd.DataFrame({"x": [1.0, 2.0, None], "y": ["a", "b", "a"]}))
    >>> columns["x"].kind, columns["x"].missing, columns["x"].mean
    ('number', 1, 1.5)
    >>> columns["y"].kind, columns["y"].top
    ('category', (('a', 2), ('b', 1)))
    """
    limits = limits or Limits.from_settings()
    with tempfile.TemporaryDirectory(prefix="plumbline-") as name:
        folder = Path(name)
        if isinstance(table, Table):
            return scan(table.path, folder, limits)
        if not isinstance(table, str | Path):
            return scan(store_frame(table, folder / "table.parquet"), folder, limits)
        path = Path(table)
        if not path.is_file():
            raise InputError(f"The file {path.name!r} does not exist.", "Give the path of a Parquet file.")
        return profile_isolated(path, folder, limits) if limits.memory_mb else scan(path, folder, limits)
