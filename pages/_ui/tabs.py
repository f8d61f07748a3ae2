"""Tabs that keep their choice in the address and draw only the one that is open."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from pages._ui import address

__all__ = ["show"]


def show(contents: Mapping[str, Callable[[], object]], *, key: str, parameter: str = "tab") -> None:
    """Draw a set of tabs.

    Parameters
    ----------
    contents : mapping
        Function that draws each tab, by the tab's label. The first tab is open where the address names none.
    key : str
        Key of the widget.
    parameter : str, default="tab"
        Parameter of the address that holds the label of the open tab.
    """
    labels = list(contents)
    shown = address.restore(parameter, labels, labels[0], key)
    for label, tab in zip(labels, st.tabs(labels, key=key, on_change="rerun"), strict=True):
        if tab.open:
            address.keep(parameter, label, shown, key)
            with tab:
                contents[label]()
