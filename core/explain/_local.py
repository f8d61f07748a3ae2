"""One row: what moved the model's answer, and what it says of an edited row. pandas and NumPy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from core.errors import InputError
from core.explain._attribute import attribute
from core.explain._deadline import Deadline
from core.explain._shap import ShapValues
from core.explain._subject import Array, Score, as_matrix, class_names, of_score

__all__ = ["Waterfall", "WhatIf", "edited", "explain_row", "waterfall", "what_if"]

STEPS = 10
REFERENCES = 50


@dataclass(frozen=True)
class Waterfall:
    """The steps from the base to a row's output.

    Parameters
    ----------
    label : str
        The class, or "prediction".
    space : str
        Of all figures: log-odds, margin, probability, prediction.
    base, output : float
        Where it starts and ends.
    steps : DataFrame
        feature, value (the cell as text), contribution, start, end; the largest first, then what is left in one.
    row_id : int
        Position in the table.
    """

    label: str
    space: str
    base: float
    output: float
    steps: pd.DataFrame
    row_id: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""
        return {
            "label": self.label,
            "space": self.space,
            "base": self.base,
            "output": self.output,
            "steps": self.steps.to_dict(orient="records"),
            "row_id": self.row_id,
        }


def _text(value: Any) -> str:
    if pd.isna(value):
        return "(missing)"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def waterfall(shap: ShapValues, row_id: int, label: str | None = None, *, top: int = STEPS) -> Waterfall:
    """Return the steps that lead to the output of a row.

    Parameters
    ----------
    shap : ShapValues
        That has the row: those of an `Explanation`, or what `explain_row` returned.
    row_id : int
        Position in the table.
    label : str, optional
        Which class; of several, the one with the largest output by default.
    top : int
        Steps; the rest is one more.

    Raises
    ------
    InputError
        When there are no values of that row or class.
    """
    found = np.flatnonzero(shap.row_id == row_id)
    if not len(found):
        raise InputError(f"There are no SHAP values of row {row_id}.", "Choose a row that was explained.")
    row = int(found[0])
    code = int(shap.outputs[row].argmax()) if label is None else shap.place(label)
    values = shap.values[row, :, code]
    order = np.argsort(-np.abs(values), kind="stable")
    lines = [(shap.features[each], _text(shap.data[shap.features[each]].iloc[row]), values[each])
             for each in order[:top]]  # fmt: skip
    if len(order) > top:
        lines.append((f"{len(order) - top:,} others", "", values[order[top:]].sum()))
    steps = pd.DataFrame(lines, columns=["feature", "value", "contribution"])
    base = float(shap.base[code])
    steps["end"] = base + steps["contribution"].cumsum()
    steps["start"] = steps["end"] - steps["contribution"]
    return Waterfall(
        shap.classes[code],
        shap.space,
        base,
        float(shap.outputs[row, code]),
        steps[["feature", "value", "contribution", "start", "end"]],
        row_id,
    )


def explain_row(
    score: Score,
    row: pd.DataFrame,
    background: pd.DataFrame,
    labels: Sequence[Any] | None,
    *,
    columns: Sequence[str] | None = None,
    pairs: int = 5,
    row_id: int = 0,
    seed: int = 0,
) -> ShapValues:
    """Explain one row of any scoring function, on the probability, by sampled permutations.

    Parameters
    ----------
    score : callable
        Takes raw rows, returns probabilities, shape (n, classes), or numbers: ``TableScorer(path).outputs``.
    row : DataFrame of shape (1, columns)
        The row.
    background : DataFrame of shape (b, columns)
        Rows that stand for "not known"; 50 of them are drawn.
    labels : sequence or None
        The classes in the order of the probabilities; None for a number.
    columns : sequence of str, optional
        That the model uses; by default all of the row's.
    pairs : int
        Orders of columns, and as many reverses.

    Returns
    -------
    ShapValues
        Of one row; they add up exactly.

    Examples
    --------
    >>> table = pd.DataFrame({"a": [0.0, 4.0], "b": [1.0, 1.0]})
    >>> found = explain_row(lambda frame: frame["a"] * frame["b"], table.iloc[[1]], table, None)
    >>> found.values.ravel().tolist(), found.base.tolist()
    ([2.0, 0.0], [2.0])
    """
    _one(row)
    names, picked = class_names(labels)
    subject = of_score(score, list(columns) if columns is not None else [str(name) for name in row.columns], picked)
    known = subject.encode(background)
    found, _, _ = attribute(
        subject,
        subject.encode(row),
        row,
        np.array([row_id]),
        names,
        space="prediction" if labels is None else "probability",
        background=known,
        deadline=Deadline.after(3600),
        pairs=pairs,
        references=REFERENCES,
        seed=seed,
    )
    assert found is not None
    return found


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


def _one(row: pd.DataFrame) -> None:
    if len(row) != 1:
        raise InputError(f"One row is looked at, and {len(row):,} were given.", "Give a table of one row.")


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
    _one(row)
    after = edited(row, edits)
    changed = tuple(name for name in edits if _text(after[name].iloc[0]) != _text(row[name].iloc[0]))
    return WhatIf(as_matrix(score(row))[0], as_matrix(score(after))[0], after, changed)
