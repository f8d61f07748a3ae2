"""How long a search may take: presets in words, a time of one's own, or a number of trials."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core import access
from core.automl import (
    BUDGET_PRESETS,
    SHORTEST_BUDGET_S,
    AutoMLSettings,
    budget_warning,
    expected_trials,
)
from pages._ui import numbers
from pages._ui.model_fields import default, limits

__all__ = ["show"]

_OWN = {"other": ("Other", "own time"), "trials": ("By trials", "no clock")}
_TITLES = {name: preset.title for name, preset in BUDGET_PRESETS.items()} | {
    name: title for name, (title, _) in _OWN.items()
}
_NOTES = {name: numbers.duration(preset.seconds) for name, preset in BUDGET_PRESETS.items()} | {
    name: note for name, (_, note) in _OWN.items()
}


def show(*, rows: int, columns: int) -> dict[str, Any]:
    """Draw the choice, with what to expect on a table of this size, and return the settings."""
    longest = access.limits()
    own = {"other": SHORTEST_BUDGET_S, "trials": None}
    seconds = own | {name: preset.seconds for name, preset in BUDGET_PRESETS.items()}
    offered = [name for name in _TITLES if name == "other" or longest.allows_budget(seconds[name])]
    usual = [name for name in offered if seconds[name] == default(AutoMLSettings, "time_budget_s")]
    chosen = st.radio(
        "Time budget",
        offered,
        index=offered.index(usual[0]) if usual else 0,
        format_func=_TITLES.__getitem__,
        captions=[_NOTES[name] for name in offered],
        horizontal=True,
        help="From Start to a model that predicts: features, search and final fit all count. "
        + ("By trials: no time budget, and the same settings give the same model." if "trials" in offered else ""),
        key="automl-preset",
    )
    if chosen == "trials":
        trials = st.number_input(
            "Trials", **limits(AutoMLSettings, "max_trials"), value=50, step=10, key="automl-trials"
        )
        return {"time_budget_s": None, "max_trials": trials}
    budget_s = _seconds(longest.budget_s) if chosen == "other" else BUDGET_PRESETS[chosen].seconds
    purpose = "" if chosen == "other" else BUDGET_PRESETS[chosen].purpose
    _expectation(rows, columns, budget_s, purpose)
    return {"time_budget_s": budget_s}


def _seconds(longest: float | None) -> float:
    ends = {**limits(AutoMLSettings, "time_budget_s"), "min_value": SHORTEST_BUDGET_S}
    if longest is not None:
        ends = {"min_value": min(SHORTEST_BUDGET_S, float(longest)), "max_value": float(longest)}
    seconds = st.number_input(
        "Seconds",
        **ends,
        value=min(120.0, ends["max_value"]),
        step=5.0,
        format="%.0f",
        key="automl-budget-seconds",
    )
    return float(seconds)


def _expectation(rows: int, columns: int, budget_s: float, purpose: str) -> None:
    """Say what to expect of a budget, or that it is short."""
    warning = budget_warning(rows, columns, budget_s)
    if warning is not None:
        st.warning(warning, icon=":material/timer:")
        return
    low, high = expected_trials(rows, columns, budget_s)
    trials = f"About {low:,} to {high:,} trials on {rows:,} rows and {columns:,} columns, fewer on a busy machine."
    st.caption(f"{purpose} {trials}".strip())
