"""The rows that a rule decides differently, counted by group."""

from __future__ import annotations

import streamlit as st

from core.fairness import GroupMetrics, ScoreTable
from pages._ui import frame

__all__ = ["show", "start_threshold"]

_LINES = 10


def start_threshold(table: ScoreTable) -> float:
    """Return the threshold to begin with: 0.5 for probabilities, the middle of other scores."""
    low, high = table.range
    return 0.5 if low >= 0 and high <= 1 else float((low + high) / 2)


def show(names: list[str], before: GroupMetrics, after: GroupMetrics, reference: str) -> None:
    """List how many more or fewer rows of each group are selected, and how many of these wrongly."""
    lines = []
    changes = after.counts.reset_index(drop=True) - before.counts.reset_index(drop=True)
    for name, change in zip(names, changes.to_dict(orient="records"), strict=True):
        false, true = round(change["false_positives"]), round(change["true_positives"])
        if false + true > 0:
            lines.append(f"{false + true:,} more '{name}' selected, {max(false, 0):,} of them wrongly")
        elif false + true < 0:
            lines.append(f"{-false - true:,} fewer '{name}' selected, {max(-true, 0):,} of them wrongly turned away")
    if not lines:
        st.caption(f"Nobody is affected, compared with {reference}.")
        return
    st.markdown("\n".join(f"- {frame.plain(line)}" for line in lines[:_LINES]))
    more = f" {len(lines) - _LINES:,} more groups are affected." if len(lines) > _LINES else ""
    st.caption(f"Compared with {reference}.{more}")
