"""One edited row, and the model's prediction for it. pandas and NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from pandas.api import types

from core.columns import require_columns
from core.errors import InputError
from core.explain.cells import Cell, cell_text, require_one_row
from core.explain.explained_model import Array, Score, as_matrix

__all__ = ["WhatIf", "edit_row", "what_if"]


@dataclass(frozen=True)
class WhatIf:
    """A row before and after it was edited.

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


def _convert(column: pd.Series, value: Cell) -> Cell:
    """Return a value in the column's own type."""
    dtype = column.dtype
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    if types.is_datetime64_any_dtype(dtype):
        moment = pd.Timestamp(value)
        zone = getattr(dtype, "tz", None)
        converted: Cell = moment if (moment.tzinfo is None) == (zone is None) else moment.tz_localize(zone)
        return converted
    if types.is_bool_dtype(dtype):
        if value not in (True, False):
            raise ValueError("it must be True or False")
        return bool(value)
    if types.is_numeric_dtype(dtype):
        number: Cell = pd.to_numeric(value)
        return number
    return str(value) if types.is_string_dtype(dtype) else value


def edit_row(row: pd.DataFrame, edits: Mapping[str, Cell]) -> pd.DataFrame:
    """Return a row with other cells.

    Raises
    ------
    InputError
        When a column is unknown, or it does not take the value.

    Examples
    --------
    >>> edit_row(pd.DataFrame({"age": [30], "job": ["a"]}), {"age": 31.5}).to_dict("records")
    [{'age': 31.5, 'job': 'a'}]
    """
    require_columns(row.columns, edits, what="The row")
    changed = row.copy()
    for name, value in edits.items():
        try:
            cell = _convert(row[name], value)
            wider = pd.Series([cell], index=row.index)
            fits = cell is not None and not types.is_numeric_dtype(row[name].dtype)
            changed[name] = wider.astype(row[name].dtype) if fits else wider
        except (ValueError, TypeError) as error:
            raise InputError(
                f"'{name}' cannot be {value!r} ({error}).", f"It holds values like {row[name].iloc[0]!r}."
            ) from error
    return changed


def what_if(score: Score, row: pd.DataFrame, edits: Mapping[str, Cell]) -> WhatIf:
    """Score a row before and after it is edited.

    Parameters
    ----------
    score : callable
        Takes raw rows, returns probabilities, shape (n, classes), or numbers.
    row : DataFrame of shape (1, columns)
        The row.
    edits : mapping
        New cells by column; None empties one.

    Raises
    ------
    InputError
        When a column is unknown, or it does not take the value.

    See Also
    --------
    counterfactuals : Searches for edits that lead to a desired prediction.

    Examples
    --------
    >>> result = what_if(lambda frame: 2 * frame["a"], pd.DataFrame({"a": [1.0]}), {"a": 3})
    >>> result.before.tolist(), result.after.tolist(), result.changed
    ([2.0], [6.0], ('a',))
    """
    require_one_row(row)
    after = edit_row(row, edits)
    changed = tuple(name for name in edits if cell_text(after[name].iloc[0]) != cell_text(row[name].iloc[0]))
    return WhatIf(as_matrix(score(row))[0], as_matrix(score(after))[0], after, changed)
