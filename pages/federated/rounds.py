"""The Rounds tab: the loss by round and site, who did not take part, and the time of each round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.units import latency_text
from pages._ui import frame, numbers
from pages.federated import live, loss_chart

__all__ = ["show"]

_TABLE_ROWS = 15
_TABLE_HEIGHT = 420


def show(record: Mapping[str, Any]) -> None:
    """Draw the losses and the table of rounds."""
    rounds = record["rounds"]
    if not rounds:
        st.caption("No round was made.")
        return
    loss_chart.show(rounds)
    missing = live.missed(rounds)
    if missing:
        st.warning(frame.plain(missing), icon=":material/link_off:")
    seconds = [item["seconds"] for item in rounds]
    total, longest = _time(sum(seconds)), _time(max(seconds))
    st.markdown(f"**{len(rounds):,} rounds took {total}, the longest {longest}**")
    table = pd.DataFrame(
        {
            "Round": [item["round"] for item in rounds],
            "Loss": [item["loss"] for item in rounds],
            "Missing sites": [", ".join(item["missing"]) for item in rounds],
            "Time": [1000 * item["seconds"] for item in rounds],
        }
    )
    table = table.drop(
        columns=[name for name, empty in (("Loss", None), ("Missing sites", "")) if _is_empty(table[name], empty)]
    )
    with st.expander("Table of rounds", icon=":material/table:"):
        st.dataframe(
            table,
            hide_index=True,
            height="content" if len(table) <= _TABLE_ROWS else _TABLE_HEIGHT,
            column_config={
                "Loss": st.column_config.NumberColumn(format="%.4f", help="Before the round, over all rows."),
                "Time": st.column_config.NumberColumn("Time (ms)", format="%.0f"),
            },
            alt="Rounds with loss, missing sites and time",
        )


def _time(seconds: float) -> str:
    """Return a duration; of less than a second in milliseconds."""
    return numbers.duration(seconds) if seconds >= 1 else latency_text(1_000 * seconds)


def _is_empty(column: pd.Series, empty: str | None) -> bool:
    return bool(column.isna().all()) if empty is None else bool((column == empty).all())
