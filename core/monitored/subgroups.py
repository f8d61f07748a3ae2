"""Groups of people and saved cohorts in a batch: how often they are selected, how large they are, where errors are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.jsonable import JsonObject, jsonable
from core.monitoring import CohortShare, batch_group_rates, cohort_share, cohort_shares, level_text

if TYPE_CHECKING:
    import pandas as pd

    from core.cohorts import Cohort
    from core.monitored.reference import Reference

__all__ = ["SELECTION_RATE", "Gap", "GroupRate", "RowParts", "Subgroups", "subgroups_of", "with_labels"]

Gap: TypeAlias = tuple[float, float | None, float | None]
"""A gap between groups, with the ends of its interval."""

SELECTION_RATE = "selection_rate"
"""The rate that is known without labels."""
_MOST_GROUPS = 50
_SELECTED, _GROUP, _COHORT = "selected", "group ", "cohort "
"""Column of decisions, and beginnings of names of the others, in a table of memberships."""


@dataclass(frozen=True)
class GroupRate:
    """A rate of a group in a batch.

    Parameters
    ----------
    column : str
        Column of the groups.
    group : str
        The group.
    rate : str
        Key of `core.fairness.RATES`.
    value, low, high : float or None
        Value with its interval; None where it has no denominator.
    rows : int
        Rows of the group.
    """

    column: str
    group: str
    rate: str
    value: float | None
    low: float | None
    high: float | None
    rows: int


@dataclass(frozen=True)
class Subgroups:
    """What is known of the groups and cohorts of a batch.

    Parameters
    ----------
    rates : tuple of GroupRate, default=()
        Rates by group.
    gaps : dict, default={}
        Largest gap between two groups, by rate and column of groups.
    cohorts : tuple of CohortShare, default=()
        Saved cohorts; their errors are known where labels are.
    rule : str, default=""
        Name of the file of the rule that selects; empty where a probability of at least 0.5 does.
    """

    rates: tuple[GroupRate, ...] = ()
    gaps: dict[str, dict[str, Gap]] = field(default_factory=dict)
    cohorts: tuple[CohortShare, ...] = ()
    rule: str = ""

    def __bool__(self) -> bool:
        return bool(self.rates or self.gaps or self.cohorts)

    def to_dict(self) -> JsonObject:
        """Return it as JSON-serializable values."""
        values: JsonObject = jsonable(asdict(self))
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Subgroups:
        """Read what `to_dict` wrote."""
        return cls(
            tuple(GroupRate(**rate) for rate in values["rates"]),
            {rate: _gaps(by_column) for rate, by_column in values["gaps"].items()},
            tuple(CohortShare(**{**cohort, **_numbers(cohort)}) for cohort in values["cohorts"]),
            values["rule"],
        )

    @classmethod
    def of_gaps(cls, gaps: Mapping[str, Any]) -> Subgroups:
        """Read what batches had before rates and cohorts were kept: gaps of selection rates by column."""
        return cls(gaps={SELECTION_RATE: _gaps(gaps)} if gaps else {})


def _gaps(by_column: Mapping[str, Any]) -> dict[str, Gap]:
    return {name: (gap, low, high) for name, (gap, low, high) in by_column.items()}


def _numbers(cohort: Mapping[str, Any]) -> dict[str, float]:
    """Return the share with its interval, which JSON has no number for where the batch lacks a column."""
    return {name: math.nan if cohort[name] is None else cohort[name] for name in ("share", "low", "high")}


@dataclass(frozen=True, eq=False)
class RowParts:
    """Groups and saved cohorts of the rows of a batch, and what was decided about them.

    Parameters
    ----------
    columns : DataFrame of n rows
        Columns of the batch as training had them, which the conditions of cohorts are about.
    groups : DataFrame of n rows
        Columns of groups.
    cohorts : tuple of Cohort, default=()
        Saved cohorts.
    decisions : Series of length n or None, default=None
        1, 0 or missing, where a rule decides.
    rule : str, default=""
        Name of the file of that rule.
    """

    columns: pd.DataFrame
    groups: pd.DataFrame
    cohorts: tuple[Cohort, ...] = ()
    decisions: pd.Series | None = None
    rule: str = ""

    def memberships(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Return for each row whether it is selected, its groups, and whether it is in each saved cohort.

        Columns of groups with one group or more than 50, and cohorts about a column that the batch does not have, are
        left out.

        Parameters
        ----------
        scores : DataFrame of n rows
            Scores, as `Reference.scores_of` returns them.
        """
        import pandas as pd

        parts: dict[str, Any] = {}
        if "y_score" in scores:
            chosen = scores["y_score"] >= 0.5 if self.decisions is None else self.decisions
            parts[_SELECTED] = chosen.astype("Int8").array
        for name in self.groups:
            if 1 < self.groups[name].nunique() <= _MOST_GROUPS:
                cells = self.groups[name].astype(object)
                parts[f"{_GROUP}{name}"] = cells.map(str, na_action="ignore").array
        for cohort in self.cohorts:
            if set(cohort.columns) <= set(self.columns.columns):
                parts[f"{_COHORT}{cohort.text}"] = np.asarray(cohort.mask(self.columns), dtype=np.bool_)
        return pd.DataFrame(parts, index=pd.RangeIndex(len(self.columns)))


