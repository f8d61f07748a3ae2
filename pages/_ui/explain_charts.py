"""Charts of explanations. Axes name the space of the values; colors come from the theme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core.charts import bar_chart, fitted, legend_columns
from pages._ui import charts, frame, theme

if TYPE_CHECKING:
    from core.explain import ShapValues, Waterfall

__all__ = ["beeswarm", "by_group", "importance", "interactions", "mean_shap", "space_title", "waterfall"]

_TOP = 15
_POINTS = 200  # per column in a beeswarm
_LABEL = alt.Axis(labelLimit=200, labelFlush=False)
_NO_ORDER = -1.0  # marks with a missing value would not be drawn at all
_VALUES = ("value", "low", "high")
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross")
_SPACES = {"log-odds": "log-odds", "margin": "score before the softmax", "probability": "probability"}


def space_title(space: str, label: str | None) -> str:
    """Return the title of an axis with values of a space; without a label they are over all classes.

    Examples
    --------
    >>> space_title("log-odds", "yes"), space_title("prediction", "price"), space_title("margin", None)
    ('log-odds of yes', 'price', 'score before the softmax, all classes')
    """
    if label is None:
        return f"{_SPACES.get(space, space)}, all classes"
    return f"{_SPACES[space]} of {label}" if space in _SPACES else label


def _bars(table: pd.DataFrame, x_title: str, heading: str) -> None:
    """Draw bars with their 95% intervals (columns: name, value, low, high, n), in the order of the table."""
    charts.draw(bar_chart(table, x_title, heading, theme.palette(), max_bars=_TOP))
    if len(table) > _TOP:
        st.caption(f"The {_TOP} largest of {len(table):,} are shown.")


def importance(permutation: pd.DataFrame, metric: str, *, tested: bool = True) -> None:
    """Draw permutation importance (the table of an `Explanation`); `metric` is the metric's title."""
    table = permutation.rename(columns={"feature": "name", "importance": "value"})
    rows = "on the test rows" if tested else "on rows the model was trained on"
    _bars(table, f"Drop of {metric}", f"Loss {rows} when a column is shuffled, with 95% intervals")


def mean_shap(summary: pd.DataFrame, space: str, label: str) -> None:
    """Draw mean |SHAP| over all rows (the summary of an `Explanation`) for one class."""
    own = summary[(summary["class"] == label) & summary["column"].isna() & summary["group"].isna()]
    table = own[["feature", "importance", "low", "high", "n"]].sort_values("importance", ascending=False, kind="stable")
    table = table.rename(columns={"feature": "name", "importance": "value"})
    _bars(
        table, f"Mean |SHAP| ({space_title(space, label)})", "Mean effect of columns on predictions, with 95% intervals"
    )


def interactions(pairs: pd.DataFrame, space: str, label: str | None) -> None:
    """Draw the distance of pairs' joint effects from the sum of their effects; without a label, over all classes."""
    if not len(pairs) or pairs["strength"].max() == 0:
        st.caption("No interactions: the effects of single columns add up." if len(pairs) else "No pair was measured.")
        return
    table = pairs.assign(name=pairs["first"] + " × " + pairs["second"]).rename(columns={"strength": "value"})
    _bars(table, f"Strength ({space_title(space, label)})", "Interactions of pairs, with 95% intervals")


