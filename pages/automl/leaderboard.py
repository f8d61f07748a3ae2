"""The leaderboard of a finished search, and the parameters of the trial that is chosen in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core import jobs
from core.automl import METRICS, learner_title
from core.catalog import Run
from pages._ui import frame
from pages.automl import hyperparameters, live, versus

__all__ = ["show"]

_BASELINES = ("linear", "prior")


def _name(row: Mapping[str, Any]) -> str:
    title = learner_title(row["learner"])
    if row["learner"] in _BASELINES:
        return f"{title} (baseline)"
    return f"{title} {row['trial']:.0f}" if row["trial"] else title


def show(run: Run, found: Mapping[str, Any]) -> None:
    """Draw the table, the chosen trial's parameters, and how the search got there."""
    metric = METRICS[found["metric"]]
    rows = found["leaderboard"]
    others = [name for name in METRICS if name != found["metric"] and any(name in row for row in rows)]
    winner = found["winner"]
    place = next(
        (
            i
            for i, row in enumerate(rows)
            if row["learner"] == winner["learner"] and row["trial"] == (winner["trial"] or None)
        ),
        0,
    )
    table = pd.DataFrame(
        {
            "": ["★" if i == place else "" for i in range(len(rows))],
            "Model": [_name(row) for row in rows],
            "Score": [row["score"] for row in rows],
            "Spread": [row["score_std"] for row in rows],
            "Fit": [row["fit_s"] for row in rows],
            "Predict": [row["predict_ms_a_row"] for row in rows],
            "Size": [None if row.get("size_bytes") is None else row["size_bytes"] / 1e6 for row in rows],
            **{METRICS[name].title: [row.get(name) for row in rows] for name in others},
            "State": [live.STATUSES.get(row["status"], row["status"]) for row in rows],
        }
    )
    st.caption(
        f"Scores are from cross-validation on the training rows ({frame.plain(found['split_method'])}). "
        "Select a row for its parameters."
    )
    chosen = st.dataframe(
        table,
        hide_index=True,
        key="automl-leaderboard",
        on_select="rerun",
        selection_mode="single-row",
        height="content" if len(table) <= 10 else 400,
        column_config={
            "": st.column_config.TextColumn(
                width=36, pinned=True, help="The winner, fitted again on all training rows."
            ),
            "Model": st.column_config.TextColumn(width="medium", pinned=True),
            "Score": st.column_config.NumberColumn(f"{metric.title}, mean", format="%.4f"),
            "Spread": st.column_config.NumberColumn("Spread", format="%.4f", help="Standard deviation over the folds."),
            **{METRICS[name].title: st.column_config.NumberColumn(format="%.4f") for name in others},
            "Fit": st.column_config.NumberColumn("Fit (s)", format="%.2f", help="All folds together."),
            "Predict": st.column_config.NumberColumn("Predict (ms a row)", format="%.4f"),
            "Size": st.column_config.NumberColumn("Size (MB)", format="%.2f"),
        },
        placeholder="–",
        alt="Leaderboard: every trial and the baselines, best first",
    )
    selected = chosen.selection.rows
    _parameters(found, rows[selected[0] if selected else place])
    reported = live.trials(jobs.events(run.id, phase="search", workspace=frame.workspace()))
    if not reported.empty:
        st.markdown("**How the search got there**")
        live.progress(reported, metric.title, larger_is_better=metric.larger_is_better)
    st.markdown("**Hyperparameters**")
    hyperparameters.show(found)
    if found["test_metrics"]:
        st.markdown("**Beside another search**")
        versus.show(run, found)


def _parameters(found: Mapping[str, Any], row: Mapping[str, Any]) -> None:
    if row["learner"] == "blend":
        _members(found["blend"])
        return
    st.markdown(f"**Parameters of {frame.plain(_name(row))}**")
    trial = next((item for item in found["trials"] if item["trial"] == row["trial"]), None)
    if trial is None:
        st.caption("The linear model regularises by its own defaults; guessing has no parameters.")
        return
    if trial.get("message"):
        st.caption(frame.plain(trial["message"]))
    with st.container(horizontal=True):
        for name, value in trial["config"].items():
            shown = f"{value:,.4g}" if isinstance(value, float) else frame.plain(value)
            st.markdown(f"{frame.plain(name)} **{shown}**", width="content")


def _members(blend: Mapping[str, Any]) -> None:
    st.markdown("**Members of the blend**")
    if blend.get("message"):
        st.caption(frame.plain(blend["message"]))
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Model": _name({"learner": member["learner"], "trial": member["trial"] or 0}),
                    "Weight": 100 * member["weight"],
                    "Parameters": ", ".join(f"{name} {_short(value)}" for name, value in member["config"].items()),
                }
                for member in blend["config"]["members"]
            ]
        ),
        hide_index=True,
        column_config={
            "Weight": st.column_config.NumberColumn("Weight (%)", format="%.0f"),
            "Parameters": st.column_config.TextColumn(width="large"),
        },
        alt="Members of the blend with their weights",
    )


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
