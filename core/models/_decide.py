"""Decisions by a policy that is kept with a run: thresholds by group, on new rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core import policies
from core.catalog import Run
from core.datasets import Finding
from core.errors import InputError
from core.fairness import ThresholdPolicy, bin_numbers, label_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NO_POLICY", "Decider", "choose_policy"]

NO_POLICY = "none"
_BIN = re.compile(r"(?:below (?P<top>\S+)|(?P<low>\S+) to (?P<high>\S+)|(?P<bottom>\S+) and above)")


def choose_policy(run: Run, name: str | None) -> tuple[str, ThresholdPolicy] | None:
    """Return the policy to decide by: the one of this name, or the only one that is kept with the run.

    Raises
    ------
    InputError
        When there is none of this name, or several and none is named.
    """
    kept = policies.kept(run)
    if name == NO_POLICY or (name is None and not kept):
        return None
    choices = (
        f"Name one of {', '.join(kept)}, or '{NO_POLICY}' for the model's own labels." if kept else "None is kept."
    )
    if name is None:
        if len(kept) > 1:
            raise InputError(f"{len(kept)} policies are kept with this model.", choices)
        name = next(iter(kept))
    if name not in kept:
        raise InputError(f"No policy '{name[:80]}' is kept with this model.", choices)
    return name, kept[name]


@dataclass(frozen=True)
class Decider:
    """A policy with what it takes to apply it to rows of a table.

    Parameters
    ----------
    name : str
        Of the policy's file.
    policy : ThresholdPolicy
        The rules.
    labels : list of str or None
        The model's classes; None for a number.
    """

    name: str
    policy: ThresholdPolicy
    labels: list[str] | None

    @property
    def positive(self) -> str | None:
        """The label whose probability decides: the policy's own, or else the model's last."""
        if self.labels is None:
            return None
        found = str(self.policy.settings.get("positive", self.labels[-1]))
        if found not in self.labels:
            raise InputError(
                f"The policy '{self.name}' is about the label '{found}', which the model does not know.",
                f"Choose another policy, or '{NO_POLICY}'.",
            )
        return found

    def require(self, frame: pd.DataFrame, row_id: str | None) -> None:
        """Refuse a table that lacks what the policy decides by.

        Raises
        ------
        InputError
            When a sensitive column or, where decisions are drawn, the column of ids is absent.
        """
        names = [str(name) for name in frame.columns]
        for name in self.policy.columns:
            if name not in names:
                raise InputError(
                    f"The policy '{self.name}' decides by '{name}', and the table has no such column.",
                    f"Add it, or choose '{NO_POLICY}' for the model's own labels.",
                )
        if self.policy.randomized and row_id is None:
            raise InputError(
                f"The policy '{self.name}' draws some decisions, each by the id of its row.",
                f"Name a column of unique ids, or choose '{NO_POLICY}' for the model's own labels.",
            )
        if row_id is not None and row_id not in names:
            raise InputError(f"The table has no column '{row_id}'.", "Name a column of unique ids.")

    def decide(
        self, outputs: NDArray[np.float64], frame: pd.DataFrame, row_id: str | None
    ) -> tuple[pd.Series, dict[str, int]]:
        """Return 1 (selected), 0 or missing for each row, and the rows by group that the policy does not know.

        A row of an unknown group, or without an answer of the model, gets no decision.
        """
        positive = self.positive
        scores = outputs if outputs.ndim == 1 else outputs[:, (self.labels or []).index(positive or "")]
        groups = self._groups(frame)
        texts = _texts(groups)
        known = texts.isin(self.policy.rules) & np.isfinite(scores)
        found = pd.Series(pd.NA, index=frame.index, dtype="Int64")
        if known.any():
            ids = frame[row_id][known].tolist() if row_id is not None and self.policy.randomized else None
            found[known] = self.policy.predict(scores[known.to_numpy()], groups[known], row_ids=ids)
        unknown = texts[~texts.isin(self.policy.rules)].value_counts()
        return found, {str(group): int(rows) for group, rows in unknown.items()}

    def _groups(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the columns of groups; numbers in the bins that the rules name."""
        parts = [group.split(", ") for group in self.policy.rules]
        columns = {}
        for place, name in enumerate(self.policy.columns):
            column = frame[name]
            own = [part[place] for part in parts if len(part) == len(self.policy.columns)]
            edges = _edges(own if len(self.policy.columns) > 1 else list(self.policy.rules))
            columns[name] = bin_numbers(column, edges).astype(object) if edges else column
        return pd.DataFrame(columns, index=frame.index)

    def finding(self, unknown: dict[str, int]) -> Finding | None:
        """Say which rows have no decision because their group is not known."""
        if not unknown:
            return None
        rows = sum(unknown.values())
        return Finding(
            "unknown_groups",
            "alert",
            " and ".join(self.policy.columns),
            f"{rows:,} rows have no decision: the policy has no rule for {', '.join(map(repr, list(unknown)[:5]))}.",
            f"It knows {', '.join(list(self.policy.rules)[:10])}.",
            {"rows": unknown},
        )


def _texts(groups: pd.DataFrame) -> pd.Series:
    """Return each row's group as the rules name it."""
    parts = []
    for _, column in groups.items():
        codes, values = pd.factorize(column, use_na_sentinel=False)
        parts.append(pd.Series([label_text(value) for value in values], dtype=object).to_numpy()[codes])
    return pd.Series([", ".join(row) for row in zip(*parts, strict=True)], index=groups.index, dtype=object)


def _edges(labels: Sequence[str]) -> list[float]:
    """Return the inner edges of bins by their names, as `bin_numbers` gives them; nothing where they are no bins.

    Examples
    --------
    >>> _edges(["below 25", "25 to 1,040.5", "1,040.5 and above", "(missing)"]), _edges(["25", "above"])
    ([25.0, 1040.5], [])
    """
    edges = set()
    for label in labels:
        found = _BIN.fullmatch(label)
        if found is None:
            if label != "(missing)":
                return []
            continue
        try:
            edges |= {float(edge.replace(",", "")) for edge in found.groupdict().values() if edge is not None}
        except ValueError:
            return []
    return sorted(edges)
