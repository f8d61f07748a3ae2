"""A model that predicts a number: the event that a threshold is for, and the rows with the highest predictions."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from core import policies
from core.decisions import top_values
from core.evaluation import Estimate
from core.fairness import ThresholdPolicy
from pages._ui import address, frame, keys, numbers
from pages.decide.source import DecisionSource

__all__ = ["choose_event", "show"]

_START = 0.75  # quantile of the true values that is looked for at first


def choose_event(source: DecisionSource) -> DecisionSource | None:
    """Draw the choice of the true value that rows are selected for; None where the rows do not differ in it.

    The event makes hits and false alarms of numbers, so that a threshold on the prediction has costs.
    """
    truth = np.asarray(source.calibration.truth, dtype=np.float64)
    if truth.min() == truth.max():
        st.info("All true values are equal, so every threshold is equally good.", icon=":material/info:")
        return None
    rule = None if source.run is None else policies.in_force(source.run, access=frame.access()).policy
    stored = _stored_value(rule) if rule is not None else None
    step = 10.0 ** math.floor(math.log10(float(truth.max() - truth.min()) / 20))
    start = float(f"{round(float(np.quantile(truth, _START)) / step) * step:.12g}")
    key = keys.key(f"decide-event-{source.key}")
    shown = address.restore_number("at_least", start if stored is None else stored, key)
    value = st.number_input(
        "Look for rows whose true value is at least",
        step=step,
        format="%.10g",
        width=320,
        key=key,
        help="The outcome that rows are selected for: the true value reaches this one. Rows are selected by their "
        "prediction; the threshold for it, which costs decide, need not be the same number.",
    )
    address.keep("at_least", float(value), shown, key)
    return source.at_least(float(value))


def _stored_value(rule: ThresholdPolicy) -> float | None:
    """Return the value that the rule in force looks for; None where it is about something else."""
    value = rule.settings.get("event", "").removeprefix("at least ").replace(",", "")
    try:
        return float(value)
    except ValueError:
        return None


def show(source: DecisionSource) -> None:
    """Draw the true values of the rows with the highest predictions."""
    st.markdown("**Top share**")
    share = st.slider("Take the top (% of the rows)", 1, 100, 10, key=keys.key(f"decide-share-{source.key}"), width=420)
    top = top_values(source.calibration, share / 100)
    st.subheader(
        f"The top {share}% by prediction have a mean of {numbers.rounded(top.mean.value)}, all rows "
        f"{numbers.rounded(top.overall.value)}"
    )
    tied = f" {top.tied:,} rows share the prediction at the edge and count in part." if top.tied else ""
    st.caption(
        f"True values of {top.mean.n:,} of {top.overall.n:,} {source.origin}: {_text(top.mean)}, all rows "
        f"{_text(top.overall)}, with 95% intervals.{tied} {source.note}"
    )


def _text(estimate: Estimate) -> str:
    if estimate.reason:
        return f"{numbers.rounded(estimate.value)} ({estimate.reason})"
    return f"{numbers.estimate(estimate.value, estimate.low, estimate.high)} " + numbers.interval(
        estimate.low, estimate.high
    )
