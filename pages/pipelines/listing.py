"""The list of saved pipelines with what became of them last, ways to begin one, and all runs."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import saved_pipelines
from pages._ui import badges, frame, listing, numbers
from pages.pipelines import run_table, schedule, start

__all__ = ["show"]


def show() -> None:
    """Draw the list."""
    saved = saved_pipelines.find(access=frame.access())
    if not saved:
        st.info(
            "Bring the pipeline's YAML of your cloud, write one, or start from the example, which prepares data, "
            "trains XGBoost and writes a report.",
            title="There is no pipeline yet",
            icon=":material/account_tree:",
        )
    start.show(empty=not saved)
    latest = run_table.latest_by_pipeline()
    timed = schedule.next_by_pipeline()
    if saved:
        st.subheader(f"{len(saved):,} pipeline{'s' * (len(saved) != 1)}")
        st.caption("Select a row to open the pipeline.")
        known = {badge.label: badge.color for badge in badges.RUN_BADGES}
        runs = [latest.get(row.id) for row in saved]
        listing.show(
            pd.DataFrame(
                {
                    "Pipeline": [row.name for row in saved],
                    "Last run": [None if run is None else [badges.of_run(run).label] for run in runs],
                    "When": pd.Series(
                        [None if run is None else numbers.when(run.created_at) for run in runs], dtype=object
                    ),
                    "Duration": [None if run is None else numbers.duration(run.elapsed_s) for run in runs],
                    "Schedule": [timed.get(row.id) for row in saved],
                    "Changed": [numbers.when(row.changed_at) for row in saved],
                }
            ),
            [row.id for row in saved],
            key="pipelines-list",
            parameter="pipeline",
            column_config={
                "Pipeline": st.column_config.TextColumn(width="medium"),
                "Last run": st.column_config.MultiselectColumn(options=list(known), color=list(known.values())),
                "When": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss"),
                "Changed": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm"),
            },
            alt="Saved pipelines, the one that was changed last first",
        )
    if latest:
        st.subheader("Runs")
        run_table.show()
