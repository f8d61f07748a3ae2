"""A rule on the test rows: read once for each rule, beside what it promised on the calibration rows."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import policies
from core.fairness import CONSTRAINTS, GroupMetrics, ThresholdPolicy, score_table
from pages._ui import frame, numbers
from pages.fairness.evidence import Evidence, state

__all__ = ["rule", "show"]

_SHIFT = 0.02  # from here on a rule's promise and its test part


def rule(evidence: Evidence) -> tuple[ThresholdPolicy, GroupMetrics] | None:
    """Return the rule that was applied to the test rows and how these do under it, if one was."""
    stored = st.session_state.get(state(evidence, "policy"))
    if stored is None or not st.session_state.get(state(evidence, "applied")):
        return None
    policy = ThresholdPolicy.from_dict(stored)
    side = evidence.test
    return policy, score_table(side.truth, side.score, side.groups, min_group_size=evidence.min_rows).under(policy)


def _shift(evidence: Evidence) -> float:
    """Return the largest distance of the scores' deciles on test and calibration rows."""
    assert evidence.fit is not None
    assert evidence.fit.score is not None
    assert evidence.test.score is not None
    deciles = np.linspace(0.1, 0.9, 9)
    return float(np.abs(np.quantile(evidence.test.score, deciles) - np.quantile(evidence.fit.score, deciles)).max())


def show(evidence: Evidence) -> None:
    """Draw how the applied rule does on the test rows; nothing before one is applied."""
    found = rule(evidence)
    if found is None:
        return
    policy, metrics = found
    gap = max(metrics.difference()[name] for name in CONSTRAINTS[policy.settings["constraint"]])
    accuracy = metrics.overall_intervals.loc["accuracy"]
    shift = abs(gap - policy.expected["violation"])
    st.markdown(
        frame.plain(
            f"On the test rows the rule gives an accuracy of "
            f"{numbers.estimate(accuracy['value'], accuracy['low'], accuracy['high'])} "
            f"{numbers.interval(accuracy['low'], accuracy['high'])} and a difference of {100 * gap:.1f} points."
        )
    )
    if shift > _SHIFT:
        st.warning(
            f"That is {100 * shift:.1f} points from what was found on the calibration rows: "
            "the refitted model's scores, or chance in small groups, differ.",
            icon=":material/warning:",
        )
    moved = _shift(evidence)
    if moved > _SHIFT:
        st.warning(
            f"The refitted model's scores on the test rows are up to {moved:.3f} from those the rule was found on "
            "(by deciles): its thresholds do not fit them exactly.",
            icon=":material/warning:",
        )
    if evidence.run is not None:
        st.caption(
            f"The test rows of this model were read for {policies.reads(evidence.run)} rules so far, "
            "the model's own among them. Each further one makes them less of a test."
        )
