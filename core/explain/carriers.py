"""Columns that carry a large share of what a model gains over guessing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LARGE_SHARE", "Carrier", "carriers"]

LARGE_SHARE = 0.25
"""Share of the gain from which a column is named."""


@dataclass(frozen=True)
class Carrier:
    """A column, or several with the same information, that a model owes a large share of its gain to.

    Parameters
    ----------
    columns : tuple of str
        Names of the columns.
    loss : float
        Drop of the search's metric when they are shuffled together on rows that the model has not seen.
    low, high : float
        95% interval of the loss.
    gain : float
        Gain of the model over guessing in the same metric.
    rows : int
        Number of rows behind the loss.

    Examples
    --------
    >>> Carrier(("offer",), 0.27, 0.24, 0.3, 0.45, 900).share
    0.6
    """

    columns: tuple[str, ...]
    loss: float
    low: float
    high: float
    gain: float
    rows: int

    @property
    def share(self) -> float:
        """Share of the gain, at most 1: without the columns the model may be worse than guessing."""
        return min(1.0, self.loss / self.gain)


def carriers(
    permutation: pd.DataFrame, together: pd.DataFrame, gain: float, *, min_share: float = LARGE_SHARE
) -> list[Carrier]:
    """Return the columns without which a large share of the gain would be lost, the largest share first.

    Parameters
    ----------
    permutation : DataFrame
        Table `Explanation.permutation`.
    together : DataFrame
        Table `Explanation.together`.
    gain : float
        Gain of the model over guessing, positive.
    min_share : float, default=0.25
        Share of the gain from which a column is named.

    Returns
    -------
    list of Carrier
        A column of a group with the same information is named in the group. The interval of the loss excludes 0.

    Examples
    --------
    >>> import pandas as pd
    >>> columns = ["feature", "importance", "low", "high", "n", "repeats"]
    >>> table = pd.DataFrame([("offer", 0.1, 0.05, 0.15, 900, 5), ("age", 0.02, 0.01, 0.03, 900, 5)], columns=columns)
    >>> both = pd.DataFrame([(["offer", "code"], 0.27, 0.24, 0.3, 900, 5)], columns=["columns", *columns[1:]])
    >>> [(carrier.columns, round(carrier.share, 2)) for carrier in carriers(table, both, 0.45)]
    [(('offer', 'code'), 0.6)]
    """
    grouped = {name for names in together["columns"] for name in names}
    candidates = [(tuple(row.columns), row) for row in together.itertuples(index=False)]
    candidates += [((row.feature,), row) for row in permutation.itertuples(index=False) if row.feature not in grouped]
    large = [
        Carrier(names, float(row.importance), float(row.low), float(row.high), float(gain), int(row.n))
        for names, row in candidates
        if row.importance >= min_share * gain and row.low > 0
    ]
    return sorted(large, key=lambda carrier: -carrier.loss)
