"""The Fairness page: who is treated how, how sure that is, what a threshold does, what a fairer rule costs."""

import streamlit as st

from pages._ui import frame
from pages.fairness import lab, mitigation, overview, report, source

frame.head("Fairness", "See who is treated how and how sure that is, and find a rule that you can defend.")
evidence = source.choose()
if evidence is not None:
    found = overview.measure(evidence)
    definition = overview.head(evidence, found)
    groups, thresholds, retrained, reported = st.tabs(
        ["Groups", "Threshold lab", "Mitigations", "Report"], key="fairness-tabs", on_change="rerun"
    )
    if groups.open:
        with groups:
            overview.show(evidence, found, definition)
    if thresholds.open:
        with thresholds:
            lab.show(evidence)
    if retrained.open:
        with retrained:
            mitigation.show(evidence)
    if reported.open:
        with reported:
            report.show(evidence, found, definition)
