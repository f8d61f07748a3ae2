"""The best threshold for all groups and, under a caution, the best ones by group with their cost."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core import policies
from core.errors import InputError
from core.fairness import (
    CONSTRAINTS,
    OBJECTIVES,
    RATES,
    ScoreTable,
    ThresholdPolicy,
    optimize_thresholds,
    tradeoff_curve,
)
from pages._ui import frame, numbers
from pages.fairness import affected, rule_actions, single_rule, tradeoff_chart
from pages.fairness.analysis import Analysis, state_key

__all__ = ["show"]

_CAUTION = (
    "**Thresholds that differ by group may be unlawful.** Where people are hired or promoted in the US, Title VII, "
    "section 703(l), forbids different cutoff scores by race, color, religion, sex or national origin. Other laws and "
    "countries have rules of their own. Ask counsel first; the threshold above is the same for everyone."
)
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
    """Draw the form, the best threshold for all and then those by group; `rows` counts rows, which weigh the same."""
    st.subheader("The best threshold")
    constraint, objective, tolerance, costs = _form()
    try:
        single_rule.show(
            analysis,
            table,
            rows,
            constraint=constraint,
            objective=objective,
            tolerance=tolerance,
            costs=costs,
        )
    except InputError as error:
        frame.show_error(error.message, error.hint)
        return
    st.markdown("#### Thresholds by group")
    st.warning(_CAUTION, icon=":material/gavel:")
    choice = _options(constraint, objective, tolerance, costs)
    if st.button("Optimize by group", icon=":material/auto_fix_high:", key="fairness-optimize"):
        policy = optimize_thresholds(
            table,
            constraint=choice.constraint,
            objective=choice.objective,
            tolerance=choice.tolerance,
            randomized=choice.randomized,
            costs=choice.costs,
            minimum_rate=choice.minimum_rate,
            min_group_size=analysis.min_group_size,
        )
        st.session_state[state_key(analysis, "policy")] = policy.to_dict()
        st.session_state[state_key(analysis, "curve")] = _curve(
            analysis.key,
            analysis.min_group_size,
            choice.constraint,
            choice.objective,
            choice.randomized,
            choice.costs,
            table,
        )
        st.session_state.pop(state_key(analysis, "applied"), None)
    stored = st.session_state.get(state_key(analysis, "policy"))
    if stored is not None:
        _show_rule(analysis, table, rows, ThresholdPolicy.from_dict(stored))
    if analysis.run is not None and (kept := policies.kept(analysis.run, access=frame.access())):
        in_force = policies.in_force(analysis.run, access=frame.access()).name
        names = (frame.plain(file) + (" (in force)" if file == in_force else "") for file in kept)
        st.caption(f"Kept with the model: {', '.join(names)}")


def _form() -> tuple[str, str, float, dict[str, float] | None]:
    """Draw the choice of constraint, objective and tolerance, and of the costs where the objective uses them."""
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
    costs = None
    if OBJECTIVES[objective].uses_costs:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            costs = {
                "false_positive": st.number_input("Cost of selecting wrongly", 0.0, value=1.0, key="fairness-cost-fp"),
                "false_negative": st.number_input(
                    "Cost of turning away wrongly", 0.0, value=1.0, key="fairness-cost-fn"
                ),
            }
    return constraint, objective, tolerance / 100, costs


def _options(constraint: str, objective: str, tolerance: float, costs: dict[str, float] | None) -> _Choice:
    """Draw the options of thresholds by group."""
    minimum_rate = None
    with st.container(horizontal=True, vertical_alignment="bottom"):
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
    return _Choice(constraint, objective, tolerance, randomized, costs, minimum_rate)


@st.cache_data(max_entries=8, show_spinner=False)
def _curve(
    key: str,
    min_group_size: int,
    constraint: str,
    objective: str,
    randomized: bool,
    costs: dict[str, float] | None,
    _table: ScoreTable,
) -> pd.DataFrame:
    return tradeoff_curve(
        _table,
        constraint=constraint,
        objective=objective,
        randomized=randomized,
        costs=costs,
        min_group_size=min_group_size,
    )


def _show_rule(analysis: Analysis, table: ScoreTable, rows: ScoreTable, policy: ThresholdPolicy) -> None:
    expected, objective = policy.expected, OBJECTIVES[policy.settings["objective"]].title.lower()
    change = expected["objective"] - expected["unconstrained_objective"]
    st.markdown(
        frame.plain(
            f"On the calibration rows {objective} goes from {expected['unconstrained_objective']:.4f} without a "
            f"constraint to {expected['objective']:.4f} ({numbers.signed(change, '.4f')}), and the difference between "
            "groups from "
            f"{100 * expected['unconstrained_violation']:.1f} to {100 * expected['violation']:.1f} points."
        )
    )
    _say_small(analysis, expected.get("small_groups", []), len(table.texts))
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
            tradeoff_chart.show(curve, policy, objective)
    start = affected.start_threshold(table)
    affected.show(table.texts, rows.at(start), rows.under(policy), f"a threshold of {start:g} for all")
    rule_actions.show(analysis, policy, _name(policy), "fairness")


def _name(policy: ThresholdPolicy) -> str:
    return f"{policy.settings['constraint']} by {' and '.join(policy.columns)}"


def _say_small(analysis: Analysis, small: list[str], groups: int) -> None:
    """Say which groups have no rule of their own, and why."""
    if not small:
        return
    rows = f"{analysis.min_group_size:,} rows"
    if len(small) == groups:
        st.info(f"Fewer than two groups have {rows}: the best threshold of all rows is everyone's.")
        return
    names = ", ".join(small[:5]) + (" …" if len(small) > 5 else "")
    st.caption(
        frame.plain(
            f"Fewer than {rows}, so without a rule of their own, and not part of the difference: {names}. "
            "They have the best threshold of all rows."
        )
    )


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
