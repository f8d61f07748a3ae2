"""The next steps with a model: compare groups, export."""

from __future__ import annotations

import streamlit as st

from core.catalog import Run
from pages._ui import keys

__all__ = ["next_steps"]


def next_steps(run: Run) -> None:
    """Draw the buttons that lead to the Fairness and the Edge page with the model of a run."""
    if st.button("Fairness", icon=":material/balance:", key=keys.key("to-fairness"), help="Compare groups of people."):
        st.switch_page("pages/fairness/page.py", query_params={"run": run.id})
    if st.button("Edge", icon=":material/speed:", key=keys.key("to-edge"), help="Export to ONNX and measure latency."):
        st.switch_page("pages/edge/page.py", query_params={"model": run.id})
