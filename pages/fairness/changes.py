"""For whom a rule changes something, counted and said in words."""

from __future__ import annotations

import streamlit as st

from core.fairness import GroupMetrics, ScoreTable
from pages._ui import frame

__all__ = ["show", "start"]

_LINES = 10


def start(table: ScoreTable) -> float:
    """Return the threshold to begin with: a half of probabilities, the middle of other scores."""
    low, high = table.range
    return 0.5 if low >= 0 and high <= 1 else float((low + high) / 2)


def show(names: list[str], before: GroupMetrics, now: GroupMetrics, against: str) -> None:
    """Say how many more or fewer of each group are selected, and how many of these wrongly."""
    said = []
    for place, name in enumerate(names):
        change = now.counts.iloc[place] - before.counts.iloc[place]
        false, true = round(change["false_positives"]), round(change["true_positives"])
        if false + true > 0:
            said.append(f"{false + true:,} more '{name}' selected, {max(false, 0):,} of them wrongly")
        elif false + true < 0:
            said.append(f"{-false - true:,} fewer '{name}' selected, {max(-true, 0):,} of them wrongly turned away")
    if not said:
        st.caption(f"Nobody is affected, against {against}.")
        return
    st.markdown("\n".join(f"- {frame.plain(line)}" for line in said[:_LINES]))
    more = f" {len(said) - _LINES:,} more groups are affected." if len(said) > _LINES else ""
    st.caption(f"Against {against}.{more}")
