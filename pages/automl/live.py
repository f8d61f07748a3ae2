"""A search under way, or one that ended without a result: its trials as they came in."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.automl import METRICS, Metric, learner_title
from core.catalog import Run, RunEvent
from pages.automl import phases, search_chart

__all__ = ["STATUSES", "baselines", "details", "progress", "trials"]

STATUSES = {
    "finished": "finished",
    "pruned": "pruned",
    "timed_out": "timed out",
    "failed": "failed",
    "not_better": "not better",
}
"""Words for the statuses of trials."""
_WITHOUT = {
    "pruned": "were pruned after their first folds",
    "timed_out": "were ended at their limit",
    "failed": "failed",
}

_TABLE_ROWS = 15


def trials(events: Sequence[RunEvent]) -> pd.DataFrame:
    """Return one row per trial that the search reported, in order, with the best score up to it."""
    reported = [event.values for event in events if event.phase == "search" and event.values.get("trial") is not None]
    table = pd.DataFrame(
        reported,
        columns=[
            "trial",
            "learner",
            "status",
            "score",
            "score_std",
            "best_score",
            "fit_s",
            "predict_ms_a_row",
            "metric",
            "elapsed_s",
            "message",
        ],
    )
    table["learner"] = table["learner"].map(learner_title)
    # A search that was resumed after an interruption reports the trials it kept once more.
    return table.drop_duplicates("trial", keep="last")


def details(run: Run, events: Sequence[RunEvent]) -> None:
    """Draw the phases, the curve and the leaderboard of the trials so far."""
    phases.show(run, events)
    table, known = trials(events), baselines(events)
    reported = [
        event.values["metric"] for event in events if event.phase in ("search", "baseline") and "metric" in event.values
    ]
    if reported:
        progress(table, METRICS[reported[-1]], baselines=known)
    if table.empty:
        return
    metric = METRICS[reported[-1]]
    ranked = table.sort_values("score", ascending=not metric.larger_is_better, na_position="last")
    counts = table["status"].value_counts()
    without = "".join(f"; {counts[status]:,} {word}" for status, word in _WITHOUT.items() if status in counts)
    st.caption(f"Best {min(_TABLE_ROWS, len(ranked))} of {len(table):,} trials{without}.")
    st.dataframe(
        pd.DataFrame(
            {
                "Learner": ranked["learner"],
                "Trial": ranked["trial"],
                "Score": ranked["score"],
                "Spread": ranked["score_std"],
                "Fit": ranked["fit_s"],
                "Predict": ranked["predict_ms_a_row"],
                "Note": ranked["message"].fillna(""),
            }
        ).head(_TABLE_ROWS),
        hide_index=True,
        height="content",
        column_config={
            "Score": st.column_config.NumberColumn(f"{metric.title}, CV mean", format="%.4f"),
            "Spread": st.column_config.NumberColumn("CV spread", format="%.4f", help="Standard deviation over folds."),
            "Fit": st.column_config.NumberColumn("Fit (s)", format="%.2f", help="All folds together."),
            "Predict": st.column_config.NumberColumn("Predict (ms per row)", format="%.4f"),
        },
        alt="The best trials so far",
    )


def baselines(events: Sequence[RunEvent]) -> list[search_chart.Baseline]:
    """Return the baselines that the search has reported with a score, each once."""
    reported = {event.values["learner"]: event.values for event in events if event.phase == "baseline"}
    return [
        search_chart.Baseline(learner_title(learner), values["score"], values["elapsed_s"])
        for learner, values in reported.items()
        if values["score"] is not None
    ]


def progress(
    table: pd.DataFrame,
    metric: Metric,
    winner: search_chart.Winner | None = None,
    *,
    baselines: Sequence[search_chart.Baseline] = (),
) -> None:
    """Draw the scores over time, or by trial."""
    if table["score"].notna().any() or len(baselines) > 1:
        search_chart.draw(table.rename(columns={"best_score": "best"}), metric, winner, baselines)
