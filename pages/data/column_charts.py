"""Charts of one column: its distribution, and the target by its bins."""

from __future__ import annotations

import re
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from core.charts import fitted
from core.datasets import TargetByColumn
from core.evaluation import wilson
from core.jsonable import JsonObject
from pages._ui import frame, numbers, theme

__all__ = ["bin_label", "distribution", "target_by_bins", "value_text"]

_HEIGHT = 320
_MIN_ROWS = 20
_LABEL = 200
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T|$)")
_REPEATED = 0.05  # share of cells that the most frequent values need to be drawn as bars


def value_text(value: object) -> str:
    """Return a value of a profile for a reader: numbers rounded, dates without a time at midnight."""
    if isinstance(value, bool | None):
        return "–" if value is None else str(value)
    if isinstance(value, int | float):
        return numbers.rounded(value)
    date, moment = str(value)[:10], str(value)[11:19]
    if not _DATE.match(str(value)):
        return str(value)
    return date if moment in ("", "00:00:00") else f"{date} {moment}"


def bin_label(label: tuple[float | str, ...]) -> str:
    """Return the label of a bin.

    Examples
    --------
    >>> bin_label((1.0, 5.0)), bin_label((2.0, 2.0)), bin_label(("2024-01-01T00:00:00", "2024-03-01T00:00:00"))
    ('1 to 5', '2', '2024-01-01 to 2024-03-01')
    """
    if len(label) == 1:
        return str(label[0]) or "(empty text)"
    return " to ".join(dict.fromkeys(value_text(value) for value in label))


def distribution(column: JsonObject) -> None:
    """Draw the distribution: a histogram with mean and median, or bars of the most frequent values."""
    few = len(column["top"]) == column["distinct"]
    if column["counts"] and not few:
        _histogram(column)
    elif column["top"]:
        known = column["rows"] - column["missing"]
        share = sum(count for _, count in column["top"]) / max(known, 1)
        (_bars if few or share >= _REPEATED else _examples)(column)
    else:
        st.caption("The column has no values.")


def _examples(column: JsonObject) -> None:
    """List the most frequent values of a column whose values hardly repeat: their bars would be empty."""
    known = column["rows"] - column["missing"]
    st.markdown(f"The values hardly repeat: {column['distinct']:,} are distinct in {known:,} cells. The most frequent:")
    st.dataframe(
        pd.DataFrame(column["top"], columns=["Value", "Rows"]),
        hide_index=True,
        height="content",
        column_config={"Value": st.column_config.TextColumn(width="large")},
        alt=f"Most frequent values of {column['name']}",
    )


def _histogram(column: JsonObject) -> None:
    dates = column["kind"] == "date"
    kind = "T" if dates else "Q"
    edges = [pd.Timestamp(edge) for edge in column["edges"]] if dates else column["edges"]
    table = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "rows": column["counts"]})
    ends = "%Y-%m-%d" if dates else ",.4~g"
    tooltip = [
        alt.Tooltip(f"low:{kind}", title="from", format=ends),
        alt.Tooltip(f"high:{kind}", title="to", format=ends),
        alt.Tooltip("rows:Q", format=",", title="rows"),
    ]
    x = alt.X(f"low:{kind}", title=None, axis=alt.Axis(grid=False, labelFlush=True))
    bars = (
        alt.Chart(table)
        .mark_bar(color=theme.accent(), opacity=0.75, binSpacing=1)
        .encode(x=x.bin("binned") if not dates else x, x2="high", y=alt.Y("rows:Q", title="Rows"), tooltip=tooltip)
    )
    marks = {"Mean": column["mean"], "Median": column["quantiles"].get("0.5")}
    known = {name: value for name, value in marks.items() if value is not None}
    labels = [f"{name} {value_text(value)}" for name, value in known.items()]
    values = [pd.Timestamp(value) if dates else value for value in known.values()]
    hues = theme.categorical()
    look = {"Mean": (hues[1], [1, 0]), "Median": (hues[2], [6, 3])}
    legend = alt.Legend(orient="top", title=None, labelLimit=240, symbolType="stroke", symbolStrokeWidth=2.5)
    rules = (
        alt.Chart(pd.DataFrame({"value": values, "mark": labels}))
        .mark_rule(strokeWidth=2.5)
        .encode(
            x=f"value:{kind}",
            color=alt.Color("mark:N", scale=alt.Scale(domain=labels, range=[look[n][0] for n in known]), legend=legend),
            strokeDash=alt.StrokeDash(
                "mark:N", scale=alt.Scale(domain=labels, range=[look[n][1] for n in known]), legend=legend
            ),
            tooltip=["mark:N"],
        )
    )
    ends_text = f"from {value_text(column['minimum'])} to {value_text(column['maximum'])}"
    st.altair_chart(
        (bars + rules).properties(height=_HEIGHT),
        alt=f"Histogram of {column['name']} {ends_text}; {', '.join(labels)}",
    )


