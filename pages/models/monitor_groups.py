"""Groups of people and saved cohorts of each batch over time, and those of the batch in focus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd
import streamlit as st

from core.charts import fitted
from core.fairness import metric_record
from core.monitored import SELECTION_RATE, Batch, Subgroups
from pages._ui import charts, frame, numbers, theme

__all__ = ["show"]

_COHORTS = "Saved cohorts"
_SHARE, _ERROR = "Share of the rows", "Error, by labels"
_TITLES = {_SHARE: "Share of the rows in cohorts", _ERROR: "Mean error in cohorts, where labels are known"}
_MOST_LINES = 8


@dataclass(frozen=True)
class _Point:
    """A value of a group or cohort in a batch."""

    series: str
    value: float | None
    low: float | None
    high: float | None
    rows: int


def show(batches: Sequence[Batch], chosen: Batch) -> None:
    """Draw what is known of groups and cohorts, where there are any.

    Parameters
    ----------
    batches : sequence of Batch
        Batches in their order.
    chosen : Batch
        The one in focus.
    """
    columns = list(dict.fromkeys(rate.column for batch in batches for part in _parts(batch) for rate in part.rates))
    views = {f"By {column}": column for column in columns}
    if any(batch.subgroups.cohorts for batch in batches):
        views[_COHORTS] = ""
    if not views:
        return
    st.markdown("**Groups and cohorts over time**")
    with st.container(horizontal=True):
        view = str(
            st.segmented_control(
                "Rows",
                list(views),
                default=next(iter(views)),
                required=True,
                format_func=frame.plain,
                key="models-monitor-groups-of",
            )
        )
        column = views.get(view, "")
        names = _cohort_measures(batches) if view == _COHORTS else _rates(batches, column)
        name = str(
            st.segmented_control(
                "What",
                names,
                default=names[0],
                required=True,
                format_func=lambda name: name if view == _COHORTS else metric_record(name).title,
                key=f"models-monitor-groups-what-{view}",
            )
        )
    points = {
        batch.key: _of_cohorts(batch, name) if view == _COHORTS else _of_groups(batch, column, name)
        for batch in batches
    }
    title = _TITLES[name] if view == _COHORTS else f"{metric_record(name).title} by {column}"
    _chart(batches, points, title, percent=name != _ERROR or _is_share(batches))
    _said(chosen, column, name)
    if view == _COHORTS:
        _table(chosen)


def _parts(batch: Batch) -> list[Subgroups]:
    """Return what is known of a batch without labels, and by them."""
    return [batch.subgroups, *([] if batch.labels is None else [batch.labels.subgroups])]


def _rates(batches: Sequence[Batch], column: str) -> list[str]:
    known = [rate for batch in batches for part in _parts(batch) for rate in part.rates if rate.column == column]
    return list(dict.fromkeys([SELECTION_RATE, *(rate.rate for rate in known)]))


def _cohort_measures(batches: Sequence[Batch]) -> list[str]:
    labeled = any(batch.labels is not None and batch.labels.subgroups.cohorts for batch in batches)
    return [_SHARE, *([_ERROR] if labeled else [])]


def _of_groups(batch: Batch, column: str, rate: str) -> list[_Point]:
    part = batch.subgroups if rate == SELECTION_RATE or batch.labels is None else batch.labels.subgroups
    return [
        _Point(item.group, item.value, item.low, item.high, item.rows)
        for item in part.rates
        if item.column == column and item.rate == rate
    ]


def _of_cohorts(batch: Batch, measure: str) -> list[_Point]:
    if measure == _SHARE:
        known = [item for item in batch.subgroups.cohorts if not item.reason]
        return [_Point(item.condition, item.share, item.low, item.high, item.rows) for item in known]
    labeled = () if batch.labels is None else batch.labels.subgroups.cohorts
    return [_Point(item.condition, item.error, None, None, item.rows) for item in labeled]


def _is_share(batches: Sequence[Batch]) -> bool:
    """Return whether errors are shares of rows: those of labels, and not of numbers."""
    return any(batch.performance is not None and batch.performance.metric not in ("mae", "rmse") for batch in batches)


def _chart(batches: Sequence[Batch], points: dict[str, list[_Point]], title: str, *, percent: bool) -> None:
    records = [
        {
            "at": pd.Timestamp(numbers.when(batch.at)).tz_localize(None),
            "batch": batch.name,
            "group": point.series,
            "value": point.value,
            "low": point.low,
            "high": point.high,
            "rows": point.rows,
        }
        for batch in batches
        for point in points[batch.key]
        if point.value is not None
    ]
    if not records:
        st.caption("No batch has it yet: labels have to come first.")
        return
    table = pd.DataFrame(records)
    largest = table.groupby("group")["rows"].sum().nlargest(_MOST_LINES).index.tolist()
    shown = table[table["group"].isin(largest)]
    unit = "%" if percent else ".3g"
    x = alt.X("at:T", title=None, axis=alt.Axis(tickCount=8, labelOverlap=True))
    axis = alt.Axis(format=unit)
    scale = alt.Scale(domain=sorted(largest), range=theme.categorical()[: len(largest)])
    wide = max(map(len, largest)) > 24
    legend = alt.Legend(orient="bottom", columns=1 if wide else 4, labelLimit=420, symbolOpacity=1)
    color = alt.Color("group:N", title=None, scale=scale, legend=legend)
    shape = alt.Shape("group:N", title=None, scale=alt.Scale(domain=sorted(largest)), legend=legend)
    formats = ".1%" if percent else ".4g"
    tips = [alt.Tooltip(f"{part}:Q", format=formats) for part in ("value", "low", "high")]
    base = alt.Chart(shown)
    lines = base.mark_line(strokeWidth=1.5).encode(x=x, y=alt.Y("value:Q", title=None, axis=axis), color=color)
    bars = base.mark_rule(opacity=0.35).encode(x=x, y="low:Q", y2="high:Q", color=color)
    dots = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=x,
        y="value:Q",
        color=color,
        shape=shape,
        tooltip=["batch:N", "group:N", *tips, alt.Tooltip("rows:Q", format=",")],
    )
    heading = f"{title}, of each batch" + (", with 95% intervals" if shown["low"].notna().any() else "")
    st.altair_chart(
        alt.layer(bars, lines, dots).properties(height=charts.HEIGHT, title=fitted(heading)),
        alt=f"{heading}: "
        + ", ".join(f"{row.batch} {row.group} {row.value:.3f}" for row in shown.tail(20).itertuples()),
    )
    if table["group"].nunique() > len(largest):
        st.caption(f"The {len(largest):,} largest of {table['group'].nunique():,} are drawn.")


def _said(batch: Batch, column: str, rate: str) -> None:
    """Say how large the gap of the batch in focus is, and what selects."""
    part = batch.subgroups if rate == SELECTION_RATE or batch.labels is None else batch.labels.subgroups
    gap = part.gaps.get(rate, {}).get(column)
    if gap is None:
        return
    rule = batch.subgroups.rule
    selects = f"the rule {frame.plain(rule.removesuffix('.json'))}" if rule else "a probability of at least 0.5"
    value, low, high = gap
    between = "" if low is None or high is None else f" [{100 * low:.1f}, {100 * high:.1f}]"
    st.caption(
        f"{frame.plain(batch.name)}: the largest gap of two groups is {100 * value:.1f} points{between}. "
        f"A row is selected by {selects}."
    )


def _table(batch: Batch) -> None:
    cohorts = batch.subgroups.cohorts
    if not cohorts:
        return
    errors = {} if batch.labels is None else {item.condition: item for item in batch.labels.subgroups.cohorts}
    measured = [errors.get(item.condition) for item in cohorts]
    st.dataframe(
        pd.DataFrame(
            {
                "Cohort": [item.condition for item in cohorts],
                "Rows": [item.rows for item in cohorts],
                "Share": [None if item.reason else item.share for item in cohorts],
                "Share before": [item.reference_share for item in cohorts],
                "Change": [_change(item.change, item.change_low, item.change_high) for item in cohorts],
                "Error": [None if item is None else item.error for item in measured],
                "Error elsewhere": [None if item is None else item.other_error for item in measured],
                **({"Note": [item.reason or None for item in cohorts]} if any(x.reason for x in cohorts) else {}),
            }
        ),
        hide_index=True,
        key="models-monitor-groups-cohorts",
        placeholder="–",
        column_config={
            "Cohort": st.column_config.TextColumn(width="large"),
            "Rows": st.column_config.NumberColumn(format="localized"),
            "Share": st.column_config.NumberColumn(format="percent"),
            "Share before": st.column_config.NumberColumn(format="percent", help="Of what the batch is compared with."),
            "Error": st.column_config.NumberColumn(format="%.3g", help="Mean error of the rows whose label is known."),
            "Error elsewhere": st.column_config.NumberColumn(format="%.3g"),
        },
        alt="Saved cohorts in this batch",
    )


def _change(value: float | None, low: float | None, high: float | None) -> str | None:
    if value is None or low is None or high is None:
        return None
    return f"{100 * value:+.1f} points [{100 * low:.1f}, {100 * high:.1f}]"
