"""Where a finished search goes on: the edge, more time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.automl import AutoMLSettings
from core.catalog import Run, datasets, runs
from core.errors import NotFoundError
from core.tasks import automl
from pages._ui import frame, numbers
from pages._ui.run_view import STATE_BADGES

__all__ = ["continued", "export"]


def export(run: Run) -> None:
    """Draw what was exported of this model, and the ways to take it away."""
    reason = (run.result or {}).get("export_error")
    if reason:
        frame.show_error("The model has no ONNX file.", reason)
    if st.button("Export and time it", type="primary", icon=":material/speed:", key="export-edge"):
        st.switch_page("pages/edge/page.py", query_params={"model": run.id})
    done = [each for each in runs.find(frame.workspace(), task="export") if each.settings["source"] == run.id]
    if not done:
        st.caption("It was not exported yet. An export proves that the file answers as the model does.")
        return
    st.markdown("**Exports of this model**")
    for each in done:
        with st.container(horizontal=True, vertical_alignment="center"):
            label, color, icon = STATE_BADGES[each.state]
            st.badge(label, color=color, icon=icon)
            st.markdown(f"{numbers.when(each.created_at):%d %b, %H:%M}", width="content")
            if st.button("Open", key=f"export-{each.id}", icon=":material/open_in_new:"):
                st.switch_page("pages/edge/page.py", query_params={"run": each.id})


def continued(run: Run, found: Mapping[str, Any]) -> None:
    """Draw the form that gives the search more time and keeps its trials."""
    try:
        dataset = datasets.get(str(run.dataset_id), frame.workspace())
    except NotFoundError:
        st.info("The table was deleted, so the search cannot go on. Upload it again.", icon=":material/info:")
        return
    count = len(found["trials"])
    st.markdown(
        f"The new search begins with these {count:,} trials, on the same splits, and keeps all settings but the time."
    )
    presets = {60: "60 s", 300: "5 min", 1800: "30 min"}
    seconds = st.radio(
        "More time", list(presets), format_func=presets.__getitem__, horizontal=True, key="continue-seconds"
    )
    if st.button("Continue", type="primary", icon=":material/forward_media:", key="continue"):
        values = found["settings"] | {"time_budget_s": float(seconds), "max_trials": None, "exit_score": None}
        run_id = automl.submit(dataset, AutoMLSettings(**values), continue_from=run.id)
        frame.go(run=run_id)
        st.rerun()
    later = [
        each for each in runs.find(frame.workspace(), task="automl") if each.settings.get("continue_from") == run.id
    ]
    if later:
        st.markdown("**Went on as**")
        st.dataframe(
            pd.DataFrame(
                {
                    "Started": [numbers.when(each.created_at) for each in later],
                    "State": [STATE_BADGES[each.state][0] for each in later],
                    "Result": [(each.result or {}).get("verdict", "") for each in later],
                }
            ),
            hide_index=True,
            column_config={"Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm")},
            alt="Searches that went on from this one",
        )
