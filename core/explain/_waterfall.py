"""One row: the steps that lead to the model's answer. pandas and NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError, LimitError
from core.explain._attribute import attribute
from core.explain._deadline import Deadline
from core.explain._rows import cell_text, require_one
from core.explain._sampler import row_seconds
from core.explain._shap import ShapValues
from core.explain._speed import Speed
from core.explain._subject import Score, class_names, of_score

__all__ = ["Waterfall", "explain_row", "waterfall"]

STEPS = 10
REFERENCES = 50
FEWER = (20, 10)  # references of one pair of orders, where there is no time for more
ROW_S = 4.0  # a page waits for it
SAFE = 0.5  # of the time is planned for: a busy machine takes longer than it did when it was measured


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
    lines = [
        (shap.features[each], cell_text(shap.data[shap.features[each]].iloc[row]), values[each]) for each in order[:top]
    ]
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
    budget_s: float = ROW_S,
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
        Orders of columns, and as many reverses; fewer, down to one, and of fewer background rows where time is short.
    budget_s : float
        Seconds that it may take.

    Returns
    -------
    ShapValues
        Of one row; they add up exactly.

    Raises
    ------
    LimitError
        When there is no time for one pair of orders: the table has too many columns for so slow a model.

    Examples
    --------
    >>> table = pd.DataFrame({"a": [0.0, 4.0], "b": [1.0, 1.0]})
    >>> found = explain_row(lambda frame: frame["a"] * frame["b"], table.iloc[[1]], table, None)
    >>> found.values.ravel().tolist(), found.base.tolist()
    ([2.0, 0.0], [2.0])
    """
    require_one(row)
    names, picked = class_names(labels)
    subject = of_score(score, list(columns) if columns is not None else [str(name) for name in row.columns], picked)
    deadline = Deadline.after(budget_s)
    known, X = subject.encode(background), subject.encode(row)
    speed = Speed.measure(subject.outputs, X)
    effort = _effort(speed, len(subject.columns), pairs, len(known), SAFE * deadline.left())
    if effort is None:
        raise _too_slow(len(subject.columns), budget_s)
    found, _, _ = attribute(
        subject,
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
    )
    if found is None:
        raise _too_slow(len(subject.columns), budget_s)
    return found


def _effort(speed: Speed, columns: int, pairs: int, known: int, seconds: float) -> tuple[int, int] | None:
    """Return the most pairs and background rows that there is time for; None when there is none for the fewest."""
    for each, references in [*((each, REFERENCES) for each in range(pairs, 0, -1)), *((1, few) for few in FEWER)]:
        if row_seconds(speed, columns, columns, pairs=each, references=min(references, known)) <= seconds:
            return each, references
    return None


def _too_slow(columns: int, seconds: float) -> LimitError:
    return LimitError(
        f"The SHAP values of this row take longer than {seconds:g} s: the model is asked again for each of the "
        f"{columns:,} columns.",
        "The prediction itself is not affected. A model of fewer columns can be explained row by row.",
    )
