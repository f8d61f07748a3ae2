"""A study under way: the loss of each site by round."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.catalog import Run, RunEvent

__all__ = ["details"]


def details(run: Run, events: Sequence[RunEvent]) -> None:
    """Draw the losses so far."""
    rows = [
        {"round": event.values["round"], "site": site, "loss": loss}
        for event in events
        if event.phase == "train" and "by_site" in event.values
        for site, loss in event.values["by_site"].items()
    ]
    if rows:
        st.line_chart(pd.DataFrame(rows), x="round", y="loss", color="site")
