"""The Privacy tab: what the study promises about the rows of its sites, and what it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from pages._ui import frame

__all__ = ["show"]

_TABLE_ROWS = 15
_TABLE_HEIGHT = 420
_NOT_PROMISED = (
    "Whoever has the model can ask it about rows. Without noise, some of what it answers may rest on single rows.",
    "Names of columns, numbers of rows per site and labels are known to the coordinator.",
    "This was a simulation: all tables were on this machine. The messages are those that would go between machines.",
)


def show(record: Mapping[str, Any]) -> None:
    """Draw what is promised, the privacy budget by site, and what is not promised."""
    privacy = record["privacy"]
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown("**What this study promises, and where it ends**")
        for sentence in privacy["sentences"]:
            st.markdown(f"- {frame.plain(sentence)}")
    with right:
        st.markdown("**Not promised by any study of this kind**")
        for sentence in _NOT_PROMISED:
            st.markdown(f"- {sentence}")
    if all(value is not None for value in privacy["epsilon"].values()) and privacy["epsilon"]:
        _budgets(record)


def _budgets(record: Mapping[str, Any]) -> None:
    privacy = record["privacy"]
    rows = {item["site"]: item["train"] for item in record["sites"]}
    table = pd.DataFrame(
        {
            "Site": list(privacy["epsilon"]),
            "Training rows": [rows.get(site) for site in privacy["epsilon"]],
            "Epsilon": list(privacy["epsilon"].values()),
        }
    ).sort_values("Epsilon", ascending=False)
    st.markdown("**Privacy budget spent by site**")
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(table) <= _TABLE_ROWS else _TABLE_HEIGHT,
        width="content",
        column_config={
            "Epsilon": st.column_config.NumberColumn("Epsilon per row, at most", format="%.2f"),
            "Training rows": st.column_config.NumberColumn(format="localized"),
        },
        alt="Privacy budget spent by site",
    )
    noise = record["settings"]["noise_multiplier"]
    st.caption(
        f"Delta is {privacy['delta']:g}; noise {noise:.3g} times the clipping norm of {record['settings']['clip']:g}. "
        "A site with fewer rows spends more: each of its rows is in more of the steps."
    )
