"""The chart of a column's dependence: its mean over rows, single rows, and the distribution of the column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import altair as alt
import pandas as pd
import streamlit as st

from core.charts import fitted
from pages._ui import frame, theme
from pages._ui.charts import HEIGHT

if TYPE_CHECKING:
    from core.explain import Dependence

__all__ = ["dependence"]

_DISTRIBUTION = 5  # takes a fifth of the height


def dependence(curve: Dependence, label: str, code: int = 0) -> None:
    """Draw the model's output when a column is set to a value in every row.

    Parameters
    ----------
    curve : Dependence
        Dependence on the column.
    label : str
        Title of the values: "probability of yes", or the target when it is a number.
    code : int, default=0
        Position of the class among those that are explained.
    """
    chart = _over_numbers if curve.kind in ("number", "date") else _over_categories
    heading = f"{curve.feature}: mean with its 95% interval, and {len(curve.lines)} single rows"
    first, last = curve.average[0][code], curve.average[-1][code]
    summary = f"{heading}. {curve.values[0]}: {first:.3g}, {curve.values[-1]}: {last:.3g}"
    st.altair_chart(chart(curve, code, f"Mean {label}").properties(title=fitted(heading)), alt=summary)
    st.caption(frame.plain(_note(curve, code)))


def _note(curve: Dependence, code: int) -> str:
    ordered = curve.kind in ("number", "date")
    notes = [f"Means over {curve.n:,} rows; {'the gray bars are' if ordered else 'in brackets'} the rows with a value."]
    if curve.missing and curve.missing_average is not None:
        notes.append(f"{curve.missing:,} rows have no value; without it the mean is {curve.missing_average[code]:.3g}.")
    if curve.others:
        position = "beyond the ends" if ordered else "with rarer values"
        notes.append(f"{curve.others:,} rows {position} are not shown.")
    return " ".join(notes)


def _means(curve: Dependence, code: int, names: Sequence[str | float]) -> pd.DataFrame:
    columns = {"average": curve.average, "low": curve.low, "high": curve.high}
    return pd.DataFrame({"at": names} | {name: [line[code] for line in lines] for name, lines in columns.items()})


def _singles(curve: Dependence, code: int, names: Sequence[str | float]) -> pd.DataFrame:
    lines = [
        (name, point[code], row)
        for row, line in zip(curve.line_rows, curve.lines, strict=True)
        for name, point in zip(names, line, strict=True)
    ]
    return pd.DataFrame(lines, columns=["at", "single", "row"])


def _tooltip() -> list[str | alt.Tooltip]:
    return ["at", *(alt.Tooltip(f"{name}:Q", format=",.4g") for name in ("average", "low", "high"))]


def _over_numbers(curve: Dependence, code: int, title: str) -> alt.LayerChart | alt.FacetChart:
    kind = "T" if curve.kind == "date" else "Q"
    singles, means = _singles(curve, code, curve.values), _means(curve, code, curve.values)
    low, high = (
        float(end)
        for end in (min(singles["single"].min(), means["low"].min()), max(singles["single"].max(), means["high"].max()))
    )
    headroom = (high - low) / (_DISTRIBUTION - 1) or abs(high) or 1.0  # below the curves, for the distribution
    scale = alt.Scale(domain=[low - headroom, high], nice=False, zero=False)
    axis = alt.Axis(labelExpr=f"datum.value < {low - headroom / 10} ? '' : datum.label")

    def y(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q", title=title, scale=scale, axis=axis)

    x = alt.X(f"at:{kind}", title=curve.feature, scale=alt.Scale(zero=False, nice=False))
    bins = pd.DataFrame({"at": curve.edges[:-1], "end": curve.edges[1:], "rows": curve.counts, "none": 0})
    beneath = alt.Y("rows:Q", axis=None, scale=alt.Scale(domain=[0, _DISTRIBUTION * max(curve.counts)]))
    bars = (
        alt.Chart(bins)
        .mark_rect(color=theme.muted(), opacity=0.35)
        .encode(x=x, x2="end", y=beneath, y2="none", tooltip=["at", "end", alt.Tooltip("rows:Q", format=",")])
    )
    base, color = alt.Chart(means), theme.accent()
    curves = alt.layer(
        alt.Chart(singles)
        .mark_line(color=theme.muted(), opacity=0.3, strokeWidth=1)
        .encode(x=x, y=y("single"), detail="row:N"),
        base.mark_area(color=color, opacity=0.2).encode(x=x, y=y("low"), y2="high"),
        base.mark_line(color=color, strokeWidth=2.5, point={"color": color}).encode(
            x=x, y=y("average"), tooltip=_tooltip()
        ),
    )
    chart: alt.LayerChart = alt.layer(bars, curves).resolve_scale(y="independent")
    return chart.properties(height=HEIGHT)


def _over_categories(curve: Dependence, code: int, title: str) -> alt.LayerChart | alt.FacetChart:
    names = [f"{value} ({rows:,})" for value, rows in zip(curve.values, curve.counts, strict=True)]
    singles, means = _singles(curve, code, names), _means(curve, code, names)
    y = alt.Y("at:N", title=curve.feature, sort=names, axis=alt.Axis(labelLimit=220))
    x = alt.X("single:Q", title=title, scale=alt.Scale(zero=False, nice=False, padding=8))
    base, color = alt.Chart(means), theme.accent()
    return alt.layer(
        alt.Chart(singles).mark_circle(color=theme.muted(), opacity=0.3, size=26).encode(y=y, x=x),
        base.mark_rule(color=color, strokeWidth=3).encode(y=y, x="low:Q", x2="high"),
        base.mark_point(color=color, filled=True, size=90, opacity=1).encode(y=y, x="average:Q", tooltip=_tooltip()),
    ).properties(height=alt.Step(30))
