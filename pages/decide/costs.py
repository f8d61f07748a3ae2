"""What each outcome is worth: the form, and costs and gains in words."""

from __future__ import annotations

import streamlit as st

from pages._ui import address, frame, keys, numbers

__all__ = ["DEFAULT_GAINS", "amount_text", "as_amount", "choose", "forget", "is_profit"]

DEFAULT_GAINS = {"true_positive": 0.0, "false_positive": -1.0, "false_negative": -1.0, "true_negative": 0.0}
_PER = 1_000


def choose(label: str, key: str, start: dict[str, float] | None) -> dict[str, float]:
    """Draw the value of each outcome, and return the costs: a gain is a negative cost.

    Parameters
    ----------
    label : str
        Label that the scores are about.
    key : str
        Key that the widgets' values are kept by.
    start : dict of str to float or None
        Costs to begin with, such as those of the rule in force; by default an error costs 1.
    """
    text = frame.plain(label)
    titles = {
        "true_positive": f"Selected, and '{text}'",
        "false_positive": f"Selected, but not '{text}'",
        "false_negative": f"Not selected, but '{text}'",
        "true_negative": f"Not selected, and not '{text}'",
    }
    st.markdown(
        "**What each row is worth**",
        help="Per row, in any unit: a positive number is a gain, a negative one a cost. A contact that costs 2 and "
        "keeps a customer worth 40 is 38 where it was right, and −2 where it was not.",
    )
    gains = {name: -cost for name, cost in start.items()} if start else DEFAULT_GAINS
    columns = [*st.columns(2, gap="small"), *st.columns(2, gap="small")]
    chosen = {}
    for column, (name, title) in zip(columns, titles.items(), strict=True):
        parameter = name.replace("_", "-")
        widget = keys.key(f"decide-{parameter}-{key}")
        shown = address.restore_number(parameter, float(gains.get(name, DEFAULT_GAINS[name])) + 0.0, widget)
        gain = column.number_input(title, step=1.0, format="%g", key=widget)
        address.keep(parameter, gain, shown, widget)
        chosen[name] = 0.0 - gain
    return chosen


def forget() -> None:
    """Take what was typed out of the address: it was about another label."""
    for name in DEFAULT_GAINS:
        address.drop(name.replace("_", "-"))


def is_profit(costs: dict[str, float]) -> bool:
    """Return whether some outcome is a gain, so that profit is shown in place of cost."""
    return min(costs.values()) < 0


def as_amount(cost: float, costs: dict[str, float]) -> float:
    """Return a mean cost per row as the profit, or the cost, of 1,000 rows."""
    return 0.0 + _PER * (-cost if is_profit(costs) else cost)


def amount_text(cost: float, low: float | None, high: float | None, costs: dict[str, float]) -> tuple[str, str]:
    """Return the profit, or the cost, of 1,000 rows and its interval as texts."""
    value = as_amount(cost, costs)
    if low is None or high is None:
        return numbers.rounded(value), "no interval"
    ends = [as_amount(bound, costs) for bound in (low, high)]
    return numbers.estimate(value, min(ends), max(ends)), numbers.interval(min(ends), max(ends))
