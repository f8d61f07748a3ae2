"""Decisions on new rows by a policy that is stored with a run: thresholds by group."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core import policies
from core.catalog import Run
from core.columns import require_columns
from core.datasets import Finding
from core.errors import InputError
from core.fairness import ThresholdPolicy, bin_numbers, label_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NO_POLICY", "PolicyApplier", "choose_policy"]

NO_POLICY = "none"
_WITHOUT_POLICY = f"choose '{NO_POLICY}' for the model's own labels."
_BIN = re.compile(r"(?:below (?P<top>\S+)|(?P<low>\S+) to (?P<high>\S+)|(?P<bottom>\S+) and above)")


def choose_policy(run: Run, name: str | None) -> tuple[str, ThresholdPolicy] | None:
    """Return the policy that decides: the one of this name, or the only one that is stored with the run.

    Parameters
    ----------
    run : Run
        The run that made the model.
    name : str or None
        Name of the policy's file, or `NO_POLICY`.

    Raises
    ------
    InputError
        When there is no policy of this name, or there are several and none is named.
    """
    kept = policies.kept(run)
    if name == NO_POLICY or (name is None and not kept):
        return None
    if name is None and len(kept) == 1:
        name = next(iter(kept))
    if name is not None and name in kept:
        return name, kept[name]
    choices = f"Name one of {', '.join(kept)}, or {_WITHOUT_POLICY}" if kept else "This model has no policy."
    if name is None:
        raise InputError(f"This model has {len(kept)} policies.", choices)
    raise InputError(f"This model has no policy '{name[:80]}'.", choices)


@dataclass(frozen=True)
class PolicyApplier:
    """Applies a policy to the rows of a table.

    Parameters
    ----------
    name : str
        Name of the policy's file.
    policy : ThresholdPolicy
        The rules.
    labels : list of str or None
        The model's classes; None for a number.
    """

    name: str
    policy: ThresholdPolicy
    labels: list[str] | None

    @property
    def positive_label(self) -> str | None:
        """The label whose probability decides: the one that the policy names, else the model's last."""
        if self.labels is None:
            return None
        label = str(self.policy.settings.get("positive", self.labels[-1]))
        if label not in self.labels:
            raise InputError(
                f"The policy '{self.name}' is about the label '{label}', which the model does not have.",
                f"Choose another policy, or '{NO_POLICY}'.",
            )
        return label

    def require(self, frame: pd.DataFrame, row_id: str | None) -> None:
        """Refuse a table that lacks what the policy decides by.

        Parameters
        ----------
        frame : DataFrame
            The table.
        row_id : str or None
            The column of unique ids.

        Raises
        ------
        InputError
            When a sensitive column or, where the policy draws decisions, the column of ids is absent.
        """
        names = [str(name) for name in frame.columns]
        hint = f"The policy '{self.name}' decides by this column. Add it, or {_WITHOUT_POLICY}"
        require_columns(names, self.policy.columns, hint=hint)
        if self.policy.randomized and row_id is None:
            raise InputError(
                f"The policy '{self.name}' draws some decisions at random, each by the id of its row.",
                f"Name a column of unique ids, or {_WITHOUT_POLICY}",
            )
        if row_id is not None:
            require_columns(names, [row_id], hint="Name a column of unique ids.")

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
        """
        positive = self.positive_label
        scores = outputs if outputs.ndim == 1 else outputs[:, (self.labels or []).index(positive or "")]
        groups = self._groups(frame)
        names = _group_names(groups)
        known = names.isin(self.policy.rules) & np.isfinite(scores)
        decisions = pd.Series(pd.NA, index=frame.index, dtype="Int64")
        if known.any():
            ids = frame[row_id][known].tolist() if row_id is not None and self.policy.randomized else None
            decisions[known] = self.policy.predict(scores[known.to_numpy()], groups[known], row_ids=ids)
        unknown = names[~names.isin(self.policy.rules)].value_counts()
        return decisions, {str(group): int(rows) for group, rows in unknown.items()}

    def _groups(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the sensitive columns, numbers in the bins that the rules name."""
        parts = [group.split(", ") for group in self.policy.rules]
        columns = {}
        for index, name in enumerate(self.policy.columns):
            own = [part[index] for part in parts if len(part) == len(self.policy.columns)]
            edges = _bin_edges(own if len(self.policy.columns) > 1 else list(self.policy.rules))
            columns[name] = bin_numbers(frame[name], edges).astype(object) if edges else frame[name]
        return pd.DataFrame(columns, index=frame.index)

    def finding(self, unknown: dict[str, int]) -> Finding | None:
        """Return a finding about the rows without a decision, or None when there are none."""
        if not unknown:
            return None
        rows = sum(unknown.values())
        return Finding(
            "unknown_groups",
            "alert",
            " and ".join(self.policy.columns),
            f"{rows:,} rows have no decision: the policy has no rule for {', '.join(map(repr, list(unknown)[:5]))}.",
            f"It has rules for {', '.join(list(self.policy.rules)[:10])}.",
            {"rows": unknown},
        )


def _group_names(groups: pd.DataFrame) -> pd.Series:
    """Return each row's group as the rules name it."""
    parts = []
    for _, column in groups.items():
        codes, values = pd.factorize(column, use_na_sentinel=False)
        parts.append(pd.Series([label_text(value) for value in values], dtype=object).to_numpy()[codes])
    return pd.Series([", ".join(row) for row in zip(*parts, strict=True)], index=groups.index, dtype=object)


def _bin_edges(labels: Sequence[str]) -> list[float]:
    """Return the inner edges of bins by their names, as `bin_numbers` gives them; empty where they are not bins.

    Examples
    --------
    >>> _bin_edges(["below 25", "25 to 1,040.5", "1,040.5 and above", "(missing)"]), _bin_edges(["25", "above"])
    ([25.0, 1040.5], [])
    """
    edges = set()
    for label in labels:
        match = _BIN.fullmatch(label)
        if match is None:
            if label != "(missing)":
                return []
            continue
        try:
            edges |= {float(edge.replace(",", "")) for edge in match.groupdict().values() if edge is not None}
        except ValueError:
            return []
    return sorted(edges)
