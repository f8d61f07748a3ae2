"""The steps that lead to the prediction for one row. pandas and NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError, LimitError
from core.explain.attribution import attribute
from core.explain.cells import cell_text, require_one_row
from core.explain.deadline import Deadline
from core.explain.explained_model import Label, Score, class_names, explained_function
from core.explain.sampling import row_seconds
from core.explain.shap_values import ShapValues
from core.explain.speed import Speed

__all__ = ["Waterfall", "explain_row", "waterfall"]

_STEPS = 10
_REFERENCES = 50
_FEWER_REFERENCES = (20, 10)  # of one pair of orders, where there is no time for more
_ROW_S = 4.0  # a page waits for it
_SAFE_SHARE = 0.5  # of the time is planned for: a busy machine takes longer than it did when it was measured


@dataclass(frozen=True)
class Waterfall:
    """The steps from the base to a row's output.

    Parameters
    ----------
    label : str
        The class, or "prediction".
    space : str
        Space of all values: log-odds, margin, probability, prediction.
    base, output : float
        Start and end of the steps.
    steps : DataFrame
        feature, value (the cell as text), contribution, start, end; the largest first, then the remaining ones in one.
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
        """Return it as JSON-serializable values."""
        return {
            "label": self.label,
            "space": self.space,
            "base": self.base,
            "output": self.output,
            "steps": self.steps.to_dict(orient="records"),
            "row_id": self.row_id,
        }


def waterfall(shap: ShapValues, row_id: int, label: str | None = None, *, top: int = _STEPS) -> Waterfall:
    """Return the steps that lead to the output of a row.

    Parameters
    ----------
    shap : ShapValues
        SHAP values that include the row: those of an `Explanation`, or what `explain_row` returned.
    row_id : int
        Position in the table.
    label : str, optional
        The class; of several, the one with the largest output by default.
    top : int, default=10
        Number of steps; the rest is one more.

    Raises
    ------
    InputError
        When there are no values of that row or class.

    See Also
    --------
    explain_row : SHAP values of any row.
    """
    matches = np.flatnonzero(shap.row_id == row_id)
    if not len(matches):
        raise InputError(f"There are no SHAP values of row {row_id}.", "Choose a row that was explained.")
    row = int(matches[0])
    code = int(shap.outputs[row].argmax()) if label is None else shap.class_index(label)
    values = shap.values[row, :, code]
    order = np.argsort(-np.abs(values), kind="stable")
    lines = [(shap.features[i], cell_text(shap.data[shap.features[i]].iloc[row]), values[i]) for i in order[:top]]
    if len(order) > top:
        lines.append((f"{len(order) - top:,} others", "", values[order[top:]].sum()))
    steps = pd.DataFrame(lines, columns=["feature", "value", "contribution"])
    base = float(shap.base[code])
    steps["end"] = base + steps["contribution"].cumsum()
    steps["start"] = steps["end"] - steps["contribution"]
    return Waterfall(
        label=shap.classes[code],
        space=shap.space,
        base=base,
        output=float(shap.outputs[row, code]),
        steps=steps[["feature", "value", "contribution", "start", "end"]],
        row_id=row_id,
    )


def explain_row(
    score: Score,
    row: pd.DataFrame,
    background: pd.DataFrame,
    labels: Sequence[Label] | None,
    *,
    columns: Sequence[str] | None = None,
    pairs: int = 5,
    row_id: int = 0,
    seed: int = 0,
    budget_s: float = _ROW_S,
) -> ShapValues:
    """Explain one row of any scoring function, on the probability, by sampled permutations.

    Parameters
    ----------
    score : callable
        Takes raw rows, returns probabilities, shape (n, classes), or numbers: ``TableScorer(path).outputs``.
    row : DataFrame of shape (1, columns)
        The row.
    background : DataFrame of shape (b, columns)
        Rows that stand for "unknown"; 50 of them are drawn.
    labels : sequence or None
        Names of the classes in the order of the probabilities; None for a number.
    columns : sequence of str, optional
        Columns that the model uses; by default all of the row's.
    pairs : int, default=5
        Number of orders of columns, and of their reverses; fewer, down to one, and with fewer background rows, where
        time is short.
    row_id : int, default=0
        Position of the row in its table.
    seed : int, default=0
        Seed of the orders and of the background rows.
    budget_s : float, default=4.0
        Maximum duration in seconds.

    Returns
    -------
    ShapValues
        SHAP values of one row; they add up exactly.

    Raises
    ------
    LimitError
        When there is no time for one pair of orders: the table has too many columns for so slow a model.

    Examples
    --------
    >>> table = pd.DataFrame({"a": [0.0, 4.0], "b": [1.0, 1.0]})
    >>> shap = explain_row(lambda frame: frame["a"] * frame["b"], table.iloc[[1]], table, None)
    >>> shap.values.ravel().tolist(), shap.base.tolist()
    ([2.0, 0.0], [2.0])
    """
    require_one_row(row)
    names, output_indices = class_names(labels)
    model = explained_function(
        score, list(columns) if columns is not None else [str(name) for name in row.columns], output_indices
    )
    deadline = Deadline.after(budget_s)
    known, X = model.encode(background), model.encode(row)
    speed = Speed.measure(model.outputs, X)
    effort = choose_effort(speed, len(model.columns), pairs, len(known), _SAFE_SHARE * deadline.left())
    if effort is None:
        raise _too_slow(len(model.columns), budget_s)
    shap = attribute(
        model,
        X,
        row,
        np.array([row_id]),
        names,
        space="prediction" if labels is None else "probability",
        background=known,
        deadline=deadline,
        pairs=effort[0],
        references=effort[1],
        seed=seed,
    ).shap
    if shap is None:
        raise _too_slow(len(model.columns), budget_s)
    return shap


def choose_effort(speed: Speed, columns: int, pairs: int, known: int, seconds: float) -> tuple[int, int] | None:
    """Return the most pairs and background rows that there is time for; None when there is none for the fewest."""
    efforts = [(count, _REFERENCES) for count in range(pairs, 0, -1)] + [(1, few) for few in _FEWER_REFERENCES]
    for count, references in efforts:
        if row_seconds(speed, columns, columns, pairs=count, references=min(references, known)) <= seconds:
            return count, references
    return None


def _too_slow(columns: int, seconds: float) -> LimitError:
    return LimitError(
        f"The SHAP values of this row take longer than {seconds:g} s: the model is called again for each of the "
        f"{columns:,} columns.",
        "The prediction itself is not affected. A model with fewer columns can be explained row by row.",
    )
