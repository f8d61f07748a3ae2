"""The Groups tab: a verdict, tiles, intervals and a table by group, and the meaning of each definition."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import streamlit as st

from core import policies
from core.fairness import DEFINITIONS, GroupMetrics, group_metrics, label_text, metric_record, verdict
from pages._ui import charts, frame, numbers
from pages.fairness.analysis import Analysis

__all__ = ["group_table", "measure", "show", "show_verdict"]

_NUMBER_TILES = ("mae", "mean_error", "rmse", "r2")
_DECISION_TILES = ("selection_rate", "accuracy")
_NUMBER_CHARTS = ("mean_error", "mae")
_TABLE_HEIGHT = 560
_TABLE_ROWS = 15


@st.cache_resource(max_entries=8, show_spinner=False)
def _measure(key: str, min_group_size: int, _analysis: Analysis) -> GroupMetrics:
    rows = _analysis.test
    task: Literal["regression", "classification"] = "regression" if _analysis.positive is None else "classification"
    return group_metrics(
        rows.truth,
        rows.predicted,
        rows.groups,
        y_score=rows.score,
        min_group_size=min_group_size,
        task=task,
        sample_weight=rows.weight,
    )


def measure(analysis: Analysis) -> GroupMetrics:
    """Return the metrics of the test rows by group."""
    return _measure(analysis.key, analysis.min_group_size, analysis)


def show_verdict(analysis: Analysis, metrics: GroupMetrics) -> str:
    """Draw the choice of the definition, its verdict and tiles; return the definition."""
    definition = "demographic_parity"
    if analysis.positive is not None:
        definition = st.selectbox(
            "Fairness criterion",
            list(DEFINITIONS),
            format_func=lambda name: f"{DEFINITIONS[name].title}: {DEFINITIONS[name].question}",
            key="fairness-definition",
        )
    st.subheader(frame.plain(verdict(metrics, definition)))
    count = len(analysis.test.truth)
    rows = f"{count:,} test rows" if analysis.calibration is not None or analysis.run else f"{count:,} rows"
    facts = [rows, f"{len(metrics.labels):,} groups"]
    if analysis.positive:
        facts.append(f"selected means {frame.plain(analysis.positive)}")
    facts.append("95% intervals")
    if analysis.weight is not None:
        facts.append(f"rows count by their weight in {frame.plain(analysis.weight)} (without tests)")
    if analysis.run is not None:
        reads = policies.reads(analysis.run)
        facts.append(f"test rows used to check {reads:,} {'rule' if reads == 1 else 'rules'} so far")
    st.caption(" · ".join(facts))
    with st.container(horizontal=True):
        _overall_tiles(metrics, _NUMBER_TILES if analysis.positive is None else _DECISION_TILES)
        if analysis.positive is not None:
            _disparity_tiles(metrics, definition)
    return definition


def _tile(label: str, value: str, note: str, help_text: str | None = None) -> None:
    st.metric(label, value, note, delta_color="off", delta_arrow="off", border=True, help=help_text)


def _overall_tiles(metrics: GroupMetrics, names: tuple[str, ...]) -> None:
    for name in names:
        record = metric_record(name)
        scale, unit = (100.0, "%") if record.unit == "share" else (1.0, "")
        value, low, high = (scale * metrics.overall_intervals.loc[name, part] for part in ("value", "low", "high"))
        text = numbers.estimate(value, low, high) + unit
        _tile(f"{record.title}, all", text, numbers.interval(low, high), record.help)


def _disparity_tiles(metrics: GroupMetrics, definition: str) -> None:
    row = metrics.summary.loc[definition]
    p = row["p_value"]
    _tile(
        f"Difference in {metric_record(row['metric']).phrase}",
        _points(row["difference"]),
        "no test" if pd.isna(p) else f"p {'<' if p < 0.001 else '='} {max(p, 0.001):.3f}",
        "Between the lowest and the highest group with enough rows.",
    )
    ratio = row["ratio"]
    rule = "n/a" if pd.isna(ratio) else ("at least" if ratio >= 0.8 else "below") + " four fifths"
    _tile("Ratio, lowest to highest", _ratio(ratio), rule)


def _points(difference: float) -> str:
    return "n/a" if pd.isna(difference) else f"{100 * difference:.1f} points"


def _ratio(ratio: float) -> str:
    return "n/a" if pd.isna(ratio) else f"{ratio:.2f}"


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
    if len(metrics.small_groups):
        with st.expander(f"Too few rows to compare: {len(metrics.small_groups)}", icon=":material/group_off:"):
            small = metrics.small_groups.assign(group=[label_text(label) for label in metrics.small_groups["group"]])
            st.dataframe(small.rename(columns=str.capitalize), hide_index=True, alt="Groups with too few rows, and why")
    if analysis.positive is not None:
        _definitions(metrics)


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
    with st.expander("All definitions, and the questions they answer", icon=":material/menu_book:"):
        for name, definition in DEFINITIONS.items():
            if name not in metrics.summary.index:
                continue
            row = metrics.summary.loc[name]
            gap, ratio = _points(row["difference"]), _ratio(row["ratio"])
            st.markdown(f"**{definition.title}**: {definition.question} Difference {gap}, ratio {ratio}.")
            st.caption(definition.when)
