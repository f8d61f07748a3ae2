"""The best rule under a constraint: its thresholds and cost, its effect on the test rows, and how to keep it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import altair as alt
import pandas as pd
import streamlit as st

from core import policies
from core.fairness import (
    CONSTRAINTS,
    OBJECTIVES,
    RATES,
    ScoreTable,
    ThresholdPolicy,
    optimize_thresholds,
    tradeoff_curve,
)
from pages._ui import address, downloads, frame, theme
from pages.fairness import affected, applied_rule
from pages.fairness.analysis import Analysis, state_key

__all__ = ["show"]

_RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")


@dataclass(frozen=True)
class _Choice:
    """The chosen constraint and objective, with their options."""

    constraint: str
    objective: str
    tolerance: float
    randomized: bool
    costs: dict[str, float] | None
    minimum_rate: float | None


def show(analysis: Analysis, table: ScoreTable, rows: ScoreTable) -> None:
    """Draw the form, and the rule that was optimized last; `rows` counts rows, which weigh the same each."""
    st.subheader("The best rule under a constraint")
    choice = _form()
    if st.button("Optimize", type="primary", icon=":material/auto_fix_high:", key="fairness-optimize"):
        policy = optimize_thresholds(
            table,
            constraint=choice.constraint,
            objective=choice.objective,
            tolerance=choice.tolerance,
            randomized=choice.randomized,
            costs=choice.costs,
            minimum_rate=choice.minimum_rate,
        )
        st.session_state[state_key(analysis, "policy")] = policy.to_dict()
        st.session_state[state_key(analysis, "curve")] = _curve(
            analysis.key, choice.constraint, choice.objective, choice.randomized, choice.costs, table
        )
        st.session_state.pop(state_key(analysis, "applied"), None)
    stored = st.session_state.get(state_key(analysis, "policy"))
    if stored is not None:
        _show_rule(analysis, table, rows, ThresholdPolicy.from_dict(stored))


def _form() -> _Choice:
    first, second, third = st.columns(3, gap="medium")
    constraint = first.selectbox(
        "Fairness constraint",
        list(CONSTRAINTS),
        format_func=lambda name: CONSTRAINTS[name].title,
        key="fairness-constraint",
    )
    objective = second.selectbox(
        "Optimize for",
        list(OBJECTIVES),
        format_func=lambda name: OBJECTIVES[name].title,
        key="fairness-objective",
    )
    tolerance = third.number_input(
        "Allowed difference (points)", 0.0, 100.0, 0.0, 0.5, key="fairness-tolerance", help="0: exactly equal."
    )
    costs = minimum_rate = None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if OBJECTIVES[objective].uses_costs:
            costs = {
                "false_positive": st.number_input("Cost of selecting wrongly", 0.0, value=1.0, key="fairness-cost-fp"),
                "false_negative": st.number_input(
                    "Cost of turning away wrongly", 0.0, value=1.0, key="fairness-cost-fn"
                ),
            }
        randomized = st.toggle(
            "Allow randomized decisions",
            value=True,
            key="fairness-randomized",
            help="Drawing between two thresholds reaches the exact optimum. Off: one threshold per group, as near to "
            "it as possible.",
        )
        if CONSTRAINTS[constraint].can_level_up and st.toggle(
            "Only raise rates, never lower a group's",
            key="fairness-level-up",
            help="At least this rate for every group, in place of equal rates.",
        ):
            minimum_rate = st.number_input("At least (%)", 0.0, 100.0, 50.0, key="fairness-minimum") / 100
    return _Choice(constraint, objective, tolerance / 100, randomized, costs, minimum_rate)


@st.cache_data(max_entries=8, show_spinner=False)
def _curve(
    key: str, constraint: str, objective: str, randomized: bool, costs: dict[str, float] | None, _table: ScoreTable
) -> pd.DataFrame:
    return tradeoff_curve(_table, constraint=constraint, objective=objective, randomized=randomized, costs=costs)


def _show_rule(analysis: Analysis, table: ScoreTable, rows: ScoreTable, policy: ThresholdPolicy) -> None:
    expected, objective = policy.expected, OBJECTIVES[policy.settings["objective"]].title.lower()
    change = expected["objective"] - expected["unconstrained_objective"]
    st.markdown(
        frame.plain(
            f"On the calibration rows {objective} goes from {expected['unconstrained_objective']:.4f} without a "
            f"constraint to {expected['objective']:.4f} ({change:+.4f}), and the difference between groups from "
            f"{100 * expected['unconstrained_violation']:.1f} to {100 * expected['violation']:.1f} points."
        )
    )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        rules = _rules(policy)
        st.dataframe(
            rules,
            hide_index=True,
            alt="Thresholds and rates by group",
            column_config={name: st.column_config.NumberColumn(format="%.1f") for name in rules.columns[2:]},
        )
        if policy.randomized:
            st.caption(
                "Where a group has two thresholds, the one for each row is drawn by a hash of its id: the same row "
                "always gets the same decision."
            )
    with right:
        curve = st.session_state.get(state_key(analysis, "curve"))
        if curve is not None and len(curve) > 1:
            _tradeoff(curve, policy, objective)
    start = affected.start_threshold(table)
    affected.show(table.texts, rows.at(start), rows.under(policy), f"a threshold of {start:g} for all")
    _actions(analysis, policy)
    applied_rule.show(analysis)


def _rules(policy: ThresholdPolicy) -> pd.DataFrame:
    """Return thresholds and expected rates by group."""
    rows = []
    rules = policy.to_dict()["rules"]
    for group, rates in policy.expected["by_group"].items():
        thresholds = " or ".join(
            (part["threshold"] if isinstance(part["threshold"], str) else f"{part['threshold']:.4g}")
            + (f" ({part['probability']:.0%})" if len(rules[group]) > 1 else "")
            for part in rules[group]
        )
        values = (rates[name] for name in _RATES)
        rows.append([group, thresholds, *(None if value is None else 100 * value for value in values)])
    return pd.DataFrame(rows, columns=["Group", "Selected from", *(f"{RATES[name].title} (%)" for name in _RATES)])


def _tradeoff(curve: pd.DataFrame, policy: ThresholdPolicy, objective: str) -> None:
    """Draw the cost of each difference, with the rule on it."""
    points = curve.assign(points=100 * curve["disparity"])
    x = alt.X("points:Q", title="Difference between groups (points)")
    y = alt.Y("objective:Q", title=objective.capitalize(), scale=alt.Scale(zero=False))
    line = (
        alt.Chart(points[~points["dominated"]])
        .mark_line(point=True, color=theme.accent())
        .encode(x=x, y=y, tooltip=[alt.Tooltip("points:Q", format=".2f"), alt.Tooltip("objective:Q", format=".4f")])
    )
    own = pd.DataFrame({"points": [100 * policy.expected["violation"]], "objective": [policy.expected["objective"]]})
    dot = alt.Chart(own).mark_point(filled=True, size=160, color=theme.categorical()[1], opacity=1).encode(x=x, y=y)
    heading = "Cost of each difference"
    st.altair_chart(
        (line + dot).properties(height=240, title=heading), alt=f"{heading}: {objective} against difference"
    )
    if points["dominated"].any():
        st.caption(f"{int(points['dominated'].sum())} points that others beat in both are left out.")


def _actions(analysis: Analysis, policy: ThresholdPolicy) -> None:
    name = f"{policy.settings['constraint']} by {' and '.join(policy.columns)}"
    if analysis.positive is not None:  # whoever applies it must know which label its scores are about
        policy = replace(policy, settings=policy.settings | {"positive": analysis.positive})
    with st.container(horizontal=True):
        if st.button(
            f"Apply to {applied_rule.rows_of_check(analysis)}",
            icon=":material/fact_check:",
            key="fairness-apply",
            help="Uses the test rows once to check this rule; these uses are counted."
            if analysis.run is not None
            else "Checks the rule on rows that it was not fitted on.",
        ):
            st.session_state[state_key(analysis, "applied")] = True
            if analysis.run is not None:
                policies.note_read(analysis.run, {"rules": policy.to_dict()["rules"]})
        if analysis.run is not None and st.button(
            "Keep with the model",
            icon=":material/bookmark_add:",
            key="fairness-keep",
            help="The model then decides by it, in place of the rule in force, which stays listed under Decide. It is "
            "part of the model's download, as a JSON file.",
        ):
            file = policies.keep(analysis.run, name, policy, who=address.who())
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
    if analysis.run is not None and (kept := policies.kept(analysis.run)):
        in_force = policies.in_force(analysis.run).name
        names = (frame.plain(file) + (" (in force)" if file == in_force else "") for file in kept)
        st.caption(f"Kept with the model: {', '.join(names)}")
