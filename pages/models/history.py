"""The tab History: what happened to the model."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import models
from core.catalog import ModelEvent, promotions
from pages._ui import frame, numbers
from pages.models.metrics import OpenModel

__all__ = ["show"]


def show(opened: OpenModel) -> None:
    """Draw all changes, newest first."""
    events = models.history(opened.model.id, access=frame.access())
    if not all(event.who for event in events):
        st.caption("Names are recorded only where users sign in: some or all of these changes have none.")
    confirmed = [event.confirmed_by or None for event in events]
    st.dataframe(
        pd.DataFrame(
            {
                "Time": [numbers.when(event.at) for event in events],
                "Event": [models.describe_event(event) for event in events],
                "Before": [_before(event) for event in events],
                "Who": [event.who or None for event in events],
                **({"Confirmed by": confirmed} if any(confirmed) else {}),
                "Why": [event.why or None for event in events],
            }
        ),
        hide_index=True,
        height="content" if len(events) <= 25 else 600,
        placeholder="–",
        column_config={
            "Time": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss"),
            "Event": st.column_config.TextColumn(width="medium"),
            "Why": st.column_config.TextColumn(width="large"),
        },
        alt="Changes to this model, newest first",
    )
    _undone(opened)


def _undone(opened: OpenModel) -> None:
    """Draw the promotions that were asked for and came to nothing."""
    asked = promotions.find(opened.model.id, access=frame.access())
    if not (shown := [item for item in asked if item.state not in ("open", "confirmed")]):
        return
    with st.expander(f"Promotions that did not take place ({len(shown):,})", key="models-promotions-undone"):
        st.dataframe(
            pd.DataFrame(
                {
                    "Asked": [numbers.when(item.at) for item in shown],
                    "Version": [item.number for item in shown],
                    "Asked by": [item.who or None for item in shown],
                    "Why": [item.why or None for item in shown],
                    "Outcome": [item.state.capitalize() for item in shown],
                    "Decided by": [item.decided_by or None for item in shown],
                    "Why declined": [item.decided_why or None for item in shown],
                }
            ),
            hide_index=True,
            placeholder="–",
            column_config={"Asked": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm")},
            alt="Promotions that were declined, withdrawn or overtaken, the newest first",
        )


def _before(event: ModelEvent) -> str | None:
    return None if event.previous is None or event.action == "restore" else f"Version {event.previous}"
