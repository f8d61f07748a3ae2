"""What can be done with a rule: check it on rows that it was not fitted on, keep it with the model, download it."""

from __future__ import annotations

import json
from dataclasses import replace

import streamlit as st

from core import policies
from core.fairness import ThresholdPolicy
from pages._ui import downloads, frame
from pages.fairness import applied_rule
from pages.fairness.analysis import Analysis, state_key

__all__ = ["show"]


def show(analysis: Analysis, policy: ThresholdPolicy, name: str, key: str) -> None:
    """Draw the buttons of a rule, and its check once it was applied.

    Parameters
    ----------
    analysis : Analysis
        The rows.
    policy : ThresholdPolicy
        The rule.
    name : str
        Name under which it is kept and downloaded.
    key : str
        Beginning of the buttons' keys.
    """
    if analysis.sample is not None:
        policy = policy.chosen_on_sample(*analysis.sample)
    if analysis.positive is not None:  # whoever applies it must know which label its scores are about
        policy = replace(policy, settings=policy.settings | {"positive": analysis.positive})
    with st.container(horizontal=True):
        if st.button(
            f"Apply to {applied_rule.rows_of_check(analysis)}",
            icon=":material/fact_check:",
            key=f"{key}-apply",
            help="Uses the test rows once to check this rule; these uses are counted."
            if analysis.run is not None
            else "Checks the rule on rows that it was not fitted on.",
        ):
            st.session_state[state_key(analysis, "applied")] = policy.to_dict()
            if analysis.run is not None:
                policies.note_read(analysis.run, {"rules": policy.to_dict()["rules"]}, access=frame.access())
        if analysis.run is not None and st.button(
            "Keep with the model",
            icon=":material/bookmark_add:",
            key=f"{key}-keep",
            help="The model then decides by it, in place of the rule in force, which stays listed under Decide. It is "
            "part of the model's download, as a JSON file.",
        ):
            file = policies.keep(analysis.run, name, policy, access=frame.access())
            st.toast(f"Kept as {frame.plain(file)}", icon=":material/check:")
        downloads.button(
            "Policy (JSON)",
            json.dumps(policy.to_dict(), indent=2),
            file_name=downloads.file_name(name, ".json"),
            mime="application/json",
            icon=":material/download:",
            key=f"{key}-download-policy",
            on_click="ignore",
        )
    applied_rule.show(analysis, policy)