def by_group(summary: pd.DataFrame, column: str, space: str, label: str) -> None:
    """Draw mean |SHAP| of the most important columns in each group of a sensitive column; small groups are hollow."""
    own = summary[summary["class"] == label]
    overall = own[own["group"].isna()].sort_values("importance", ascending=False)["feature"].head(_TOP)
    table = own[(own["column"] == column) & own["feature"].isin(set(overall))].copy()
    table["position"] = table["feature"].map({name: position for position, name in enumerate(overall)})
    table["small"] = table["low"].isna()
    groups = sorted(table["group"].unique())
    colors = theme.categorical()
    legend = alt.Legend(title=None, orient="bottom", labelLimit=240, columns=legend_columns(8))
    base = alt.Chart(table).encode(
        y=alt.Y("feature:N", sort=alt.SortField("position"), title=None, axis=_LABEL),
        yOffset=alt.YOffset("group:N", sort=groups),
        color=alt.Color(
            "group:N",
            sort=groups,
            legend=legend,
            scale=alt.Scale(domain=groups, range=[colors[i % len(colors)] for i in range(len(groups))]),
        ),
    )
    x_title = f"Mean |SHAP| ({space_title(space, label)})"
    large, small = base.transform_filter("!datum.small"), base.transform_filter("datum.small")
    lines = large.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=x_title), x2="high:Q")
    # Where there are more groups than colors, those of one color differ by shape.
    shapes = [_SHAPES[i // len(colors) % len(_SHAPES)] for i in range(len(groups))]
    shape = alt.Shape("group:N", sort=groups, legend=legend, scale=alt.Scale(domain=groups, range=shapes))

    def dots(chart: alt.Chart, names: Sequence[str], filled: bool) -> alt.Chart:
        values = [alt.Tooltip(f"{name}:Q", format=",.4g") for name in names]
        rows = alt.Tooltip("n:Q", format=",", title="rows behind it")
        points: alt.Chart = chart.mark_point(filled=filled, size=60, opacity=1).encode(
            x=alt.X("importance:Q", title=x_title), shape=shape, tooltip=["feature:N", "group:N", *values, rows]
        )
        return points

    layers = [lines, dots(large, ("importance", "low", "high", "direction"), True)]
    few = table[table["small"]].drop_duplicates("group").sort_values("group")
    if len(few):
        layers.append(dots(small, ("importance", "direction"), False))
    heading = f"Mean effect on predictions by {column}, with 95% intervals"
    size = alt.Step(max(26, 9 * len(groups)), **{"for": "position"})
    names = ", ".join(f"{row.group} (n = {row.n:,})" for row in few.itertuples(index=False))
    note = f"Small groups, drawn hollow and without an interval: {names}." if names else ""
    st.altair_chart(alt.layer(*layers).properties(height=size, title=fitted(heading)), alt=f"{heading}. {note}".strip())
    if note:
        st.caption(frame.plain(note))


def _ranks(column: pd.Series) -> np.ndarray:
    """Return the rank of each cell in its column, 0 to 1; `_NO_ORDER` where there is no order."""
    types = pd.api.types
    numbers = types.is_numeric_dtype(column) and not types.is_bool_dtype(column)
    if not numbers and not types.is_datetime64_any_dtype(column):
        return np.full(len(column), _NO_ORDER)
    ranks: np.ndarray = column.rank(pct=True).to_numpy(dtype=float, na_value=_NO_ORDER)
    return ranks


def beeswarm(shap: ShapValues, label: str, *, tested: bool = True) -> None:
    """Draw the SHAP values of rows as one strip per column, colored from low to high cells; gray without an order."""
    code = shap.class_index(label)
    order = np.argsort(-np.abs(shap.values[:, :, code]).mean(axis=0), kind="stable")[:_TOP]
    n = min(len(shap), _POINTS)
    random = np.random.default_rng(0)
    parts = []
    for position, column in enumerate(order):
        cells = shap.data[shap.features[column]].iloc[:n]
        parts.append(
            pd.DataFrame(
                {
                    "feature": shap.features[column],
                    "position": position,
                    "shap": shap.values[:n, column, code],
                    "cell": cells.astype(object).where(cells.notna(), "(missing)").astype(str),
                    "rank": _ranks(cells),
                    "jitter": random.normal(0, 1, n),
                    "row": shap.row_id[:n],
                }
            )
        )
    color = alt.condition(
        f"datum.rank == {_NO_ORDER}",
        alt.value(theme.muted()),
        alt.Color(
            "rank:Q",
            scale=alt.Scale(range=theme.sequential()[3:], domain=[0, 1]),
            legend=alt.Legend(title="cell, from low to high", orient="bottom", format=".0%"),
        ),
    )
    chart = (
        alt.Chart(pd.concat(parts, ignore_index=True))
        .mark_circle(size=22, opacity=0.8)
        .encode(
            x=alt.X("shap:Q", title=f"SHAP value ({space_title(shap.space, label)})"),
            y=alt.Y("feature:N", sort=alt.SortField("position"), title=None, axis=_LABEL),
            yOffset=alt.YOffset("jitter:Q", scale=alt.Scale(domain=[-4, 4])),
            color=color,
            tooltip=["feature:N", "cell:N", alt.Tooltip("shap:Q", format=",.4g"), alt.Tooltip("row:Q", format="d")],
        )
    )
    heading = f"Effects in single rows: {n:,} {'test rows' if tested else 'rows the model was trained on'}"
    names = ", ".join(shap.features[column] for column in order)
    size = alt.Step(28, **{"for": "position"})
    st.altair_chart(chart.properties(height=size, title=fitted(heading)), alt=f"{heading}; the largest first: {names}")


def waterfall(row_steps: Waterfall) -> None:
    """Draw the steps from the base to a row's output."""
    steps = row_steps.steps.copy()
    named = steps["value"] != ""
    steps["name"] = steps["feature"].where(~named, steps["feature"] + " = " + steps["value"])
    steps["position"] = range(len(steps))
    up, down = theme.categorical()[:2]
    title = space_title(row_steps.space, row_steps.label)
    y = alt.Y("name:N", sort=alt.SortField("position"), title=None, axis=_LABEL)
    x = alt.X("start:Q", title=title[:1].upper() + title[1:], scale=alt.Scale(zero=False))
    bars = (
        alt.Chart(steps)
        .mark_bar(height=16)
        .encode(
            y=y,
            x=x,
            x2="end:Q",
            color=alt.condition("datum.contribution >= 0", alt.value(up), alt.value(down)),
            tooltip=["name:N", *(alt.Tooltip(f"{name}:Q", format=",.4g") for name in ("contribution", "start", "end"))],
        )
    )
    ends = pd.DataFrame({"x": [row_steps.base, row_steps.output], "end": ["base", "output"]})
    rules = (
        alt.Chart(ends)
        .mark_rule(color=theme.muted(), strokeDash=[4, 4])
        .encode(x="x:Q", tooltip=["end:N", alt.Tooltip("x:Q", format=",.4g")])
    )
    tiny = 1e-9 * max(abs(row_steps.base), steps["contribution"].abs().max())  # rounding of a sum that is 0
    first, last = (0.0 if abs(value) <= tiny else value for value in (row_steps.base, row_steps.output))
    heading = f"Row {row_steps.row_id}: from {first:.3g} to {last:.3g}"
    summary = ", ".join(f"{row.name} {row.contribution:+.3g}" for row in steps.itertuples(index=False))
    st.altair_chart((bars + rules).properties(height=alt.Step(28), title=fitted(heading)), alt=f"{heading}: {summary}")
