"""The choice of what decides on rows: the rule in force, another policy that was kept, or the model's own labels."""

from __future__ import annotations

import streamlit as st

from core import policies
from core.catalog import Run
from core.policies import NO_POLICY
from pages._ui import address, artifacts, frame

__all__ = ["NO_POLICY", "choose", "unless_default"]


def choose(run: Run, key: str) -> tuple[str, bool]:
    """Draw the choice where the run has policies.

    Parameters
    ----------
    run : Run
        The run that made the model.
    key : str
        Key of the widget.

    Returns
    -------
    policy : str
        Name of the policy's file, or `NO_POLICY`.
    randomized : bool
        Whether it draws some decisions at random, by the id of the row.
    """
    known = policies.kept(run, access=frame.access())
    if not known:
        return NO_POLICY, False
    rule, options = policies.in_force(run, access=frame.access()), [*known, NO_POLICY]
    own = policies.without_policy(artifacts.json_of(run, "result.json")["labels"])
    in_force = None if rule.unclear else rule.name or NO_POLICY

    def title(name: str) -> str:
        text = own[0].upper() + own[1:] if name == NO_POLICY else f"Policy {name}"
        return f"{text} (in force)" if name == in_force else text

    if in_force is not None:
        options.sort(key=lambda name: name != in_force)
    address.follow(options[0], key)
    chosen = st.selectbox(
        "Decide by",
        options,
        format_func=title,
        key=key,
        width=420,
        help="Rules that were kept with this model under Decide or on the Fairness page. The one in force comes first.",
    )
    if rule.unclear:
        st.caption(f"{frame.plain(rule.unclear)} Choose one under Decide.")
    return chosen, chosen in known and known[chosen].randomized


def unless_default(run: Run, policy: str) -> str | None:
    """Return the chosen policy, or None where it decides without being named."""
    if not policies.kept(run, access=frame.access()):
        return None
    rule = policies.in_force(run, access=frame.access())
    return None if not rule.unclear and policy == (rule.name or NO_POLICY) else policy
