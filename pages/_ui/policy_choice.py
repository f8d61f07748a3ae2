"""The choice of what decides on rows: a policy that is stored with a model, or the model's own labels."""

from __future__ import annotations

import streamlit as st

from core import policies
from core.catalog import Run

__all__ = ["NO_POLICY", "choose", "unless_default"]

NO_POLICY = "none"


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
    known = policies.kept(run)
    if not known:
        return NO_POLICY, False
    chosen = st.selectbox(
        "Decide by",
        [*known, NO_POLICY],
        format_func=lambda name: "The model's own labels" if name == NO_POLICY else f"Policy {name}",
        key=key,
        width=420,
        help="Threshold policies that were stored with this model on the Fairness page.",
    )
    return chosen, chosen in known and known[chosen].randomized


def unless_default(run: Run, policy: str) -> str | None:
    """Return the chosen policy, or None where it decides without being named."""
    known = list(policies.kept(run))
    return None if known in ([], [policy]) else policy
