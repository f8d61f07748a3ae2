"""What all looks at one row share."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.errors import InputError

__all__ = ["cell_text", "require_one"]


def require_one(row: pd.DataFrame) -> None:
    """Refuse a table of none or several rows."""
    if len(row) != 1:
        raise InputError(f"One row is looked at, and {len(row):,} were given.", "Give a table of one row.")


def cell_text(value: Any) -> str:
    """Return a cell as text.

    Examples
    --------
    >>> cell_text(0.1 + 0.2), cell_text(None), cell_text("a")
    ('0.3', '(missing)', 'a')
    """
    if pd.isna(value):
        return "(missing)"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