def _bars(column: JsonObject) -> None:
    known = column["rows"] - column["missing"]
    values = column["top"]
    if column["counts"]:
        values = sorted(values, key=lambda item: float(item[0]) if column["kind"] != "date" else item[0])
    top = [(str(value) or "(empty text)", count, "value") for value, count in values]
    others = known - sum(count for _, count, _ in top)
    distinct = column["distinct"] - len(top)
    if others > 0:
        top.append((f"{distinct:,} other value{'s' * (distinct != 1)}", others, "rest"))
    if column["missing"]:
        top.append(("missing", column["missing"], "rest"))
    table = pd.DataFrame(top, columns=["value", "rows", "part"])
    table["share"] = table["rows"] / max(column["rows"], 1)
    table["position"] = range(len(table))
    y = alt.Y("value:N", sort=alt.SortField("position"), title=None, axis=alt.Axis(labelLimit=_LABEL, labelFlush=False))
    base = alt.Chart(table).encode(
        y=y,
        x=alt.X("rows:Q", title="Rows", axis=alt.Axis(tickCount=5)),
        tooltip=["value:N", alt.Tooltip("rows:Q", format=","), alt.Tooltip("share:Q", format=".1%")],
    )
    color = alt.condition("datum.part == 'value'", alt.value(theme.accent()), alt.value(theme.muted()))
    listed = ", ".join(f"{value} {count:,}" for value, count, _ in top)
    st.altair_chart(
        base.mark_bar(opacity=0.85).encode(color=color).properties(height=alt.Step(28)),
        alt=f"Rows by value of {column['name']}: {listed}",
    )


def target_by_bins(result: TargetByColumn, *, column: str, target: str, label: str | None) -> None:
    """Draw the target in each bin of a column, as a dot on its 95% interval.

    Parameters
    ----------
    result : TargetByColumn
        Counts or means by bin.
    column, target : str
        Names of both columns.
    label : str, optional
        Class whose share is drawn; None for a target of numbers.
    """
    table = _estimates(result, label)
    drawn = table[table["value"].notna()]
    if drawn.empty:
        st.caption("No bin has rows with a known target.")
        return
    percent = label is not None
    unit = "%" if percent else ""
    what = f"Share of {label!r} in {target}" if percent else f"Mean of {target}"
    sure = drawn[~drawn["small"]]
    if len(sure) > 1:
        ends = [sure.loc[sure["value"].idxmax()], sure.loc[sure["value"].idxmin()]]
        high, low = (f"{_figure(end['value'], unit)} at {end['bin']}" for end in ends)
        st.markdown(frame.plain(f"{what}: highest with {high}, lowest with {low}."))
    color = alt.condition("datum.small", alt.value(theme.muted()), alt.value(theme.accent()))
    y = alt.Y("bin:N", sort=alt.SortField("position"), title=None, axis=alt.Axis(labelLimit=_LABEL, labelFlush=False))
    base = alt.Chart(table)
    x = alt.X("low:Q", title=what + (" (%)" if percent else ""), scale=alt.Scale(zero=False, padding=12))
    lines = base.mark_rule(strokeWidth=3).encode(y=y, x=x, x2="high:Q", color=color)
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(
        y=y,
        x="value:Q",
        color=color,
        tooltip=[
            alt.Tooltip("bin:N", title=column),
            *(alt.Tooltip(f"{name}:Q", format=",.4g") for name in ("value", "low", "high")),
            alt.Tooltip("rows:Q", format=","),
        ],
    )
    overall = alt.Chart(pd.DataFrame({"value": [_overall(result, label)]})).mark_rule(
        strokeDash=[4, 4], color=theme.muted(), strokeWidth=1.5
    )
    layers = overall.encode(x="value:Q") + lines + dots
    values = ", ".join(f"{row.bin} {_figure(row.value, unit)}" for row in drawn.itertuples())
    st.altair_chart(
        layers.properties(height=alt.Step(28), title=fitted(f"{what} by {column}")), alt=f"{what} by {column}: {values}"
    )
    small = f" Gray: fewer than {_MIN_ROWS} rows." if table["small"].any() else ""
    st.caption(
        f"95% intervals; {int(table['rows'].sum()):,} rows. "
        f"Dashed: {_figure(_overall(result, label), unit)} in all of them.{small}"
    )


def _estimates(result: TargetByColumn, label: str | None) -> pd.DataFrame:
    table = pd.DataFrame({"bin": [bin_label(item) for item in result.bins], "rows": result.rows})
    if label is None:
        table["value"], table["low"], table["high"] = (
            pd.Series(values, dtype=float) for values in (result.mean, result.low, result.high)
        )
    else:
        hits = pd.Series(result.hits[label], dtype=float)
        low, high = wilson(hits.to_numpy(), table["rows"].to_numpy())
        table["value"], table["low"], table["high"] = 100 * hits / table["rows"], 100 * low, 100 * high
    table["small"] = table["rows"] < _MIN_ROWS
    table["position"] = range(len(table))
    return table


def _overall(result: TargetByColumn, label: str | None) -> float:
    rows = sum(result.rows)
    if label is not None:
        return 100 * sum(result.hits[label]) / rows
    return sum(mean * count for mean, count in zip(result.mean, result.rows, strict=True) if mean is not None) / rows


def _figure(value: Any, unit: str) -> str:
    return f"{value:.1f}%" if unit else numbers.rounded(float(value))
