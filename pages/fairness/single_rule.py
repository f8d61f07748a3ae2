"""One threshold for all groups: the best one, and the difference that it leaves between them."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from core.fairness import CONSTRAINTS, OBJECTIVES, RATES, ScoreTable, ThresholdPolicy, single_threshold
from pages._ui import frame
from pages.fairness import affected, rule_actions
from pages.fairness.analysis import Analysis

__all__ = ["show"]


@st.cache_data(max_entries=16, show_spinner=False)
def _best(
    key: str,
    min_group_size: int,
    constraint: str,
    objective: str,
    tolerance: float,
    costs: dict[str, float] | None,
    _table: ScoreTable,
) -> dict[str, object]:
    policy = single_threshold(
        _table,
        constraint=constraint,
        objective=objective,
        tolerance=tolerance,
        costs=costs,
        min_group_size=min_group_size,
    )
    return policy.to_dict()


def show(
    analysis: Analysis,
    table: ScoreTable,
    rows: ScoreTable,
    *,
    constraint: str,
    objective: str,
    tolerance: float,
    costs: dict[str, float] | None,
) -> None:
    """Draw the best threshold for all groups and, where it leaves too large a difference, the best one that does not.

    Parameters
    ----------
    analysis : Analysis
        The rows.
    table, rows : ScoreTable
        Scores that thresholds are fitted on, and the same with rows that weigh the same each.
    constraint, objective, tolerance, costs
        See `single_threshold`.
    """
    st.markdown("#### One threshold for all groups")

    def best(allowed: float) -> ThresholdPolicy:
        asked = (analysis.key, analysis.min_group_size, constraint, objective, allowed, costs)
        return ThresholdPolicy.from_dict(_best(*asked, table))

    policy = best(1.0)
    title = OBJECTIVES[objective].title.lower()
    if len(table.texts) - len(policy.expected["small_groups"]) < 2:
        st.markdown(frame.plain(f"{_sentence(policy, title)} No two groups have enough rows to be compared."))
    else:
        st.markdown(frame.plain(f"{_sentence(policy, title)} {_gap(policy, constraint)}"))
        if 0 < tolerance < policy.expected["violation"]:  # exactly equal rates mean everybody, or nobody
            policy = _choose(policy, best(tolerance), title, tolerance)
    start = affected.start_threshold(table)
    affected.show(table.texts, rows.at(start), rows.under(policy), f"a threshold of {start:g} for all")
    rule_actions.show(analysis, policy, "one threshold for all", "fairness-single")


def _choose(policy: ThresholdPolicy, within: ThresholdPolicy, title: str, tolerance: float) -> ThresholdPolicy:
    """Draw the choice between the best threshold and the best one within the tolerance; return the chosen one."""
    points = f"{100 * tolerance:g} points"
    if not math.isfinite(_threshold(within)):
        st.caption(f"No threshold for all keeps the difference within {points}, but for one that {_selects(within)}.")
        return policy
    value = within.expected["objective"]
    st.markdown(
        frame.plain(
            f"To keep the difference within {points}, it has to be {_threshold(within):.4g}: "
            f"{title} is then {value:.4f}, the difference {100 * within.expected['violation']:.1f} points."
        )
    )
    names = {"best": f"{_threshold(policy):.4g}, the best", "within": f"{_threshold(within):.4g}, within {points}"}
    chosen = st.segmented_control(
        "Threshold", list(names), default="best", format_func=names.__getitem__, key="fairness-single-threshold"
    )
    return within if chosen == "within" else policy


def _threshold(policy: ThresholdPolicy) -> float:
    return policy.rule_of("")[0][0]


def _selects(policy: ThresholdPolicy) -> str:
    return "selects nobody" if _threshold(policy) > 0 else "selects everybody"


def _sentence(policy: ThresholdPolicy, title: str) -> str:
    threshold = _threshold(policy)
    rule = f"A threshold of {threshold:.4g}" if math.isfinite(threshold) else f"A rule that {_selects(policy)}"
    return f"{rule} is the best on the calibration rows: {title} {policy.expected['objective']:.4f}."


def _gap(policy: ThresholdPolicy, constraint: str) -> str:
    """Say what difference a threshold leaves, and between which groups."""
    small = policy.expected["small_groups"]
    rates = pd.DataFrame(policy.expected["by_group"]).T.astype(float).drop(index=small)
    rates["true_negative_rate"] = 1 - rates["false_positive_rate"]
    rates["false_negative_rate"] = 1 - rates["true_positive_rate"]
    compared = rates[list(CONSTRAINTS[constraint].rates)]
    spread = compared.max() - compared.min()
    name = str(spread.idxmax())
    low, high = rates[name].idxmin(), rates[name].idxmax()
    left_out = f" Too few rows to compare: {', '.join(small[:5])}{' …' if len(small) > 5 else ''}." if small else ""
    return (
        f"It leaves a difference of {100 * spread[name]:.1f} points in {RATES[name].phrase}: "
        f"'{high}' {100 * rates.at[high, name]:.1f}%, '{low}' {100 * rates.at[low, name]:.1f}%.{left_out}"
    )
