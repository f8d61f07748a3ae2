"""One row, edited: what the model says of it then. pandas and NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pandas.api import types

from core.errors import InputError
from core.explain._rows import cell_text, require_one
from core.explain._subject import Array, Score, as_matrix

__all__ = ["WhatIf", "edited", "what_if"]


@dataclass(frozen=True)
class WhatIf:
    """A row as it was and as it was edited.

    Parameters
    ----------
    before, after : array of shape (classes,) or (1,)
        Probabilities, or the number.
    row : DataFrame of shape (1, columns)
        The edited row.
    changed : tuple of str
        Columns whose cell differs now.
    """

    before: Array
    after: Array
    row: pd.DataFrame
    changed: tuple[str, ...]


def _cell(column: pd.Series, value: Any) -> Any:
    """Return a value as the column has it."""
    kind = column.dtype
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    if types.is_datetime64_any_dtype(kind):
        found = pd.Timestamp(value)
        zone = getattr(kind, "tz", None)
        return found if (found.tzinfo is None) == (zone is None) else found.tz_localize(zone)
    if types.is_bool_dtype(kind):
        if value not in (True, False):
            raise ValueError("True or False is asked for")
        return bool(value)
    if types.is_numeric_dtype(kind):
        return pd.to_numeric(value)
    return str(value) if types.is_string_dtype(kind) else value


def edited(row: pd.DataFrame, edits: Mapping[str, Any]) -> pd.DataFrame:
    """Return a row with other cells.

    Raises
    ------
    InputError
        When there is no such column, or it does not take the value.

    Examples
    --------
    >>> edited(pd.DataFrame({"age": [30], "job": ["a"]}), {"age": 31.5}).to_dict("records")
    [{'age': 31.5, 'job': 'a'}]
    """
    changed = row.copy()
    for name, value in edits.items():
        if name not in row.columns:
            raise InputError(f"The row has no column '{name}'.", "Edit the columns that the model uses.")
        try:
            cell = _cell(row[name], value)
            wider = pd.Series([cell], index=row.index)
            fits = cell is not None and not types.is_numeric_dtype(row[name].dtype)
            changed[name] = wider.astype(row[name].dtype) if fits else wider
        except (ValueError, TypeError) as error:
            raise InputError(
                f"'{name}' cannot be {value!r} ({error}).", f"It holds values like {row[name].iloc[0]!r}."
            ) from error
    return changed


def what_if(score: Score, row: pd.DataFrame, edits: Mapping[str, Any]) -> WhatIf:
    """Score a row as it is and as edited.

    Parameters
    ----------
    score : callable
        As of `explain_row`.
    row : DataFrame of shape (1, columns)
        The row.
    edits : mapping
        New cells by column; None empties one.

    Raises
    ------
    InputError
        When there is no such column, or it does not take the value.

    Examples
    --------
    >>> found = what_if(lambda frame: 2 * frame["a"], pd.DataFrame({"a": [1.0]}), {"a": 3})
    >>> found.before.tolist(), found.after.tolist(), found.changed
    ([2.0], [6.0], ('a',))
    """
    require_one(row)
    after = edited(row, edits)
    changed = tuple(name for name in edits if cell_text(after[name].iloc[0]) != cell_text(row[name].iloc[0]))
    return WhatIf(as_matrix(score(row))[0], as_matrix(score(after))[0], after, changed)
