"""A model that predicts a number: the rows with the highest predictions."""

from __future__ import annotations

import streamlit as st

from core.decisions import top_values
from core.evaluation import Estimate
from pages._ui import keys, numbers
from pages.decide.source import DecisionSource

__all__ = ["show"]


def show(source: DecisionSource) -> None:
    """Draw the true values of the rows with the highest predictions."""
    st.caption(
        "This model predicts a number, so there are no hits and false alarms to put a cost on. To decide between two "
        "outcomes, make a column of them (such as 'above 100') and search with that as the target."
    )
    share = st.slider("Take the top (% of the rows)", 1, 100, 10, key=keys.key(f"decide-share-{source.key}"), width=420)
    top = top_values(source.calibration, share / 100)
    st.subheader(
        f"The top {share}% by prediction have a mean of {numbers.rounded(top.mean.value)}, all rows "
        f"{numbers.rounded(top.overall.value)}"
    )
    tied = f" {top.tied:,} rows share the prediction at the edge and count in part." if top.tied else ""
    st.caption(
        f"True values of {top.mean.n:,} of {top.overall.n:,} {source.origin}: {_text(top.mean)}, all rows "
        f"{_text(top.overall)}, with 95% intervals.{tied}"
    )


def _text(estimate: Estimate) -> str:
    if estimate.reason:
        return f"{numbers.rounded(estimate.value)} ({estimate.reason})"
    return f"{numbers.estimate(estimate.value, estimate.low, estimate.high)} " + numbers.interval(
        estimate.low, estimate.high
    )
