"""A learner's hyperparameters: which were important, and which values had good scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.automl import LEARNERS, METRICS, hyperparameter_table, learner_title
from pages._ui import theme

__all__ = ["show"]

_MIN_TRIALS = 3
_AXES = 7


def show(record: Mapping[str, Any]) -> None:
    """Draw the importance and the parallel coordinates of one learner's trials."""
    tables = {learner: hyperparameter_table(record["trials"], learner) for learner in LEARNERS}
    shown = [learner for learner, table in tables.items() if len(table) >= _MIN_TRIALS]
    if not shown:
        st.caption("Too few trials to compare hyperparameters.")
        return
    best = max(shown, key=lambda learner: len(tables[learner]))
    learner = st.selectbox(
        "Learner",
        shown,
        index=shown.index(best),
        format_func=learner_title,
        key="automl-hyperparameters-learner",
        width=280,
    )
    importances = (record.get("hyperparameters") or {}).get(learner, {})
    table = tables[learner]
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _importance(importances)
    with right:
        _parallel(table, list(importances), record["metric"])


def _importance(importances: Mapping[str, Mapping[str, float]]) -> None:
    if not importances:
        st.caption("Importance needs at least twelve trials of the learner.")
        return
    table = pd.DataFrame(
        [{"name": name, "rank": rank, **item} for rank, (name, item) in enumerate(importances.items())]
    )
    for part in ("value", "low", "high"):
        table[part] = 100 * table[part]
    y = alt.Y("name:N", sort=alt.SortField("rank"), title=None, axis=alt.Axis(labelLimit=180))
    base = alt.Chart(table)
    bars = base.mark_bar(color=theme.accent(), height=14).encode(
        y=y,
        x=alt.X("value:Q", title="Share of the scores' variance (%)"),
        tooltip=["name:N", *(alt.Tooltip(f"{part}:Q", format=".1f") for part in ("value", "low", "high"))],
    )
    lines = base.mark_rule(color=theme.muted(), strokeWidth=2).encode(y=y, x="low:Q", x2="high:Q")
    title = f"{table['name'].iloc[0]} was the most important"
    st.altair_chart((bars + lines).properties(height=alt.Step(26), title=title), alt=title)
    st.caption("Lines go from the lowest to the highest of ten resamples of the trials.")


def _parallel(table: pd.DataFrame, ranked: list[str], metric: str) -> None:
    names = ranked or [name for name in table.columns if name not in ("trial", "score", "seconds")]
    dimensions = []
    for name in [*names[:_AXES], "score"]:
        column = table[name]
        title = METRICS[metric].title if name == "score" else name
        if pd.api.types.is_numeric_dtype(column):
            dimensions.append({"label": title, "values": column.astype(float)})
        else:
            words = sorted(column.astype(str).unique())
            codes = column.astype(str).map({word: code for code, word in enumerate(words)})
            dimensions.append({"label": title, "values": codes, "tickvals": list(range(len(words))), "ticktext": words})
    steps = theme.sequential()
    scale = [[index / (len(steps) - 1), color] for index, color in enumerate(steps)]
    figure = go.Figure(
        go.Parcoords(
            dimensions=dimensions,
            line={"color": table["score"], "colorscale": scale, "reversescale": not METRICS[metric].larger_is_better},
        )
    )
    figure.update_layout(height=340, margin={"l": 60, "r": 40, "t": 50, "b": 20})
    st.plotly_chart(
        figure, key="automl-hyperparameters-parallel", alt=f"{len(table):,} trials by their hyperparameters and score"
    )
    st.caption(f"{len(table):,} trials; the strong lines are the best. Drag along an axis to keep a range.")
