"""A rule on rows that it was not fitted on, compared with what it promised on the calibration rows."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import policies
from core.fairness import CONSTRAINTS, GroupMetrics, ThresholdPolicy
from core.models import TABLE_TASKS
from pages._ui import frame, numbers
from pages.fairness.analysis import Analysis, state_key

__all__ = ["applied_rule", "rows_of_check", "show"]

_SHIFT = 0.02  # from here on, promise and test rows are said to differ


def applied_rule(analysis: Analysis) -> tuple[ThresholdPolicy, GroupMetrics] | None:
    """Return the rule that was applied and the metrics of the rows under it, if one was."""
    stored = st.session_state.get(state_key(analysis, "applied"))
    if stored is None:
        return None
    policy = ThresholdPolicy.from_dict(stored)
    return policy, analysis.check.score_table(analysis.min_group_size).under(policy)


def rows_of_check(analysis: Analysis) -> str:
    """Return what the rows are called that a rule is checked on."""
    return "the test rows" if analysis.run is not None else "the other half of the rows"


def _score_shift(analysis: Analysis) -> float:
    """Return the largest distance of the scores' deciles on the rows of the check and on the calibration rows."""
    assert analysis.calibration is not None
    test, calibration = analysis.check.score, analysis.calibration.score
    assert test is not None
    assert calibration is not None
    deciles = np.linspace(0.1, 0.9, 9)
    return float(np.abs(np.quantile(test, deciles) - np.quantile(calibration, deciles)).max())


def show(analysis: Analysis, policy: ThresholdPolicy) -> None:
    """Draw the effect of a rule on the rows of the check; nothing before it is applied."""
    applied = applied_rule(analysis)
    if applied is None or applied[0] != policy:
        return
    metrics = applied[1]
    gap = max(metrics.difference()[name] for name in CONSTRAINTS[policy.settings["constraint"]].rates)
    accuracy = metrics.overall_intervals.loc["accuracy"]
    left = f"a difference of {100 * gap:.1f} points" if gap == gap else "no two groups that can be compared"
    st.markdown(
        frame.plain(
            f"On {rows_of_check(analysis)} the rule gives an accuracy of "
            f"{numbers.estimate(accuracy['value'], accuracy['low'], accuracy['high'])} "
            f"{numbers.interval(accuracy['low'], accuracy['high'])} and {left}."
        )
    )
    # Only a search predicts the calibration rows by other models than the final one: those of cross-validation.
    other_models = analysis.run is not None and analysis.run.task in TABLE_TASKS
    shift = abs(gap - policy.expected["violation"])
    if shift > _SHIFT:
        reason = "the final model's scores differ, or chance in small groups" if other_models else "chance"
        st.warning(
            f"That is {100 * shift:.1f} points from the difference on the calibration rows: {reason}.",
            icon=":material/warning:",
        )
    score_shift = _score_shift(analysis)
    if other_models and score_shift > _SHIFT:
        st.warning(
            f"The final model's scores on the test rows are up to {score_shift:.3f} from those that the rule was "
            "fitted on (by deciles): its thresholds do not fit them exactly.",
            icon=":material/warning:",
        )
    if analysis.run is not None:
        st.caption(policies.reads_sentence(analysis.run, access=frame.access()))
