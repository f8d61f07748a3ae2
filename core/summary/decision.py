"""The decision that a model makes: its own labels, or the rule that is in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core import policies
from core.datasets import load_frame
from core.errors import PlumblineError
from core.models import PolicyApplier, RunEvidence
from core.storage import get_store
from core.summary.frequencies import Predictions

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Decision", "decision_of"]


@dataclass(frozen=True)
class Decision:
    """Decisions on the test rows.

    Parameters
    ----------
    label : str
        Class that a row is named or not.
    rows : Predictions
        Test rows that have a decision; predicted is `label` where they are named so, and empty otherwise.
    text : str
        Sentence on how it is decided.
    """

    label: str
    rows: Predictions
    text: str


def decision_of(evidence: RunEvidence, test: Predictions) -> tuple[Decision | None, str]:
    """Return the decisions by the rule in force, or None where the model's own labels decide; and what is unclear."""
    rule = policies.in_force(evidence.run, access=evidence.access)
    if rule.unclear:
        return None, f"Which rule decides is not clear, so the model's own labels are counted. {rule.unclear}"
    if rule.policy is None or rule.name is None:
        return None, ""
    applier = PolicyApplier(rule.name, rule.policy, evidence.labels)
    described = policies.describe(rule.policy)
    try:
        label = applier.positive_label
        if label is None or evidence.labels is None:
            return (
                None,
                f"A rule is in force ({described}); the numbers here are about the errors of predicted numbers.",
            )
        table = evidence.test
        outputs = table[[f"p({name})" for name in evidence.labels]].to_numpy(dtype=np.float64)
        decided, unknown = applier.decide(outputs, _columns(evidence, applier.columns), "row_id")
    except PlumblineError as error:
        return None, f"The rule in force ({described}) cannot be applied to the test rows: {error.message}"
    known = decided.notna().to_numpy()
    named = decided.fillna(0).to_numpy(dtype=bool)
    rows = Predictions(
        test.actual[known],
        np.where(named[known], label, "").astype(object),
        None if test.weights is None else test.weights[known],
        None if test.groups is None else test.groups[known],
        test.several,
    )
    without = sum(unknown.values())
    left_out = f" {without:,} test rows of groups without a rule are left out." if without else ""
    return Decision(label, rows, f"The decision is the rule in force: {described}.{left_out}"), ""


def _columns(evidence: RunEvidence, names: list[str]) -> pd.DataFrame:
    """Return the columns that a rule decides by, of the test rows, with their ids."""
    rows = evidence.test["row_id"]
    if not names:
        return rows.to_frame().reset_index(drop=True)
    if evidence.dataset is None:
        raise PlumblineError("the table was deleted, so its groups are not known any more.")
    table = load_frame(get_store().local_path(evidence.dataset.data_digest), names)
    return table.iloc[rows.to_numpy()].reset_index(drop=True).assign(row_id=rows.to_numpy())
