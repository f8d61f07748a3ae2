"""The error map: the mean error by the bins of two columns, with the rows of each cell."""

from __future__ import annotations

import math
from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core.charts import fitted
from core.cohorts import LOSSES, CohortReport, ErrorGrid, grid_errors
from pages._ui import address, theme

__all__ = ["show"]

_MAX_BINS = 5
_CELL_ROWS = 40  # rows per cell on average, so that most cells can be read


def show(
    rows: pd.DataFrame, losses: np.ndarray, weights: np.ndarray | None, columns: Sequence[str], report: CohortReport
) -> None:
    """Let the user choose two columns, and draw the error by both."""
    if len(columns) < 2:
        return
    st.markdown("**Error by two columns**")
    named = [name for item in report.cohorts for name in item.cohort.columns]
    ranked = list(dict.fromkeys([*named, *columns]))
    with st.container(horizontal=True):
        first = _choose("Column", "across", ranked, ranked[0])
        others = [name for name in ranked if name != first]
        second = _choose("By", "down", others, others[0])
    bins = min(_MAX_BINS, max(2, math.isqrt(len(rows) // _CELL_ROWS)))
    grid = grid_errors(rows, losses, first, second, bins=bins, sample_weight=weights)
    _chart(grid, first, second, report.loss)
    small = sum(cell.small for cell in grid.cells)
    label = LOSSES[report.loss].title.lower()
    st.caption(
        f"Each cell: {label}, and the number of rows, of the {len(rows):,} that groups are judged on. "
        "Ranges include their lower end. Single cells vary by chance; the groups above are tested."
        + (f" {small:,} cells with fewer than {grid.min_rows} rows are gray: too few to read." if small else "")
    )


def _choose(label: str, name: str, options: list[str], default: str) -> str:
    key = f"automl-map-{name}"
    shown = address.restore(name, options, default, key)
    chosen = st.selectbox(label, options, key=key, width=280)
    address.keep(name, chosen, shown, key)
    return chosen


def _chart(grid: ErrorGrid, first: str, second: str, loss: str) -> None:
    share = loss == "wrong"
    table = pd.DataFrame(
        [
            {
                "x": cell.first,
                "y": cell.second,
                "Rows": cell.rows,
                "Error": cell.error,
                "small": cell.small,
                "Text": f"{cell.error:.0%}" if share else f"{cell.error:.3g}",
                "Count": f"n = {cell.rows:,}",
            }
            for cell in grid.cells
        ]
    )
    known = table[~table["small"]]
    highest = float(known["Error"].max()) if len(known) else 1.0
    lowest = 0.0 if share else (float(known["Error"].min()) if len(known) else 0.0)
    axis = alt.Axis(labelLimit=150, labelAngle=-30, labelOverlap=False)
    base = alt.Chart(table).encode(
        x=alt.X("x:N", sort=list(grid.first), title=first, axis=axis),
        y=alt.Y("y:N", sort=list(grid.second), title=second, axis=alt.Axis(labelLimit=150)),
    )
    scale = alt.Scale(range=theme.sequential(), domain=[lowest, highest], clamp=True)
    squares = base.mark_rect(stroke=None).encode(
        color=alt.condition("datum.small", alt.value(theme.muted()), alt.Color("Error:Q", scale=scale, legend=None)),
        opacity=alt.condition("datum.small", alt.value(0.25), alt.value(1.0)),
        tooltip=[
            alt.Tooltip("x:N", title=first),
            alt.Tooltip("y:N", title=second),
            alt.Tooltip("Text:N", title=LOSSES[loss].title),
            alt.Tooltip("Rows:Q", format=","),
        ],
    )
    light, dark = theme.on_sequential()
    turn = lowest + theme.strong_from() * (highest - lowest)
    color = alt.condition(f"datum.small || datum.Error <= {turn}", alt.value(light), alt.value(dark))
    texts = base.mark_text(fontSize=13, dy=-7).encode(text="Text:N", color=color)
    counts = base.mark_text(fontSize=11, dy=9).encode(text="Count:N", color=color)
    title = f"{LOSSES[loss].title} by {first} and {second}"
    chart = alt.layer(squares, texts, counts).properties(height=alt.Step(46), title=fitted(title))
    cells = ", ".join(f"{row.x} and {row.y} {row.Text} of {row.Rows:,} rows" for row in table.itertuples())
    st.altair_chart(chart, alt=f"{title}: {cells}")
