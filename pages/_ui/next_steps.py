"""Where a model that was found or trained can be taken next."""

from __future__ import annotations

import streamlit as st

from core.catalog import Run
from pages._ui import keys

__all__ = ["next_steps"]


def next_steps(run: Run) -> None:
    """Draw the ways to compare groups by a run's model, and to export it."""
    if st.button("Fairness", icon=":material/balance:", key=keys.key("to-fairness"), help="Compare groups of people."):
        st.switch_page("pages/fairness/page.py", query_params={"run": run.id})
    if st.button("Edge", icon=":material/speed:", key=keys.key("to-edge"), help="Export it to ONNX, and time it."):
        st.switch_page("pages/edge/page.py", query_params={"model": run.id})
