"""The tab Checks: the guardrails for the dataset's target."""

from __future__ import annotations

import streamlit as st

from core.catalog import Dataset
from core.datasets import GUARDRAILS
from pages._ui import findings

__all__ = ["show"]


def show(dataset: Dataset) -> None:
    """Draw the guardrails for the dataset's target."""
    target = dataset.roles.get("target")
    if target is None:
        st.info("Choose the target on the Roles tab: some checks need it.", icon=":material/flag:")
    with st.popover("What is checked", icon=":material/help:", type="tertiary"):
        for guardrail in GUARDRAILS.values():
            st.markdown(f"**{guardrail.title}.** {guardrail.help}")
    findings.guardrails(dataset, target, dataset.roles.get("sensitive", []))
