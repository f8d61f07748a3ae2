"""A threshold on the test rows, compared with what it promised on the rows that it was chosen on."""

from __future__ import annotations

import streamlit as st

from core import policies
from core.decisions import DecisionCurve
from core.fairness import ThresholdPolicy
from pages._ui import frame, keys, numbers
from pages.decide import costs
from pages.decide.source import DecisionSource, curve_of

__all__ = ["button", "show"]

_SHIFT = 0.02  # of the share of selected rows: from here on, test rows and promise are said to differ


def _key(source: DecisionSource, policy: ThresholdPolicy) -> str:
    return f"decide-checked/{source.key}/{policy.to_dict()['rules']}"


def button(source: DecisionSource, policy: ThresholdPolicy) -> None:
    """Draw the button that reads the test rows for this rule; each rule counts once."""
    if source.test is None:
        return
    if st.button(
        "Check on the test rows",
        icon=":material/fact_check:",
        key=keys.key("decide-check"),
        help="Uses the test rows once to check this rule; these uses are counted.",
    ):
        st.session_state[_key(source, policy)] = True
        if source.run is not None:
            cohort = {} if source.cohort is None else {"cohort": source.cohort.to_dict()}
            policies.note_read(
                source.run,
                {"rules": policy.to_dict()["rules"], "positive": source.label, **cohort},
                access=frame.access(),
            )


def show(source: DecisionSource, curve: DecisionCurve, policy: ThresholdPolicy) -> None:
    """Draw the rule on the test rows; nothing before it was checked."""
    if source.test is None or not st.session_state.get(_key(source, policy)):
        return
    (((threshold, _),),) = policy.rules.values()
    test = curve_of(source, curve.costs, test=True)
    outcome, promised = test.at(threshold), curve.at(threshold)
    word = "profit" if costs.is_profit(curve.costs) else "cost"
    value, interval = costs.amount_text(outcome.cost.value, outcome.cost.low, outcome.cost.high, curve.costs)
    before = numbers.rounded(costs.as_amount(promised.cost.value, curve.costs))
    label = frame.plain(source.label or "")
    by_weight = " (by their weight)" if source.weight else ""
    st.markdown(
        f"**On {len(source.test):,} test rows** the {word} per 1,000 rows is {frame.plain(value)} "
        f"{frame.plain(interval)} (promised: {frame.plain(before)}). The rule selects "
        f"{outcome.tp + outcome.fp:,.0f} rows{by_weight}: {outcome.tp:,.0f} are '{label}', {outcome.fp:,.0f} are false "
        f"alarms; {outcome.fn:,.0f} '{label}' are missed."
    )
    if abs(outcome.selected.value - promised.selected.value) > _SHIFT:
        st.warning(
            f"The rule selects {numbers.percent(outcome.selected.value)} of the test rows, and "
            f"{numbers.percent(promised.selected.value)} of the rows that it was chosen on. The final model's scores "
            "differ from those, or chance.",
            icon=":material/warning:",
        )
    if source.run is not None:
        st.caption(policies.reads_sentence(source.run, access=frame.access()))