def subgroups_of(members: pd.DataFrame, parts: RowParts, reference: Reference) -> Subgroups:
    """Return what is known of the groups and cohorts of a batch without labels.

    Parameters
    ----------
    members : DataFrame of n rows
        Result of `RowParts.memberships`.
    parts : RowParts
        Groups and cohorts of the rows.
    reference : Reference
        Evidence that the batch is compared with.
    """
    rates, gaps = ((), {}) if reference.positive is None else _rates(members)
    shares = cohort_shares(parts.columns, parts.cohorts, reference=reference.rows)
    return Subgroups(rates, gaps, tuple(shares), parts.rule)


def with_labels(
    members: pd.DataFrame, scores: pd.DataFrame, labels: pd.Series, reference: Reference, *, rule: str = ""
) -> Subgroups:
    """Return what labels say about the groups and cohorts of a batch.

    Parameters
    ----------
    members : DataFrame of n rows
        Result of `RowParts.memberships`.
    scores : DataFrame of n rows
        Scores, as `Reference.scores_of` returns them.
    labels : Series of length n
        Labels, missing where they are not known.
    reference : Reference
        Evidence that the batch is compared with.
    rule : str, default=""
        Name of the file of the rule that selects.
    """
    loss, truth = _errors(scores, labels.reset_index(drop=True), reference)
    rates, gaps = ((), {}) if truth is None else _rates(members, truth)
    cohorts = tuple(
        cohort_share(str(name).removeprefix(_COHORT), members[name].to_numpy(dtype=np.bool_), loss=loss)
        for name in members
        if str(name).startswith(_COHORT)
    )
    return Subgroups(rates, gaps, cohorts, rule)


def _errors(
    scores: pd.DataFrame, labels: pd.Series, reference: Reference
) -> tuple[NDArray[np.float64], pd.Series | None]:
    """Return the error of each row, NaN without a label; and for two labels whether each is the positive one."""
    known = labels.notna().to_numpy()
    loss = np.full(len(labels), math.nan)
    if reference.evidence.labels is None:
        loss[known] = np.abs(scores["y_score"][known] - labels[known].astype(float))
        return loss, None
    texts = labels[known].map(level_text).to_numpy(dtype=object)
    if reference.positive is not None:
        positive = texts == level_text(reference.positive_value)
        loss[known] = positive != (scores["y_score"][known] >= 0.5)
        truth = labels.map(lambda _: None).astype("Int8")
        truth[known] = positive.astype(int)
        return loss, truth
    names = np.array([str(name)[2:-1] for name in scores], dtype=object)
    loss[known] = names[scores[known].to_numpy(dtype=float).argmax(axis=1)] != texts
    return loss, None


def _rates(
    members: pd.DataFrame, truth: pd.Series | None = None
) -> tuple[tuple[GroupRate, ...], dict[str, dict[str, Gap]]]:
    rates: list[GroupRate] = []
    gaps: dict[str, dict[str, Gap]] = {}
    if _SELECTED not in members:
        return (), gaps
    known = members[_SELECTED].notna().to_numpy()  # a rule may have none for a group
    if truth is not None:
        known = known & truth.notna().to_numpy()
    for title in members:
        name = str(title).removeprefix(_GROUP)
        groups = members[title][known]
        if name == title or groups.nunique() < 2:
            continue
        chosen = members[_SELECTED][known].to_numpy(dtype=int)
        labels = None if truth is None else truth[known].to_numpy(dtype=int)
        by_group = batch_group_rates(chosen, groups.astype(object), labels, positive_label=1)
        for row in by_group.table.itertuples():
            ends = _known(row.value), _known(row.low), _known(row.high)
            rates.append(GroupRate(name, str(row.group), str(row.rate), *ends, int(row.n)))
        for rate, row in by_group.gaps.iterrows():
            if not math.isnan(row["gap"]):
                gaps.setdefault(str(rate), {})[name] = (float(row["gap"]), _known(row["low"]), _known(row["high"]))
    return tuple(rates), gaps


def _known(value: Any) -> float | None:
    return None if math.isnan(value) else float(value)
