"""Parity: whether an exported file answers as its model does, row by row; a file that does not is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import TypedDict  # what pydantic reads before Python 3.12

from core.edge.export.decisions import NO_DECISION
from core.edge.export.metadata import Label
from core.errors import ExportError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "TIE",
    "TOLERANCE",
    "Answers",
    "Parity",
    "ParityRecord",
    "compare",
    "describe_differences",
    "regression_units",
    "require_parity",
    "sample",
]

TOLERANCE = 1e-3
"""Largest difference of a probability, or of a number in units of its spread, that counts as equal."""
TIE = 1e-6
"""Two labels whose probabilities are this close are a tie: either is right."""
ROWS = 20_000
_SHOWN = 20


@dataclass(frozen=True)
class Answers:
    """The answers of a model.

    Parameters
    ----------
    outputs : ndarray of shape (n, classes) or (n, 1)
        Probabilities of the classes, or numbers.
    chosen : ndarray of shape (n,), optional
        Index of the predicted label, for classes.
    decisions : ndarray of shape (n,), optional
        Decisions of the policy on these outputs, see `decide_rows`.
    near_threshold : ndarray of shape (n,), optional
        Rows whose score is a threshold but for its last digits.
    """

    outputs: NDArray[np.float64]
    chosen: NDArray[np.intp] | None = None
    decisions: NDArray[np.int64] | None = None
    near_threshold: NDArray[np.bool_] | None = None


class AnswerRecord(TypedDict, total=False):
    """An answer to a row; a number has no label, and an answer without a policy has no decision."""

    outputs: list[float]
    label: Label
    decision: int


class RowRecord(TypedDict):
    """A row that is answered differently."""

    row: int | str
    model: AnswerRecord
    file: AnswerRecord


class ParityRecord(TypedDict, total=False):
    """A `Parity` as JSON holds it; earlier versions wrote rows, largest_difference and label_flips only."""

    rows: int
    rows_given: int
    tolerance: float
    largest_difference: float
    rows_over: int
    label_flips: int
    ties: int
    decisions: int
    decision_flips: int
    decision_ties: int
    shown: list[RowRecord]


@dataclass(frozen=True)
class Parity:
    """The distance between the answers of a file and those of its model on some rows.

    Parameters
    ----------
    rows : int
        Rows that were compared.
    rows_given : int
        Rows that were given; when they are more, those compared are evenly spaced.
    tolerance : float
        Largest difference that counts as equal.
    largest_difference : float
        Largest difference of an output; of a number in units of its spread.
    rows_over : int
        Rows that differ by more than the tolerance.
    label_flips : int
        Rows with another label, ties excluded.
    ties : int
        Rows with another label whose two outputs differ by at most 1e-6.
    shown : tuple of dict, default=()
        Rows that differ, have another label or another decision, at most 20, the worst first: row (its position, or its
        description), model and file (the outputs of each, the label and the decision).
    decisions : int, default=0
        Rows that the policy decides on; 0 without a policy, or where rows lack its columns.
    decision_flips : int, default=0
        Rows that are decided differently, ties excluded.
    decision_ties : int, default=0
        Rows that are decided differently whose score is a threshold but for its last digits.
    """

    rows: int
    rows_given: int
    tolerance: float
    largest_difference: float
    rows_over: int
    label_flips: int
    ties: int
    shown: tuple[RowRecord, ...] = ()
    decisions: int = 0
    decision_flips: int = 0
    decision_ties: int = 0

    @property
    def equal(self) -> bool:
        """Whether no row differs by more than the tolerance, and none has another label or another decision."""
        return not self.rows_over and not self.label_flips and not self.decision_flips

    def to_dict(self) -> ParityRecord:
        """Return the result as JSON-serializable values."""
        return {
            "rows": self.rows,
            "rows_given": self.rows_given,
            "tolerance": self.tolerance,
            "largest_difference": self.largest_difference,
            "rows_over": self.rows_over,
            "label_flips": self.label_flips,
            "ties": self.ties,
            "decisions": self.decisions,
            "decision_flips": self.decision_flips,
            "decision_ties": self.decision_ties,
            "shown": list(self.shown),
        }


def sample(rows: int, limit: int = ROWS) -> NDArray[np.intp]:
    """Return evenly spaced positions of rows.

    Parameters
    ----------
    rows : int
        Number of rows.
    limit : int, default=20000
        Largest number of positions.

    Examples
    --------
    >>> sample(10, 4).tolist()
    [0, 3, 6, 9]
    """
    return np.unique(np.linspace(0, max(rows - 1, 0), min(rows, limit)).astype(np.intp))


def regression_units(answers: NDArray[np.float64], spread: float) -> NDArray[np.float64]:
    """Return the unit in which each answer of a regression is compared, shape (n, 1).

    It is the target's spread; for an answer further from the median than that, its own distance from the median,
    because float32 has a relative precision.

    Parameters
    ----------
    answers : ndarray of shape (n, 1)
        Answers of the model.
    spread : float
        Standard deviation of the target.
    """
    distance = np.abs(answers - np.median(answers)) if len(answers) else answers
    unit = np.maximum(distance, spread)
    return np.where(unit > 0, unit, 1.0)


def compare(
    model: Answers,
    file: Answers,
    *,
    labels: Sequence[Label] | None = None,
    rows: Sequence[int | str] | None = None,
    rows_given: int | None = None,
    tolerance: float = TOLERANCE,
    unit: NDArray[np.float64] | float = 1.0,
) -> Parity:
    """Compare the answers of a model and of its file.

    Parameters
    ----------
    model, file : Answers
        Answers to the same rows.
    labels : sequence, optional
        The classes, to show the rows that differ.
    rows : sequence of int or str, optional
        Name of each row; its position by default.
    rows_given : int, optional
        Number of rows that these were chosen from.
    tolerance : float, default=1e-3
        Largest difference that counts as equal, in multiples of `unit`.
    unit : float or array of shape (n, 1), default=1.0
        Unit of the outputs.

    Examples
    --------
    >>> ours, theirs = np.array([[0.6, 0.4], [0.5, 0.5]]), np.array([[0.6, 0.4], [0.4, 0.6]])
    >>> result = compare(Answers(ours, ours.argmax(axis=1)), Answers(theirs, theirs.argmax(axis=1)))
    >>> result.rows_over, result.label_flips, result.shown[0]["row"]
    (1, 1, 1)
    """
    ours, theirs = model.outputs, file.outputs
    with np.errstate(invalid="ignore"):
        same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        gaps = np.where(same, 0.0, np.abs(ours - theirs) / unit)
    gap = np.nan_to_num(gaps, nan=np.inf).max(axis=1, initial=0.0)
    over = gap > tolerance
    other = tie = np.zeros(len(gap), dtype=bool)
    if model.chosen is not None and file.chosen is not None:
        index = np.arange(len(gap))
        other = model.chosen != file.chosen
        tie = other & (np.abs(ours[index, model.chosen] - ours[index, file.chosen]) <= TIE) & ~over
    decided = flipped = near = np.zeros(len(gap), dtype=bool)
    if model.decisions is not None and file.decisions is not None:
        decided = model.decisions != NO_DECISION
        flipped = model.decisions != file.decisions
        near = near if model.near_threshold is None else flipped & model.near_threshold
    worst = np.flatnonzero(over | other | flipped)
    worst = worst[np.argsort(-gap[worst], kind="stable")][:_SHOWN]
    return Parity(
        rows=len(gap),
        rows_given=len(gap) if rows_given is None else rows_given,
        tolerance=tolerance,
        largest_difference=float(gap.max(initial=0.0)),
        rows_over=int(over.sum()),
        label_flips=int((other & ~tie).sum()),
        ties=int(tie.sum()),
        decisions=int(decided.sum()),
        decision_flips=int((flipped & ~near).sum()),
        decision_ties=int(near.sum()),
        shown=tuple(
            {
                "row": index if rows is None else rows[index],
                "model": _answer(model, index, labels),
                "file": _answer(file, index, labels),
            }
            for index in worst.tolist()
        ),
    )


def _answer(answers: Answers, index: int, labels: Sequence[Label] | None) -> AnswerRecord:
    record: AnswerRecord = {"outputs": [float(f"{value:.6g}") for value in answers.outputs[index]]}
    if answers.chosen is not None:
        chosen = int(answers.chosen[index])
        record["label"] = chosen if labels is None else str(labels[chosen])
    if answers.decisions is not None:
        record["decision"] = int(answers.decisions[index])
    return record


def require_parity(parts: Mapping[str, Parity]) -> None:
    """Refuse a file that is not equal to its model.

    Raises
    ------
    ExportError
        When a part differs; the message names its first rows.
    """
    for part, parity in parts.items():
        if parity.equal:
            continue
        rows = _first_rows(parity)
        decisions = f", and decides differently on {parity.decision_flips:,}" if parity.decision_flips else ""
        raise ExportError(
            f"The exported file answers differently on {parity.rows_over:,} of {parity.rows:,} rows "
            f"({part.replace('_', ' ')}), by up to {parity.largest_difference:.2g}, and with another label on "
            f"{parity.label_flips:,}{decisions}. The first, model against file: {rows}.",
            "It was not kept. Use the model in Python, and report this.",
        )


def describe_differences(parity: Parity) -> str:
    """Return what differs, and on which rows first."""
    decisions = f", {parity.decision_flips:,} are decided differently" if parity.decisions else ""
    return (
        f"of {parity.rows:,} rows, {parity.rows_over:,} differ by more than {parity.tolerance:g} (by up to "
        f"{parity.largest_difference:.2g}), {parity.label_flips:,} have another label{decisions}. "
        f"The first, model against file: {_first_rows(parity)}"
    )


def _first_rows(parity: Parity) -> str:
    return "; ".join(
        f"{row['row']}: {_format_answer(row['model'])} against {_format_answer(row['file'])}"
        for row in parity.shown[:3]
    )


def _format_answer(answer: AnswerRecord) -> str:
    outputs = ", ".join(f"{value:.4g}" for value in answer["outputs"][:5])
    text = f"{answer['label']!r} ({outputs})" if "label" in answer else outputs
    return f"{text}, decision {answer['decision']}" if "decision" in answer else text
