"""The Groups tab: intervals and a table by group, impact ratios, and the meaning of each definition."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import streamlit as st

from core.fairness import DEFINITIONS, GroupMetrics, conclude, group_metrics, label_text, metric_record
from pages._ui import charts, frame
from pages.fairness import impact
from pages.fairness.analysis import Analysis, Predictions

__all__ = ["definitions_of", "group_table", "measure", "measure_others", "show"]

_NUMBER_CHARTS = ("mean_error", "mae")
_TABLE_HEIGHT = 560
_TABLE_ROWS = 15


@st.cache_resource(max_entries=8, show_spinner=False)
def _measure(key: str, min_group_size: int, _analysis: Analysis, _rows: Predictions) -> GroupMetrics:
    task: Literal["regression", "classification"] = "regression" if _analysis.positive is None else "classification"
    return group_metrics(
        _rows.truth,
        _rows.predicted,
        _rows.groups,
        y_score=None if _analysis.decisions_only else _rows.score,
        metrics=["selection_rate"] if _analysis.decisions_only else None,
        min_group_size=min_group_size,
        task=task,
        sample_weight=_rows.weight,
        outcome=_analysis.positive,
    )


def measure(analysis: Analysis) -> GroupMetrics:
    """Return the metrics of the analyzed rows by group."""
    return _measure(analysis.key, analysis.min_group_size, analysis, analysis.test)


def definitions_of(metrics: GroupMetrics) -> list[str]:
    """Return the definitions of fairness that the metrics can be judged by."""
    return [name for name, record in DEFINITIONS.items() if set(record.metrics) <= set(metrics.metrics)]


def measure_others(analysis: Analysis) -> GroupMetrics | None:
    """Return the metrics of other rows that a run keeps predictions of, if there are any."""
    if analysis.run is None or analysis.calibration is None:
        return None
    return _measure(f"{analysis.key}/calibration", analysis.min_group_size, analysis, analysis.calibration)


def group_table(metrics: GroupMetrics) -> pd.DataFrame:
    """Return the table of groups with the metrics' titles; shares in percent."""
    table = pd.DataFrame(
        {"Group": [label_text(label) for label in metrics.labels], "Rows": metrics.by_group["count"].to_list()}
    )
    small = metrics.rows < metrics.options.min_group_size
    if small.any():
        table["Few rows"] = ["yes" if few else "" for few in small]
    for name in metrics.metrics:
        record, values = metric_record(name), metrics.by_group[name].to_numpy(float)
        if record.unit == "share":
            table[f"{record.title} (%)"] = 100 * values
        else:
            table[record.title] = values
    return table


def show(analysis: Analysis, metrics: GroupMetrics, definition: str) -> None:
    """Draw the intervals by group, the table, small groups, and the definitions."""
    charted = DEFINITIONS[definition].metrics if analysis.positive is not None else _NUMBER_CHARTS
    for column, name in zip(st.columns(len(charted), gap="medium"), charted, strict=True):
        with column:
            table = metrics.intervals.xs(name, level="metric").reset_index(drop=True)
            table["group"] = [label_text(label) for label in metrics.labels]
            record = metric_record(name)
            charts.group_intervals(table, record.title, percent=record.unit == "share")
    _table(metrics, sort_by=charted[0])
    if analysis.positive is not None:
        impact.show(metrics)
    if len(metrics.small_groups):
        groups = metrics.small_groups["group"].map(label_text)
        heading = f"Too few rows to compare, in {groups.nunique():,} of {len(metrics.labels):,} groups"
        with st.expander(heading, icon=":material/group_off:"):
            small = metrics.small_groups.assign(group=groups, metrics=metrics.small_groups["metrics"].map(_titles))
            st.dataframe(small.rename(columns=str.capitalize), hide_index=True, alt="Groups with too few rows, and why")
    if analysis.positive is not None:
        _definitions(metrics)


def _titles(names: str) -> str:
    """Return the titles of metrics that are listed by name."""
    return names if names == "all" else ", ".join(metric_record(name).title for name in names.split(", "))


def _table(metrics: GroupMetrics, sort_by: str) -> None:
    order = metrics.by_group[sort_by].reset_index(drop=True).sort_values(ascending=False).index
    table = group_table(metrics).iloc[order]
    formats = {
        name: st.column_config.NumberColumn(format="%.1f" if name.endswith("(%)") else "%.4g")
        for name in table.columns.difference(["Group", "Rows", "Few rows"])
    }
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(table) <= _TABLE_ROWS else _TABLE_HEIGHT,
        column_config={
            "Group": st.column_config.TextColumn(pinned=True),
            "Rows": st.column_config.NumberColumn(format="localized"),
            **formats,
        },
        alt="Metrics by group",
    )


def _definitions(metrics: GroupMetrics) -> None:
    with st.expander("All criteria, and the questions they answer", icon=":material/menu_book:"):
        for name in definitions_of(metrics):
            definition = DEFINITIONS[name]
            st.markdown(f"**{definition.title}**: {definition.question}")
            st.markdown(frame.plain(conclude(metrics, name).finding))
            st.caption(f"{definition.when} {definition.misleads}")
