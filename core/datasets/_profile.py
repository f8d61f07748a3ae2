"""Profiling of a table: one scan of DuckDB, then exact counts of repeated values."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._column_profile import Profile
from core.datasets._frame import store_frame
from core.datasets._profile_scan import scan

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["profile"]


def profile(table: str | Path | pd.DataFrame) -> Profile:
    """Profile a table.

    Parameters
    ----------
    table : path or pandas.DataFrame
        Table to describe, or the path of its Parquet file.

    Returns
    -------
    Profile

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
    with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
        path = Path(table) if isinstance(table, str | Path) else store_frame(table, Path(folder) / "table.parquet")
        return scan(path, Path(folder))
