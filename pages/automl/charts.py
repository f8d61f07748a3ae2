"""Charts of the AutoML page. Each title states what the chart shows; colors come from the theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core.charts import fitted, legend_columns, residuals_chart
from pages._ui import charts, theme
from pages._ui.charts import HEIGHT

__all__ = ["errors", "gains", "lift", "residuals", "thresholds"]


def residuals(points: pd.DataFrame, title: str) -> None:
    """Draw predicted against actual values (columns: actual, predicted)."""
    charts.draw(residuals_chart(points, title, theme.palette()))


def errors(points: pd.DataFrame, title: str) -> None:
    """Draw the errors against the predicted values (columns: actual, predicted)."""
    table = points.assign(error=points["actual"] - points["predicted"])
    dots = (
        alt.Chart(table)
        .mark_circle(size=25, opacity=0.4, color=theme.accent())
        .encode(
            x=alt.X("predicted:Q", title="Predicted", scale=alt.Scale(zero=False)),
            y=alt.Y("error:Q", title="Actual minus predicted"),
            tooltip=["actual:Q", "predicted:Q", "error:Q"],
        )
    )
    zero = (
        alt.Chart(pd.DataFrame({"error": [0.0]})).mark_rule(strokeDash=[4, 4], color=theme.muted()).encode(y="error:Q")
    )
    st.altair_chart((dots + zero).properties(height=HEIGHT, title=fitted(title)), alt=title)


def _selected(roc: Mapping[str, Sequence[float]], share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of all rows that is selected, and that of the class among it, along a ROC curve."""
    recall = np.asarray(roc["tpr"], dtype=float)
    return recall * share + np.asarray(roc["fpr"], dtype=float) * (1 - share), recall


def gains(roc: Mapping[str, Sequence[float]], share: float, name: str) -> None:
    """Draw how much of a class is in the rows with the highest scores."""
    selected, recall = _selected(roc, share)
    tenth = float(np.interp(0.1, selected, recall))
    charts.curve(
        selected.tolist(),
        recall.tolist(),
        x_title="Share of all rows, highest scores first",
        y_title=f"Share of {name} among them",
        chance="diagonal",
        title=f"Gains: the top 10% of the rows hold {100 * tenth:.0f}% of {name}",
    )


def lift(roc: Mapping[str, Sequence[float]], share: float, name: str) -> None:
    """Draw how many times as common a class is in the rows with the highest scores as in all rows."""
    selected, recall = _selected(roc, share)
    at = np.linspace(0.01, 1, 100)
    table = pd.DataFrame({"selected": at, "lift": np.interp(at, selected, recall) / at})
    tenth = float(table["lift"].iloc[9])
    title = f"Lift: {name} is {tenth:.1f} times as common in the top 10%"
    line = (
        alt.Chart(table)
        .mark_line(color=theme.accent(), strokeWidth=2)
        .encode(
            x=alt.X("selected:Q", title="Share of all rows, highest scores first", scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("lift:Q", title="Lift"),
            tooltip=[alt.Tooltip("selected:Q", format=".0%"), alt.Tooltip("lift:Q", format=".2f")],
        )
    )
    one = alt.Chart(pd.DataFrame({"lift": [1.0]})).mark_rule(strokeDash=[4, 4], color=theme.muted()).encode(y="lift:Q")
    st.altair_chart((line + one).properties(height=HEIGHT, title=fitted(title)), alt=title)


def thresholds(table: pd.DataFrame, name: str) -> None:
    """Draw precision, recall, F1 and the share selected at each threshold (columns: threshold and these four)."""
    best = table.loc[table["f1"].idxmax()]
    names = {"precision": "Precision", "recall": "Recall", "f1": "F1", "selected": "Rows selected"}
    long = table.melt("threshold", list(names), "metric", "share").dropna()
    long["metric"] = long["metric"].map(names)
    title = f"F1 of {name} is highest at a threshold of {best['threshold']:.2f}: {best['f1']:.3f}"
    lines = (
        alt.Chart(long)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("threshold:Q", title=f"Threshold on the probability of {name}", scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 1])),
            color=alt.Color(
                "metric:N",
                scale=alt.Scale(domain=list(names.values()), range=theme.categorical()),
                legend=alt.Legend(title=None, orient="bottom", columns=legend_columns(4)),
            ),
            tooltip=["metric:N", "threshold:Q", alt.Tooltip("share:Q", format=".3f")],
        )
    )
    at = (
        alt.Chart(table[table["threshold"] == best["threshold"]])
        .mark_rule(strokeDash=[4, 4], color=theme.muted())
        .encode(x="threshold:Q")
    )
    st.altair_chart((lines + at).properties(height=HEIGHT + 40, title=fitted(title)), alt=title)
    st.caption(
        "A threshold chosen on the test rows looks better than it is. The Fairness page chooses one on the rows that "
        "the model was validated on."
    )
