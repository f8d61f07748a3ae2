"""A chart of a column's values on two sides: the rows before, and those of a batch."""

from __future__ import annotations

import altair as alt
import pandas as pd

from core.charts.headings import fitted
from core.charts.palette import DrawnChart, Palette

__all__ = ["two_distributions_chart"]

_HEIGHT = 300
_LABEL = 180


def two_distributions_chart(table: pd.DataFrame, name: str, palette: Palette, *, dates: bool = False) -> DrawnChart:
    """Return the shares of a column's values in a reference and in a batch.

    Parameters
    ----------
    table : DataFrame
        Columns reference and current (shares of rows), with low and high (the ends of a bin) for numbers, or label for
        categories, as `core.monitoring.distribution_table` returns them. Missing cells of numbers are left out.
    name : str
        Name of the column.
    palette : Palette
        Colors.
    dates : bool, default=False
        Whether numbers are seconds since 1970.
    """
    sides = ["Reference", "Batch"]
    table = table.rename(columns=dict(zip(("reference", "current"), sides, strict=True)))
    table = table.melt(["label", "low", "high"], sides, var_name="rows", value_name="share")
    color = alt.Color(
        "rows:N",
        title=None,
        scale=alt.Scale(domain=sides, range=[palette.muted, palette.accent]),
        legend=alt.Legend(orient="bottom", symbolSize=90),
    )
    share = alt.Tooltip("share:Q", format=".1%")
    binned = table[table["low"].notna()].copy()
    if len(binned):
        if dates:
            binned[["low", "high"]] = binned[["low", "high"]].apply(lambda ends: pd.to_datetime(ends, unit="s"))
        kind = "T" if dates else "Q"
        chart = (
            alt.Chart(binned)
            .mark_bar(opacity=0.6, binSpacing=0)
            .encode(
                x=alt.X(f"low:{kind}", bin="binned", title=name, axis=alt.Axis(tickCount=6)),
                x2="high",
                y=alt.Y("share:Q", stack=None, title="Rows", axis=alt.Axis(format=".0%")),
                color=color,
                tooltip=["rows:N", f"low:{kind}", f"high:{kind}", share],
            )
        )
    else:
        chart = (
            alt.Chart(table)
            .mark_bar()
            .encode(
                y=alt.Y(
                    "label:N",
                    sort=table["label"].drop_duplicates().tolist(),
                    title=None,
                    axis=alt.Axis(labelLimit=_LABEL),
                ),
                yOffset=alt.YOffset("rows:N", sort=sides),
                x=alt.X("share:Q", title="Rows", axis=alt.Axis(format=".0%")),
                color=color,
                tooltip=["rows:N", "label:N", share],
            )
        )
    title = f"{name} in the reference, and in this batch"
    return DrawnChart(chart.properties(height=_HEIGHT, title=fitted(title)), f"Shares of the values of {title}")
