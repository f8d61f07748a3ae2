"""The best rule under a constraint: what it is, what it costs, how it does on the test rows, and keeping it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from core import policies
from core.fairness import CONSTRAINTS, OBJECTIVES, ScoreTable, ThresholdPolicy
from pages._ui import downloads, frame, theme
from pages.fairness import applied, changes
from pages.fairness.evidence import Evidence, state

__all__ = ["show"]

_TITLES = {
    "demographic_parity": "Demographic parity (selection rate)",
    "true_positive_rate_parity": "Equal opportunity (true positive rate)",
    "false_positive_rate_parity": "False positive rate parity",
    "true_negative_rate_parity": "True negative rate parity",
    "false_negative_rate_parity": "False negative rate parity",
    "equalized_odds": "Equalized odds (both rates)",
}
_GOALS = {"accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy", "cost": "Cost of errors"}


def show(evidence: Evidence, table: ScoreTable) -> None:
    """Draw the form, and the rule that was found last."""
    st.subheader("The best rule under a constraint")
    settings = _form()
    if st.button("Optimise", type="primary", icon=":material/auto_fix_high:", key="fairness-optimize"):
        st.session_state[state(evidence, "policy")] = table.optimize(**settings).to_dict()
        st.session_state[state(evidence, "curve")] = _curve(evidence.key, json.dumps(settings), table)
        st.session_state.pop(state(evidence, "applied"), None)
    stored = st.session_state.get(state(evidence, "policy"))
    if stored is not None:
        _found(evidence, table, ThresholdPolicy.from_dict(stored))


def _form() -> dict[str, Any]:
    first, second, third = st.columns(3, gap="medium")
    with first:
        constraint = st.selectbox(
            "Make equal", list(CONSTRAINTS), format_func=_TITLES.__getitem__, key="fairness-constraint"
        )
    with second:
        objective = st.selectbox(
            "And as good as can be in", list(OBJECTIVES), format_func=_GOALS.__getitem__, key="fairness-objective"
        )
    with third:
        tolerance = st.number_input(
            "Difference allowed (points)", 0.0, 100.0, 0.0, 0.5, key="fairness-tolerance", help="0: exactly equal."
        )
    settings: dict[str, Any] = {"constraint": constraint, "objective": objective, "tolerance": tolerance / 100}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if objective == "cost":
            settings["costs"] = {
                "false_positive": st.number_input("Cost of selecting wrongly", 0.0, value=1.0, key="fairness-cost-fp"),
                "false_negative": st.number_input(
                    "Cost of turning away wrongly", 0.0, value=1.0, key="fairness-cost-fn"
                ),
            }
        settings["randomized"] = st.toggle(
            "Allow drawing lots",
            value=True,
            key="fairness-randomized",
            help="Between two thresholds: it reaches the exact optimum. Off: one threshold a group, as near as can be.",
        )
        up = constraint in ("demographic_parity", "true_positive_rate_parity", "true_negative_rate_parity")
        if up and st.toggle(
            "Level up instead",
            key="fairness-level-up",
            help="At least this rate for every group; nobody is made worse off for it.",
        ):
            settings["minimum_rate"] = st.number_input("At least (%)", 0.0, 100.0, 50.0, key="fairness-minimum") / 100
    return settings


@st.cache_data(max_entries=8, show_spinner=False)
def _curve(key: str, settings: str, _table: ScoreTable) -> pd.DataFrame:
    asked = {k: v for k, v in json.loads(settings).items() if k not in ("tolerance", "minimum_rate")}
    return _table.tradeoff(**asked)


def _found(evidence: Evidence, table: ScoreTable, policy: ThresholdPolicy) -> None:
    expected, goal = policy.expected, _GOALS[policy.settings["objective"]].lower()
    cost = expected["objective"] - expected["unconstrained_objective"]
    st.markdown(
        frame.plain(
            f"On the calibration rows {goal} goes from {expected['unconstrained_objective']:.4f} without a "
            f"constraint to {expected['objective']:.4f} ({cost:+.4f}), and the difference between groups from "
            f"{100 * expected['unconstrained_violation']:.1f} to {100 * expected['violation']:.1f} points."
        )
    )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.dataframe(
            _rules(policy),
            hide_index=True,
            alt="Thresholds and rates by group",
            column_config={"Selected by chance (%)": st.column_config.NumberColumn(format="%.1f")}
            | {name: st.column_config.NumberColumn(format="%.1f") for name in _PERCENT},
        )
        if policy.randomized:
            st.caption(
                "Where a group has two thresholds, each row's is drawn by a hash of its id: the same row always "
                "gets the same decision."
            )
    with right:
        curve = st.session_state.get(state(evidence, "curve"))
        if curve is not None and len(curve) > 1:
            _tradeoff(curve, policy, goal)
    begin = changes.start(table)
    changes.show(table.texts, table.at(begin), table.under(policy), f"a threshold of {begin:g} for all")
    _actions(evidence, policy)
    applied.show(evidence)


_PERCENT = ("Selection rate (%)", "True positive rate (%)", "False positive rate (%)", "Precision (%)")


def _rules(policy: ThresholdPolicy) -> pd.DataFrame:
    rows = []
    plain = policy.to_dict()["rules"]
    for group, rates in policy.expected["by_group"].items():
        told = " or ".join(
            (part["threshold"] if isinstance(part["threshold"], str) else f"{part['threshold']:.4g}")
            + (f" ({part['probability']:.0%})" if len(plain[group]) > 1 else "")
            for part in plain[group]
        )
        values = [rates[name] for name in ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")]
        rows.append([group, told, *(None if value is None else 100 * value for value in values)])
    return pd.DataFrame(rows, columns=["Group", "Selected from", *_PERCENT])


def _tradeoff(curve: pd.DataFrame, policy: ThresholdPolicy, goal: str) -> None:
    """Draw what each difference costs, with the rule on it."""
    points = curve.assign(points=100 * curve["disparity"])
    x = alt.X("points:Q", title="Difference between groups (points)")
    y = alt.Y("objective:Q", title=goal.capitalize(), scale=alt.Scale(zero=False))
    line = (
        alt.Chart(points[~points["dominated"]])
        .mark_line(point=True, color=theme.accent())
        .encode(x=x, y=y, tooltip=[alt.Tooltip("points:Q", format=".2f"), alt.Tooltip("objective:Q", format=".4f")])
    )
    own = pd.DataFrame({"points": [100 * policy.expected["violation"]], "objective": [policy.expected["objective"]]})
    dot = alt.Chart(own).mark_point(filled=True, size=160, color=theme.categorical()[1], opacity=1).encode(x=x, y=y)
    heading = "What each difference costs"
    st.altair_chart((line + dot).properties(height=240, title=heading), alt=f"{heading}: {goal} against difference")
    if points["dominated"].any():
        st.caption(f"{int(points['dominated'].sum())} points that are no better in anything are left out.")


def _actions(evidence: Evidence, policy: ThresholdPolicy) -> None:
    name = f"{policy.settings['constraint']} by {' and '.join(policy.columns)}"
    if evidence.positive is not None:  # what applies it elsewhere must know which label its scores are about
        policy = replace(policy, settings=policy.settings | {"positive": evidence.positive})
    with st.container(horizontal=True):
        if st.button(
            "Apply to the test rows",
            icon=":material/fact_check:",
            key="fairness-apply",
            help="Reads the test rows once for this rule; the reads are counted.",
        ):
            st.session_state[state(evidence, "applied")] = True
            if evidence.run is not None:
                policies.note_read(evidence.run, {"rules": policy.to_dict()["rules"]})
        if evidence.run is not None and st.button(
            "Keep with the model",
            icon=":material/bookmark_add:",
            key="fairness-keep",
            help="The policy then comes with the model's download, as a JSON file.",
        ):
            file = policies.keep(evidence.run, name, policy)
            st.toast(f"Kept as {file}", icon=":material/check:")
        st.download_button(
            "Policy (JSON)",
            json.dumps(policy.to_dict(), indent=2),
            file_name=downloads.file_name(name, ".json"),
            mime="application/json",
            icon=":material/download:",
            key="fairness-download-policy",
            on_click="ignore",
        )
    if evidence.run is not None and (kept := policies.kept(evidence.run)):
        st.caption("Kept with the model: " + ", ".join(frame.plain(each) for each in kept))
