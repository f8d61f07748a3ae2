"""The rule in force of a model, and the rules that were kept before, each of which can be chosen again."""

from __future__ import annotations

import streamlit as st

from core import policies
from core.catalog import Run
from pages._ui import frame, keys, numbers
from pages.decide.source import labels_of

__all__ = ["show", "show_in_force"]


def show_in_force(run: Run) -> None:
    """Draw what decides on the rows that the model scores."""
    rule = policies.in_force(run, access=frame.access())
    if rule.unclear:
        st.warning(f"{frame.plain(rule.unclear)} Choose one below.", icon=":material/rule:")
        return
    text = frame.plain(policies.without_policy(labels_of(run)))
    if rule.policy is not None:
        text = f"{frame.plain(policies.describe(rule.policy))} ({frame.plain(rule.name)})"
    made = policies.choices(run, access=frame.access()).choices
    chosen = "" if not made else f", chosen {numbers.when(made[-1].at):%d %b %Y, %H:%M}"
    who = f" by {frame.plain(made[-1].who)}" if made and made[-1].who else ""
    st.markdown(f":material/rule: **Rule in force:** {text}{chosen}{who}")


def show(run: Run) -> None:
    """Draw the kept rules with a button for each that puts it in force."""
    kept = policies.kept(run, access=frame.access())
    if not kept:
        return
    st.markdown("**Kept rules**", help="Scoring, exports, downloads and the model card follow the rule in force.")
    in_force = policies.in_force(run, access=frame.access())
    current = None if in_force.unclear else in_force.name or policies.NO_POLICY
    titles = {name: f"{policies.describe(policy)} ({name})" for name, policy in kept.items()}
    for name, title in (titles | {policies.NO_POLICY: policies.without_policy(labels_of(run))}).items():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(frame.plain(title[0].upper() + title[1:]), width="stretch")
            if name == current:
                st.badge("In force", color="green", icon=":material/check:")
            elif st.button("Put in force", key=keys.key(f"decide-use-{name}"), icon=":material/rule:"):
                policies.choose(run, name, access=frame.access())
                st.rerun(scope="app")
