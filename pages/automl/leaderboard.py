"""The leaderboard of a finished search, and the parameters of the trial that is chosen in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core import jobs
from core.automl import METRICS, learner_title
from core.catalog import Run, RunEvent
from pages._ui import frame
from pages.automl import comparison, hyperparameters, live, phases, search_chart

__all__ = ["show"]

_BASELINES = ("linear", "prior")


def _name(row: Mapping[str, Any]) -> str:
    title = learner_title(row["learner"])
    if row["learner"] in _BASELINES:
        return f"{title} (baseline)"
    return f"{title} {row['trial']:.0f}" if row["trial"] else title


def show(run: Run, record: Mapping[str, Any]) -> None:
    """Draw the table, the chosen trial's parameters, and the progress of the search."""
    metric = METRICS[record["metric"]]
    rows = record["leaderboard"]
    others = [name for name in METRICS if name != record["metric"] and any(name in row for row in rows)]
    winner = record["winner"]
    winner_row = next(
        (
            i
            for i, row in enumerate(rows)
            if row["learner"] == winner["learner"] and row["trial"] == (winner["trial"] or None)
        ),
        0,
    )
    table = pd.DataFrame(
        {
            "": ["★" if i == winner_row else "" for i in range(len(rows))],
            "Model": [_name(row) for row in rows],
            "Score": [row["score"] for row in rows],
            "Spread": [row["score_std"] for row in rows],
            "Fit": [row["fit_s"] for row in rows],
            "Predict": [row["predict_ms_a_row"] for row in rows],
            "Size": [None if row.get("size_bytes") is None else row["size_bytes"] / 1e6 for row in rows],
            **{METRICS[name].title: [row.get(name) for row in rows] for name in others},
            "Status": [live.STATUSES.get(row["status"], row["status"]) for row in rows],
        }
    )
    st.caption(
        f"Scores are from cross-validation on the training rows ({frame.plain(record['split_method'])}). "
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
                width=36, pinned=True, help="The winner. Method says what the final model was made of."
            ),
            "Model": st.column_config.TextColumn(width="medium", pinned=True),
            "Score": st.column_config.NumberColumn(f"{metric.title}, mean", format="%.4f"),
            "Spread": st.column_config.NumberColumn("Spread", format="%.4f", help="Standard deviation over the folds."),
            **{METRICS[name].title: st.column_config.NumberColumn(format="%.4f") for name in others},
            "Fit": st.column_config.NumberColumn("Fit (s)", format="%.2f", help="All folds together."),
            "Predict": st.column_config.NumberColumn("Predict (ms per row)", format="%.4f"),
            "Size": st.column_config.NumberColumn("Size (MB)", format="%.2f"),
        },
        placeholder="–",
        alt="Leaderboard: every trial and the baselines, best first",
    )
    selected = chosen.selection.rows
    _parameters(record, rows[selected[0] if selected else winner_row])
    _progress(run, record)
    st.markdown("**Hyperparameters**")
    hyperparameters.show(record)
    if record["test_metrics"]:
        st.markdown("**Compare with another search**")
        comparison.show(run, record)


def _progress(run: Run, record: Mapping[str, Any]) -> None:
    """Draw the phases and the chart of the search, from what it has reported."""
    events = jobs.events(run.id, access=frame.access())
    trials, baselines = live.trials(events), _baselines(record, events)
    if trials.empty and not live.baselines(events):
        return
    st.markdown("**Progress of the search**")
    phases.show(run, events)
    live.progress(trials, METRICS[record["metric"]], _winner(record, trials), baselines=baselines)
    if baselines and not live.baselines(events):
        st.caption("This search was made by an earlier version: when its baselines were there is not known.")


def _winner(record: Mapping[str, Any], trials: pd.DataFrame) -> search_chart.Winner | None:
    """Return the winner as the chart marks it; a blend is there when the search ends."""
    winner = record["winner"]
    if winner["score"] is None:
        return None
    own = trials.loc[trials["trial"] == (winner["trial"] or -1), "elapsed_s"]
    at_s = float(own.iloc[0]) if len(own) else winner.get("at_s") or record["model_ready_s"]
    number = f" {winner['trial']}" if winner["trial"] else ""
    return search_chart.Winner(f"{learner_title(winner['learner'])}{number}", winner["score"], at_s)


def _baselines(record: Mapping[str, Any], events: Sequence[RunEvent]) -> list[search_chart.Baseline]:
    """Return the baselines as the search reported them; those of earlier versions, at its start."""
    reported = live.baselines(events)
    if reported:
        return reported
    rows = [row for row in record["leaderboard"] if row["learner"] in _BASELINES and row["score"] is not None]
    return [search_chart.Baseline(learner_title(row["learner"]), row["score"], 0.0) for row in reversed(rows)]


def _parameters(record: Mapping[str, Any], row: Mapping[str, Any]) -> None:
    if row["learner"] == "blend":
        _members(record["blend"])
        return
    st.markdown(f"**Parameters of {frame.plain(_name(row))}**")
    trial = next((item for item in record["trials"] if item["trial"] == row["trial"]), None)
    if trial is None:
        st.caption("The linear model has its default regularization; guessing has no parameters.")
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
