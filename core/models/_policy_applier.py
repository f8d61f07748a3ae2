"""Decisions on new rows by a policy: thresholds by group, or one for all rows.

It travels with a model, and needs no catalog.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from core.columns import require_columns
from core.datasets import Finding
from core.edge.portable.groups import MISSING
from core.edge.portable.rules import Rules
from core.edge.portable.written import Value, category_text
from core.errors import InputError
from core.models._fields import Field
from core.rule_choices import NO_POLICY

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Policy", "PolicyApplier"]

_WITHOUT_POLICY = f"choose '{NO_POLICY}' for the model's own labels."


class Policy(Protocol):
    """What a policy is made of, as `core.fairness.ThresholdPolicy` describes itself."""

    def to_dict(self) -> dict[str, Any]:
        """Return the policy as JSON-serializable values."""


@dataclass(frozen=True)
class PolicyApplier:
    """Applies a policy to the rows of a table.

    Parameters
    ----------
    name : str
        Name of the policy's file.
    policy : ThresholdPolicy or Rules
        The rules.
    labels : list of str or None
        The model's classes; None for a number.
    """

    name: str
    policy: Policy
    labels: list[str] | None

    @cached_property
    def rules(self) -> Rules:
        """The rules, in the code that every place of scoring shares."""
        return self.policy if isinstance(self.policy, Rules) else Rules(self.policy.to_dict())

    @property
    def columns(self) -> list[str]:
        """The columns that it decides by."""
        return self.rules.columns

    @property
    def positive_label(self) -> str | None:
        """The label whose probability decides: the one that the policy names, else the model's last."""
        if self.labels is None:
            return None
        label = self.labels[-1] if self.rules.positive is None else str(self.rules.positive)
        if label not in self.labels:
            raise InputError(
                f"The policy '{self.name}' is about the label '{label}', which the model does not have.",
                f"Choose another policy, or '{NO_POLICY}'.",
            )
        return label

    def fields(self, known: Mapping[str, Field]) -> list[Field]:
        """Return the columns that it decides by; those that are not known are described by the rules.

        Parameters
        ----------
        known : mapping of str to Field
            Columns of the model by name.
        """
        names = self.rules.names
        return [
            known.get(name, Field(name, "category", role="group", choices=names.known(name))) for name in self.columns
        ]

    def require(self, names: Collection[str], row_id: str | None) -> None:
        """Refuse a table that lacks what the policy decides by.

        Parameters
        ----------
        names : collection of str
            Columns of the table.
        row_id : str or None
            The column of unique ids.

        Raises
        ------
        InputError
            When a sensitive column or, where the policy draws decisions, the column of ids is absent.
        """
        hint = f"The policy '{self.name}' decides by this column. Add it, or {_WITHOUT_POLICY}"
        require_columns(list(names), self.columns, hint=hint)
        if self.rules.randomized and row_id is None:
            raise InputError(
                f"The policy '{self.name}' draws some decisions at random, each by the id of its row.",
                f"Name a column of unique ids, or {_WITHOUT_POLICY}",
            )
        if row_id is not None:
            require_columns(list(names), [row_id], hint="Name a column of unique ids.")

    def decide(
        self, outputs: NDArray[np.float64], frame: pd.DataFrame, row_id: str | None
    ) -> tuple[pd.Series, dict[str, int]]:
        """Decide on each row.

        Parameters
        ----------
        outputs : array of shape (n, classes) or (n,)
            Probabilities, or numbers.
        frame : DataFrame of n rows
            The table with the sensitive columns.
        row_id : str or None
            The column of unique ids.

        Returns
        -------
        decisions : Series
            1 (selected), 0, or missing where the group is unknown or the model gives no prediction.
        unknown : dict of str to int
            Number of rows by group that the policy has no rule for.

        Raises
        ------
        InputError
            When decisions are drawn by ids that are not unique.
        """
        positive = self.positive_label
        scores = outputs if outputs.ndim == 1 else outputs[:, (self.labels or []).index(positive or "")]
        rules, groups, has_rule = self.rules, self._groups(frame), self.has_rule(frame)
        rows = np.flatnonzero(has_rule & np.isfinite(scores))
        decisions = pd.Series(pd.NA, index=frame.index, dtype="Int64")
        if len(rows):
            ids = _ids(frame[row_id].iloc[rows]) if row_id is not None and rules.randomized else None
            decisions.iloc[rows] = rules.decide(scores[rows], groups.iloc[rows].tolist(), ids)
        unknown = groups[~has_rule].value_counts()
        return decisions, {str(group): int(count) for group, count in unknown.items()}

    def has_rule(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Return for each row of a table whether the policy has a rule for its group."""
        return np.asarray(self._groups(frame).isin(self.rules.groups), dtype=np.bool_)

    def _groups(self, frame: pd.DataFrame) -> pd.Series:
        values = [_values(frame[name]) for name in self.columns]
        return pd.Series(self.rules.names.of_values(values, len(frame)), dtype=object)

    def finding(self, unknown: dict[str, int]) -> Finding | None:
        """Return a finding about the rows without a decision, or None when there are none."""
        if not unknown:
            return None
        rows = sum(unknown.values())
        return Finding(
            "unknown_groups",
            "alert",
            " and ".join(self.columns),
            f"{rows:,} row{'s have' if rows != 1 else ' has'} no decision: the policy has no rule for "
            f"{', '.join(map(repr, list(unknown)[:5]))}.",
            f"It has rules for {', '.join(self.rules.groups[:10])}.",
            {"rows": unknown},
        )


def _values(column: pd.Series) -> list[Value]:
    """Return cells as plain values; None where one is missing."""
    cells = column.astype(object)
    values: list[Value] = cells.where(cells.notna(), None).tolist()
    return [value.item() if isinstance(value, np.generic) else value for value in values]


def _ids(column: pd.Series) -> list[str]:
    ids = [category_text(value) or MISSING for value in _values(column)]
    if len(set(ids)) < len(ids):
        raise InputError("Some row ids occur more than once.", "Give ids that are unique, such as a key.")
    return ids
