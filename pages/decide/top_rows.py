"""The rows with the highest scores: how many of them to expect to be right."""

from __future__ import annotations

import math

import streamlit as st

from core.decisions import DecisionCurve
from pages._ui import frame
from pages.decide.count_input import count_input
from pages.decide.source import DecisionSource

__all__ = ["show"]


def show(source: DecisionSource, curve: DecisionCurve) -> None:
    """Draw the choice of a number of rows, and the hits to expect among them."""
    label = frame.plain(source.label or "")
    st.markdown("**Top rows**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        count = count_input("Take the top", f"decide-top-{source.key}", 50, 1)
        among = count_input("Out of (new rows)", f"decide-among-{source.key}", 1_000, count, step=100)
    top = curve.top(count, among)
    hits, base = top.hits, count * float(curve.at(-math.inf).precision.value)
    interval = f" ({hits.low:,.0f} to {hits.high:,.0f})" if not hits.reason else ""
    tied = ""
    if top.tied:
        tied = (
            f" {round(top.tied):,} rows share the score at the edge; {round(top.fitting):,} of them fit, and the order "
            "of the file decides which."
        )
    st.markdown(
        f"Expect {hits.value:,.0f}{interval} of the top {count:,} to be '{label}'; of {count:,} drawn at random "
        f"{base:,.0f} would be.{tied}",
        help="With 95% certainty the number itself lies in this range, as long as new rows are like these.",
    )
    if hits.reason:
        st.caption(f"{frame.plain(hits.reason[0].upper() + hits.reason[1:])}.")
