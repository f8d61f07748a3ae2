"""Gaps between groups of two models on the same rows, and what can be said about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import JsonValue

from core.fairness.metrics.groups import label_text
from core.fairness.metrics.registry import metric_record
from core.jsonable import jsonable

__all__ = ["GapComparison"]


@dataclass(frozen=True, eq=False)
class GapComparison:
    """How far apart two models leave the groups, on rows that both predict.

    Parameters
    ----------
    groups : DataFrame
        One row per group and metric: group, metric, n, first, first_low, first_high, second, second_low, second_high,
        small (whether it rests on too few rows to be compared).
    pairs : DataFrame
        One row per metric and pair of groups with enough rows: metric, group, other, first and second (signed gaps: the
        value of `group` minus that of `other`, by model), difference (size of the second model's gap minus that of the
        first model's), low, high. All intervals hold together.
    rows : int
        Rows that both models predict.
    min_group_size : int
        Rows that a group needs to be compared.
    left_out : int, default=0
        Groups with enough rows that are not compared because there are too many; the largest are.
    confidence : float, default=0.95
        Probability with which all intervals of `pairs` hold together.
    """

    groups: pd.DataFrame
    pairs: pd.DataFrame
    rows: int
    min_group_size: int
    left_out: int = 0
    confidence: float = 0.95

    @property
    def certain(self) -> pd.DataFrame:
        """The pairs whose gaps differ for sure, the surest first."""
        known = self.pairs[(self.pairs["low"] > 0) | (self.pairs["high"] < 0)]
        width = known["high"] - known["low"]
        surest = (known["difference"].abs() / width.where(width > 0)).sort_values(ascending=False, kind="stable")
        return known.loc[surest.index]

    @property
    def conclusive(self) -> bool:
        """Whether the rows show that the gap of one model is smaller, for any pair of groups."""
        return len(self.certain) > 0

    def describe(self, first: str = "the first model", second: str = "the second model") -> str:
        """Say which of the models leaves the groups closer together, or that the rows do not tell.

        Parameters
        ----------
        first, second : str, optional
            Names of the models within a sentence.
        """
        if self.pairs.empty:
            return f"No two groups have enough rows to compare gaps: a group needs at least {self.min_group_size}."
        certain = self.certain
        if certain.empty:
            row = self.pairs.loc[self.pairs[["first", "second"]].abs().max(axis=1).idxmax()]
            return (
                f"These {self.rows:,} rows cannot tell which model leaves the groups closer together: "
                f"{self._gaps(row, first, second)}."
            )
        row = certain.iloc[0]
        better = second if row["difference"] < 0 else first
        sentence = (
            f"{better[0].upper()}{better[1:]} leaves these groups closer together: {self._gaps(row, first, second)}."
        )
        against = certain[np.sign(certain["difference"]) != np.sign(row["difference"])]
        if len(against):
            sentence += f" It is the other way round elsewhere: {self._gaps(against.iloc[0], first, second)}."
        return sentence

    def _gaps(self, row: pd.Series, first: str, second: str) -> str:
        """Return the gaps of a pair by model and their difference, within a sentence."""
        record = metric_record(row["metric"])
        scale, unit = (100.0, " points") if record.unit == "share" else (1.0, "")
        digits = ".1f" if record.unit == "share" else ",.4g"
        size = {name: f"{scale * abs(row[name]):{digits}}" for name in ("first", "second")}
        change, low, high = (f"{scale * row[name] + 0.0:+{digits}}" for name in ("difference", "low", "high"))
        names = " and ".join(f"'{label_text(row[name])}'" for name in ("group", "other"))
        gaps = (
            f"the {record.phrase} of {names} differs by {size['first']}{unit} with {first} and by "
            f"{size['second']}{unit} with {second} "
        )
        if np.isnan(row["low"]):
            return gaps + "(no interval, because both predict the same)"
        return gaps + f"(difference {change}{unit} [{low}, {high}])".replace("-", "−")

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the comparison as JSON-serializable values."""
        values = {
            "rows": self.rows,
            "min_group_size": self.min_group_size,
            "left_out": self.left_out,
            "confidence": self.confidence,
            "groups": _records(self.groups),
            "pairs": _records(self.pairs),
            "verdict": self.describe(),
        }
        return dict(jsonable(values))


def _records(table: pd.DataFrame) -> list[dict[str, JsonValue]]:
    columns = [name for name in ("group", "other") if name in table.columns]
    texts = table.assign(**{name: table[name].map(label_text) for name in columns})
    return list(texts.to_dict(orient="records"))
