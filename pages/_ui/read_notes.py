"""Sentences on what was read of a stored table, for beside the figures and the rows that rest on it."""

from __future__ import annotations

from core.datasets import StoredRows

__all__ = ["CELL_CHARS", "cut_note", "sample_note", "sample_size"]

CELL_CHARS = 2_000
"""Length to which texts of tables are cut that are shown."""


def cut_note(rows: StoredRows) -> str:
    """Return the sentence that says how many of the texts that `first_rows` returned are cut; empty where none is.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> cut_note(StoredRows(pd.DataFrame(), np.arange(2), 3, shortened=1))
    '1 text is cut to 2,000 characters.'
    """
    if not rows.shortened:
        return ""
    return f"{rows.shortened:,} text{'s are' if rows.shortened > 1 else ' is'} cut to {CELL_CHARS:,} characters."


def sample_size(rows: StoredRows) -> tuple[int, int] | None:
    """Return how many rows were drawn of how many; None where all were read."""
    return None if rows.complete else (len(rows.positions), rows.total)


def sample_note(rows: StoredRows, what: str) -> str:
    """Return the sentence that says what figures rest on; empty where that is all rows.

    Parameters
    ----------
    rows : StoredRows
        Rows that were read.
    what : str
        Name of the rows.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> sample_note(StoredRows(pd.DataFrame(), np.arange(2), 3), "test rows")
    'The figures rest on a random sample of 2 of 3 test rows.'
    """
    if rows.complete:
        return ""
    return f"The figures rest on a random sample of {len(rows.positions):,} of {rows.total:,} {what}."
