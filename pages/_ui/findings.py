"""Findings of the guardrails, drawn the same way on every page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.catalog import Dataset, RunState
from core.tasks import check
from pages._ui import badges, frame, keys, run_view
from pages._ui.badges import Badge

__all__ = ["guardrails", "show"]

_LEVELS = {
    "alert": Badge("Alert", "red", ":material/report:"),
    "notice": Badge("Notice", "orange", ":material/info:"),
    "passed": Badge("Passed", "green", ":material/check_circle:"),
}


Action = Callable[[int, dict[str, Any]], None]
"""Function that draws what can be done about a finding, from its position and its values."""


def guardrails(
    dataset: Dataset, target: str | None, sensitive: list[str], *, action: Action | None = None
) -> list[dict[str, Any]] | None:
    """Draw the checks for a target and return their findings, or None before they are done; start them if needed."""
    run = check.latest(dataset, target, sensitive, access=frame.access())
    if run is None:
        check.submit(dataset, target, sensitive, access=frame.access())
        run = check.latest(dataset, target, sensitive, access=frame.access())
        assert run is not None
    if run.state is RunState.SUCCEEDED and run.result is not None:
        show(run.result["findings"], action=action)
        return list(run.result["findings"])
    run_view.show_run(run.id)
    if run.state.terminal and st.button("Check again", icon=":material/refresh:", key=keys.key("check-again")):
        check.submit(dataset, target, sensitive, access=frame.access())
        st.rerun()
    return None


def show(findings: list[dict[str, Any]], *, action: Action | None = None) -> None:
    """Draw findings, the worst first; checks that passed share one line."""
    failed = [finding for finding in findings if finding["level"] != "passed"]
    passed = [finding for finding in findings if finding["level"] == "passed"]
    order = list(_LEVELS)
    for number, finding in enumerate(sorted(failed, key=lambda item: order.index(item["level"]))):
        if action is None:
            _draw(finding)
            continue
        left, right = st.columns([5, 1], gap="small")  # one below the other on a narrow screen
        with left:
            _draw(finding)
        with right, st.container(horizontal=True, horizontal_alignment="right"):
            action(number, finding)
    if passed:
        badge = _LEVELS["passed"]
        with st.expander(f"{len(passed)} checks passed", icon=badge.icon):
            for finding in passed:
                st.markdown(f":{badge.color}[{badge.icon}] {frame.plain(finding['message'])}")
    if not findings:
        st.caption("No checks ran.")


def _draw(finding: dict[str, Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="top"):
        badges.show(_LEVELS[finding["level"]])
        with st.container(gap=None):
            st.markdown(frame.plain(finding["message"]))
            if finding.get("hint"):
                st.caption(frame.plain(finding["hint"]))
