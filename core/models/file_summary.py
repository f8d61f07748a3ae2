"""What a scored file says as a whole: how many rows of each class to expect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.models._run_result import StoredEstimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ExpectedCounts"]

_Z = 1.959964  # of a 95% interval


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
    StoredEstimate(value=50.0, low=40.2, high=59.8, n=100, rarest=None, reason='')
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
