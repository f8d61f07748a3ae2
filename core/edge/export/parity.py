"""How equal an exported file is to its model, row by row, and the refusal of one that is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import ExportError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TIE", "TOLERANCE", "Answers", "Parity", "compare", "distances", "refuse", "sample"]

TOLERANCE = 1e-3
"""Largest difference of a probability, or of a number in units of its spread, that counts as equal."""
TIE = 1e-6
"""Two labels whose probabilities are this close are a tie: either is right."""
ROWS = 20_000
_SHOWN = 20


@dataclass(frozen=True)
class Answers:
    """What a model says: outputs of shape (n, classes) or (n, 1), and for classes the place of the label chosen."""

    outputs: NDArray[np.float64]
    chosen: NDArray[np.intp] | None = None


@dataclass(frozen=True)
class Parity:
    """How far the answers of a file are from those of its model on some rows.

    Parameters
    ----------
    rows : int
        Rows that were compared.
    rows_given : int
        Rows there were; when they are more, those compared are evenly spaced.
    tolerance : float
        What counts as equal.
    largest_difference : float
        Of an output; of a number in units of its spread.
    rows_over : int
        Rows that differ by more than the tolerance.
    label_flips : int
        Rows with another label, ties apart.
    ties : int
        Rows with another label whose two outputs are equal but for 1e-6.
    shown : tuple of dict
        At most 20 rows that differ or have another label, the worst first: row (its position, or what was made up),
        model and file (each the outputs, and the label).
    """

    rows: int
    rows_given: int
    tolerance: float
    largest_difference: float
    rows_over: int
    label_flips: int
    ties: int
    shown: tuple[dict[str, Any], ...] = ()

    @property
    def equal(self) -> bool:
        """Whether no row differs by more than the tolerance, and none has another label."""
        return not self.rows_over and not self.label_flips

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""
        return asdict(self) | {"shown": list(self.shown)}


def sample(rows: int, most: int = ROWS) -> NDArray[np.intp]:
    """Return positions of at most so many rows, evenly spaced.

    Examples
    --------
    >>> sample(10, 4).tolist()
    [0, 3, 6, 9]
    """
    return np.unique(np.linspace(0, max(rows - 1, 0), min(rows, most)).astype(np.intp))


def distances(model: NDArray[np.float64], spread: float) -> NDArray[np.float64]:
    """Return for each answer of a regression what counts as one unit, shape (n, 1).

    That is the target's spread; for an answer further from the middle than that, its own distance from it, because
    float32 keeps a share of a number and not so many decimals.
    """
    away = np.abs(model - np.median(model)) if len(model) else model
    unit = np.maximum(away, spread)
    return np.where(unit > 0, unit, 1.0)


def compare(
    model: Answers,
    file: Answers,
    *,
    labels: Sequence[Any] | None = None,
    rows: Sequence[Any] | None = None,
    rows_given: int | None = None,
    tolerance: float = TOLERANCE,
    unit: NDArray[np.float64] | float = 1.0,
) -> Parity:
    """Compare the answers of a model and of its file.

    Parameters
    ----------
    model, file : Answers
        To the same rows.
    labels : sequence, optional
        The classes, to show the rows that differ.
    rows : sequence, optional
        What to call each row; its position by default.
    rows_given : int, optional
        How many rows those were chosen from.
    tolerance : float
        In multiples of `unit`.
    unit : float or array of shape (n, 1)
        What outputs are measured in.

    Examples
    --------
    >>> ours, theirs = np.array([[0.6, 0.4], [0.5, 0.5]]), np.array([[0.6, 0.4], [0.4, 0.6]])
    >>> found = compare(Answers(ours, ours.argmax(axis=1)), Answers(theirs, theirs.argmax(axis=1)))
    >>> found.rows_over, found.label_flips, found.shown[0]["row"]
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
        place = np.arange(len(gap))
        other = model.chosen != file.chosen
        tie = other & (np.abs(ours[place, model.chosen] - ours[place, file.chosen]) <= TIE) & ~over
    worst = np.flatnonzero(over | other)
    worst = worst[np.argsort(-gap[worst], kind="stable")][:_SHOWN]
    return Parity(
        rows=len(gap),
        rows_given=len(gap) if rows_given is None else rows_given,
        tolerance=tolerance,
        largest_difference=float(gap.max(initial=0.0)),
        rows_over=int(over.sum()),
        label_flips=int((other & ~tie).sum()),
        ties=int(tie.sum()),
        shown=tuple(
            {
                "row": place if rows is None else rows[place],
                "model": _shown(model, place, labels),
                "file": _shown(file, place, labels),
            }
            for place in worst.tolist()
        ),
    )


def _shown(answers: Answers, place: int, labels: Sequence[Any] | None) -> dict[str, Any]:
    outputs = [float(f"{value:.6g}") for value in answers.outputs[place]]
    if answers.chosen is None:
        return {"outputs": outputs}
    chosen = int(answers.chosen[place])
    return {"outputs": outputs, "label": chosen if labels is None else str(labels[chosen])}


def refuse(parts: Mapping[str, Parity]) -> None:
    """Refuse a file that is not equal to its model.

    Raises
    ------
    ExportError
        With the figures of the first part that differs, and its first rows.
    """
    for part, found in parts.items():
        if found.equal:
            continue
        rows = "; ".join(
            f"{each['row']}: {_told(each['model'])} against {_told(each['file'])}" for each in found.shown[:3]
        )
        raise ExportError(
            f"The exported file answers differently on {found.rows_over:,} of {found.rows:,} rows "
            f"({part.replace('_', ' ')}), by up to {found.largest_difference:.2g}, and with another label on "
            f"{found.label_flips:,}. The first, model against file: {rows}.",
            "It was not kept. Use the model in Python, and report this.",
        )


def _told(answer: dict[str, Any]) -> str:
    outputs = ", ".join(f"{value:.4g}" for value in answer["outputs"][:5])
    return f"{answer['label']!r} ({outputs})" if "label" in answer else outputs
