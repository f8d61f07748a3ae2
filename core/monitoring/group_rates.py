"""Fairness of a batch: rates by group with intervals, and the gap between groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from core.evaluation import mover
from core.jsonable import JsonObject, jsonable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GroupRates", "batch_group_rates"]

_RATES = ("selection_rate", "true_positive_rate", "false_positive_rate")
_WITHOUT_LABELS = "selection_rate"
_VALUES = 7  # columns of a table of intervals: value, low, high, n, method, small, reason


@dataclass(frozen=True, eq=False)
class GroupRates:
    """Rates of a batch by group.

    Parameters
    ----------
    table : DataFrame
        Columns group, rate, value, low, high and n (rows of the group).
    gaps : DataFrame
        Largest gap between groups by rate, with columns gap, low, high, high_group and low_group. The interval holds
        for all pairs of groups together (Bonferroni), because the widest pair is chosen.
    labeled : bool
        Whether labels are known; without them there is the selection rate alone.
    small_groups : tuple of str
        Groups with too few rows, which stay in the table and are not compared.
    """

    table: pd.DataFrame
    gaps: pd.DataFrame
    labeled: bool
    small_groups: tuple[str, ...]

    def to_dict(self) -> JsonObject:
        """Return the rates as JSON-serializable values."""
        return {
            "table": jsonable(self.table.to_dict("records")),
            "gaps": jsonable(self.gaps.reset_index().to_dict("records")),
            "labeled": self.labeled,
            "small_groups": list(self.small_groups),
        }


def batch_group_rates(
    y_pred: ArrayLike,
    groups: pd.Series | pd.DataFrame,
    y_true: ArrayLike | None = None,
    *,
    rates: Sequence[str] = _RATES,
    positive_label: Any = None,
    min_group_size: int = 30,
    confidence: float = 0.95,
) -> GroupRates:
    """Return the rates of a batch's decisions by group, as `core.fairness.group_metrics` computes them.

    Parameters
    ----------
    y_pred : array-like of shape (n,)
        Predicted labels.
    groups : Series or DataFrame of shape (n,) or (n, columns)
        Columns that define the groups.
    y_true : array-like of shape (n,), optional
        Labels; without them only the selection rate is known.
    rates : sequence of str, default=("selection_rate", "true_positive_rate", "false_positive_rate")
        Keys of `core.fairness.RATES`.
    positive_label : label, optional
        Label that counts as selected.
    min_group_size : int, default=30
        Rows that a group needs to be compared.
    confidence : float, default=0.95
        Probability with which an interval holds its value.

    See Also
    --------
    judge_gap : Whether a gap is worth a look or an alarm.

    Examples
    --------
    >>> import pandas as pd
    >>> rates = batch_group_rates([1, 1, 1, 0] * 20 + [1, 0, 0, 0] * 20, pd.Series(["a"] * 80 + ["b"] * 80, name="sex"))
    >>> rates.labeled, rates.gaps.loc["selection_rate", "gap"].item()
    (False, 0.5)
    """
    from core.fairness import RATES, group_metrics

    for name in rates:
        RATES.require(name)
    names = list(rates) if y_true is not None else [_WITHOUT_LABELS]

    def measured(probability: float) -> pd.DataFrame:
        metrics = group_metrics(
            y_pred if y_true is None else y_true,
            y_pred,
            groups,
            metrics=names,
            confidence=probability,
            min_group_size=min_group_size,
            pos_label=positive_label,
        )
        table = metrics.intervals.reset_index()
        table["group"] = [", ".join(map(str, row)) for row in table[table.columns[: -_VALUES - 1]].to_numpy()]
        return table.rename(columns={"metric": "rate"})

    table = measured(confidence)
    count = int((~table["small"]).groupby(table["group"]).any().sum())
    pairs = max(1, count * (count - 1) // 2)
    wide = table if pairs == 1 else measured(1 - (1 - confidence) / pairs)
    small = sorted(set(table.loc[table["small"], "group"]))
    shown = table[["group", "rate", "value", "low", "high", "n"]]
    return GroupRates(shown, _gaps(wide, names), y_true is not None, tuple(small))


def _gaps(table: pd.DataFrame, rates: Sequence[str]) -> pd.DataFrame:
    """Return the largest gap of each rate, with MOVER's interval."""
    import pandas as pd

    rows = []
    for rate in rates:
        of_rate = table[(table["rate"] == rate) & ~table["small"] & table["value"].notna()]
        if len(of_rate) < 2:
            rows.append((float("nan"), float("nan"), float("nan"), "", ""))
            continue
        first, other = of_rate.loc[of_rate["value"].idxmax()], of_rate.loc[of_rate["value"].idxmin()]
        low, high = mover(first["value"], (first["low"], first["high"]), other["value"], (other["low"], other["high"]))
        rows.append((first["value"] - other["value"], float(low), float(high), first["group"], other["group"]))
    columns = ["gap", "low", "high", "high_group", "low_group"]
    return pd.DataFrame(rows, index=pd.Index(rates, name="rate"), columns=columns)
