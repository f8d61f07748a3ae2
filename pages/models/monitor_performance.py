"""The performance of a batch: as it is estimated without labels, as labels show it, and gaps between groups."""

from __future__ import annotations

import streamlit as st

from core.monitored import SELECTION_RATE, Batch
from core.monitoring import ESTIMATED_METRICS
from pages._ui import frame, numbers

__all__ = ["show"]


def show(batch: Batch) -> None:
    """Draw what is known of the performance."""
    estimate, labels = batch.performance, batch.labels
    if estimate is None and labels is None:
        return
    st.markdown("**Performance**")
    with st.container(horizontal=True):
        if estimate is not None:
            title = ESTIMATED_METRICS[estimate.metric].title
            if estimate.reference is not None:
                st.metric(
                    f"{title} of the reference",
                    numbers.score(estimate.reference),
                    border=True,
                    help=f"Measured on {estimate.reference_n:,} rows that training kept out.",
                )
            if estimate.value is not None:
                _value(f"{title}, estimated", estimate.value, estimate.low, estimate.high, estimate.caveat)
        if labels is not None:
            measured, title = labels.measured.measured, ESTIMATED_METRICS[labels.measured.metric].title
            about = f"On {labels.measured.labeled:,} of {labels.measured.rows:,} rows."
            _value(f"{title}, measured", measured.value, measured.low, measured.high, about)
        for name, (gap, low, high) in batch.subgroups.gaps.get(SELECTION_RATE, {}).items():
            _value(f"Gap of selection rates by {frame.plain(name)}", gap, low, high, "Largest gap of two groups.")
    if estimate is not None and estimate.refused:
        st.caption(f"Not estimated: {frame.plain(estimate.refused)}")
    for note in () if estimate is None else estimate.notes:
        st.caption(frame.plain(note))
    if labels is not None:
        st.caption(frame.plain(labels.delivery))
        for finding in labels.measured.findings:
            st.warning(frame.plain(finding.message))


def _value(title: str, value: float, low: float | None, high: float | None, about: str) -> None:
    st.metric(
        title,
        numbers.estimate(value, low, high),
        numbers.interval(low, high),
        delta_color="off",
        delta_arrow="off",
        border=True,
        help=about,
    )
