"""What a scored file says as a whole: how many rows of each class to expect, and metrics where it has the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.evaluation import compare_outputs
from core.models._run_result import StoredEstimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ExpectedCounts", "FileEvaluation", "evaluate_file"]

_Z = 1.959964  # of a 95% interval
_FEWEST = 5  # rows with a known target, below which nothing is evaluated
MAX_EVALUATED = 100_000


class ExpectedCounts:
    """Sums of probabilities over the parts of a file.

    Parameters
    ----------
    labels : sequence of str
        The classes, in the order of the probabilities.

    Examples
    --------
    >>> counts = ExpectedCounts(["no", "yes"])
    >>> counts.add(np.array([[0.5, 0.5]] * 100))
    >>> counts.estimates(None)["yes"]
    StoredEstimate(value=50.0, low=40.2, high=59.8, n=100)
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = list(labels)
        self._sums, self._variances, self._rows = np.zeros(len(labels)), np.zeros(len(labels)), 0

    def add(self, probabilities: NDArray[np.float64]) -> None:
        """Add the rows of a part; rows without a prediction do not count."""
        known = probabilities[np.isfinite(probabilities).all(axis=1)]
        self._sums += known.sum(axis=0)
        self._variances += (known * (1 - known)).sum(axis=0)
        self._rows += len(known)

    def estimates(self, tested: NDArray[np.float64] | None) -> dict[str, StoredEstimate]:
        """Return how many rows of each class to expect.

        Parameters
        ----------
        tested : array of shape (n, classes), optional
            Probabilities of the test rows, which say how surely the probabilities are right on average.

        Returns
        -------
        dict of StoredEstimate
            By label, with an interval for the chance of the rows and, with test rows, for that of the calibration.
        """
        variances = self._variances.copy()
        if tested is not None and len(tested):
            expected = tested.sum(axis=0)
            spread = (tested * (1 - tested)).sum(axis=0)
            variances += np.divide(self._sums, expected, out=np.zeros_like(expected), where=expected > 0) ** 2 * spread
        half = _Z * np.sqrt(variances)
        return {
            label: StoredEstimate(
                round(float(total), 1),
                round(max(0.0, float(total - margin)), 1),
                round(min(float(self._rows), float(total + margin)), 1),
                self._rows,
            )
            for label, total, margin in zip(self._labels, self._sums, half, strict=True)
        }


@dataclass(frozen=True)
class FileEvaluation:
    """The metrics of a file that has the target.

    Parameters
    ----------
    rows : int
        Number of rows that were evaluated.
    left_out : int
        Number of rows whose target is missing or is none that the model knows.
    metrics : dict of StoredEstimate
        Metrics of these rows, with 95% intervals.
    test_metrics : dict of StoredEstimate
        The same of the test rows.
    """

    rows: int
    left_out: int
    metrics: dict[str, StoredEstimate]
    test_metrics: dict[str, StoredEstimate]


def evaluate_file(
    truth: pd.Series,
    outputs: NDArray[np.float64],
    *,
    task: str,
    metric: str,
    labels: Sequence[str] | None,
    test_metrics: dict[str, StoredEstimate],
) -> FileEvaluation | None:
    """Compare predictions with the target that a file has; None where too few rows have it.

    Parameters
    ----------
    truth : Series of shape (n,)
        Values of the target.
    outputs : array of shape (n, classes) or (n,)
        Probabilities, or numbers.
    task, metric : str
        Task and metric of the search.
    labels : sequence of str or None
        The classes; None for a number.
    test_metrics : dict of StoredEstimate
        Metrics of the test rows.
    """
    if labels is None:
        y = pd.to_numeric(truth, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        known = np.isfinite(y) & np.isfinite(outputs)
    else:
        y = pd.Categorical(_label_texts(truth), categories=list(labels)).codes.astype(np.intp)
        known = (y >= 0) & np.isfinite(outputs).all(axis=1)
    rows = np.flatnonzero(known)
    if len(rows) < _FEWEST:
        return None
    rows = rows[:: -(-len(rows) // MAX_EVALUATED)]
    compared = compare_outputs(task, metric, y[rows], {"model": outputs[rows]})

    def stored(value: float) -> float | None:
        return float(value) if np.isfinite(value) else None

    metrics = {
        name: StoredEstimate(stored(item.value), stored(item.low), stored(item.high), item.n)
        for name, item in compared.metrics["model"].items()
    }
    return FileEvaluation(len(rows), len(truth) - int(known.sum()), metrics, test_metrics)


def _label_texts(truth: pd.Series) -> pd.Series:
    """Return labels as text, whole numbers without decimals."""
    return truth.astype(object).map(
        lambda value: str(int(value)) if isinstance(value, float) and value.is_integer() else str(value),
        na_action="ignore",
    )
