"""What differs between two versions of a table, by their profiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.datasets._column_profile import ColumnProfile, Profile

__all__ = ["ColumnChange", "compare_profiles"]


@dataclass(frozen=True)
class ColumnChange:
    """What became of a column.

    Parameters
    ----------
    column : str
        Name of the column.
    state : {"same", "changed", "added", "removed"}
        Whether its profile is the same, another one, or there in one of the tables only.
    before, after : ColumnProfile, optional
        Profiles in the two tables.
    distance : float, optional
        Total variation distance between the two distributions, 0 (the same) to 1 (nothing in common): half the sum of
        the differences of shares, over the most frequent values of categories or common bins of numbers. None where
        the values cannot be compared.
    """

    column: str
    state: str
    before: ColumnProfile | None
    after: ColumnProfile | None
    distance: float | None


def compare_profiles(before: Profile, after: Profile) -> list[ColumnChange]:
    """Compare two versions of a table column by column.

    Parameters
    ----------
    before, after : Profile
        Profiles of the two tables.

    Returns
    -------
    list of ColumnChange
        Columns of the second table in order, then those that only the first one has.
    """
    old = {column.name: column for column in before.columns}
    new = {column.name: column for column in after.columns}
    changes = [_change(name, old.get(name), column) for name, column in new.items()]
    return changes + [
        ColumnChange(name, "removed", column, None, None) for name, column in old.items() if name not in new
    ]


def _change(name: str, before: ColumnProfile | None, after: ColumnProfile) -> ColumnChange:
    if before is None:
        return ColumnChange(name, "added", None, after, None)
    state = "same" if before == after else "changed"
    return ColumnChange(name, state, before, after, 0.0 if state == "same" else _distance(before, after))


def _distance(before: ColumnProfile, after: ColumnProfile) -> float | None:
    if before.kind != after.kind:
        return None
    if before.counts and after.counts and before.kind == "number":
        low = min(float(before.edges[0]), float(after.edges[0]))
        high = max(float(before.edges[-1]), float(after.edges[-1]))
        bins = np.linspace(low, high, 11)
        shares = [_shares_of_bins(column, bins) for column in (before, after)]
        return float(np.abs(shares[0] - shares[1]).sum() / 2)
    if before.top and after.top and before.kind in ("category", "boolean"):
        counts = [dict(column.top) for column in (before, after)]
        values = sorted({*counts[0], *counts[1]})
        present = [max(1, column.rows - column.missing) for column in (before, after)]
        first, second = (
            np.array([part.get(v, 0) / n for v in values]) for part, n in zip(counts, present, strict=True)
        )
        rest = abs((1 - first.sum()) - (1 - second.sum()))  # values that are in neither list
        return float((np.abs(first - second).sum() + rest) / 2)
    return None


def _shares_of_bins(column: ColumnProfile, bins: np.ndarray) -> np.ndarray:
    """Return the shares of values between other edges, as if each bin of the profile were filled evenly."""
    edges = np.array([float(edge) for edge in column.edges])
    cumulated = np.concatenate([[0.0], np.cumsum(column.counts)]) / max(1, sum(column.counts))
    if edges[0] == edges[-1]:
        return np.histogram([edges[0]], bins=bins)[0].astype(float)
    return np.diff(np.interp(bins, edges, cumulated))
