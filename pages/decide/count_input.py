"""A number of rows whose bounds depend on another choice."""

from __future__ import annotations

import streamlit as st

from pages._ui import keys

__all__ = ["count_input"]


def count_input(label: str, name: str, default: int, low: int, high: int | None = None, *, step: int = 10) -> int:
    """Draw the choice; one that the bounds do not allow any more moves to the nearest that they do.

    Parameters
    ----------
    label : str
        Label of the widget.
    name : str
        Name of the widget, for its key.
    default : int
        Number that is shown first.
    low, high : int, optional
        Bounds.
    step : int, default=10
        Step of the buttons.
    """
    key = keys.key(name)
    value = max(int(st.session_state.get(key, default)), low)
    st.session_state[key] = value if high is None else min(value, high)
    return int(st.number_input(label, low, high, step=step, key=key, width=180))
