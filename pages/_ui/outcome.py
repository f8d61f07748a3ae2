"""The choice of the outcome of two that the figures of a model are about."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.catalog import Dataset
from core.favorable import favorable_outcome
from pages._ui import frame, keys

__all__ = ["choose"]


def choose(dataset: Dataset, target: str, classes: Sequence[str]) -> str | None:
    """Let the user choose which of two outcomes the figures are about; a role or a known word is a suggestion.

    Parameters
    ----------
    dataset : Dataset
        Table that is learned from.
    target : str
        Column to predict.
    classes : sequence of str
        Its two labels.
    """
    role = dataset.roles.get("positive") if target == dataset.roles.get("target") else None
    known = favorable_outcome(classes)
    suggested = role if role in classes else None if known is None else str(known.label)
    chosen: str | None = st.radio(
        "Which outcome do you want to find?",
        classes,
        index=None if suggested is None else classes.index(suggested),
        format_func=frame.plain,
        horizontal=True,
        help="Precision, recall, curves and decisions are about this outcome. The training itself is the same.",
        key=keys.key(f"positive-{dataset.id}-{target}"),
    )
    if role in classes:
        st.caption("Suggested, because the table asks about it.")
    elif known is not None:
        st.caption(frame.plain(f"Suggested, because {known.reason[0].lower()}{known.reason[1:]}"))
    return chosen
