"""The finding by group: a verdict, tiles, intervals, the table, and what each definition means."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import streamlit as st

from core import policies
from core.fairness import DEFINITIONS, GroupMetrics, group_metrics, label_text, verdict
from pages._ui import charts, frame, numbers
from pages.fairness.evidence import Evidence

__all__ = ["METRICS", "by_group", "head", "measure", "show"]

METRICS = {
    "base_rate": "Base rate",
    "selection_rate": "Selection rate",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "precision": "Precision",
    "true_positive_rate": "True positive rate",
    "false_positive_rate": "False positive rate",
    "true_negative_rate": "True negative rate",
    "false_negative_rate": "False negative rate",
    "f1": "F1",
    "roc_auc": "ROC AUC",
    "log_loss": "Log loss",
    "brier_score": "Brier score",
    "calibration_error": "Calibration error",
    "mean_prediction": "Mean prediction",
    "mean_error": "Mean error",
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R²",
}
_ABSOLUTE = ("log_loss", "brier_score", "mean_prediction", "mean_error", "mae", "rmse", "r2")


@st.cache_resource(max_entries=8, show_spinner=False)
def _measured(key: str, least: int, _evidence: Evidence) -> GroupMetrics:
    side = _evidence.test
    task: Literal["regression", "classification"] = "regression" if _evidence.positive is None else "classification"
    return group_metrics(side.truth, side.decided, side.groups, y_score=side.score, min_group_size=least, task=task)


def measure(evidence: Evidence) -> GroupMetrics:
    """Return the metrics of the rows that were held out, by group."""
    return _measured(evidence.key, evidence.min_rows, evidence)


def head(evidence: Evidence, found: GroupMetrics) -> str:
    """Draw the definition, the verdict for it and the tiles; return the definition."""
    definition = "demographic_parity"
    if evidence.positive is not None:
        definition = st.selectbox(
            "What shall be equal",
            list(DEFINITIONS),
            format_func=lambda name: f"{DEFINITIONS[name].title}: {DEFINITIONS[name].question}",
            key="fairness-definition",
        )
    st.subheader(frame.plain(verdict(found, definition)))
    rows, kind = len(evidence.test.truth), "test rows" if evidence.fit is not None or evidence.run else "rows"
    positive = f" · selected means {frame.plain(evidence.positive)}" if evidence.positive else ""
    read = ""
    if evidence.run is not None:
        count = policies.reads(evidence.run)
        read = f" · read for {count:,} {'rule' if count == 1 else 'rules'} so far"
    st.caption(f"{rows:,} {kind} · {len(found.labels):,} groups{positive} · 95 % intervals{read}")
    _tiles(found, definition, numbers_only=evidence.positive is None)
    return definition


def _tiles(found: GroupMetrics, definition: str, *, numbers_only: bool) -> None:
    shown = ("mae", "mean_error", "rmse", "r2") if numbers_only else ("selection_rate", "accuracy")
    overall = found.overall_intervals
    with st.container(horizontal=True):
        for name in shown:
            value, low, high = overall.loc[name, ["value", "low", "high"]]
            scale, unit = (1.0, "") if name in _ABSOLUTE else (100.0, " %")
            value, low, high = scale * value, scale * low, scale * high
            st.metric(
                f"{METRICS[name]}, all",
                numbers.estimate(value, low, high) + unit,
                numbers.interval(low, high),
                delta_color="off",
                delta_arrow="off",
                border=True,
            )
        if numbers_only:
            return
        row = found.summary.loc[definition]
        p = row["p_value"]
        told = "no test" if pd.isna(p) else f"p {'<' if p < 0.001 else '='} {max(p, 0.001):.3f}"
        gap = "n/a" if pd.isna(row["difference"]) else f"{100 * row['difference']:.1f} points"
        st.metric(
            f"Difference in {METRICS[row['metric']].lower()}",
            gap,
            told,
            delta_color="off",
            delta_arrow="off",
            border=True,
            help="Between the lowest and the highest group with enough rows.",
        )
        ratio = "n/a" if pd.isna(row["ratio"]) else f"{row['ratio']:.2f}"
        rule = "n/a" if pd.isna(row["ratio"]) else ("at least" if row["ratio"] >= 0.8 else "below") + " four fifths"
        st.metric("Ratio, lowest to highest", ratio, rule, delta_color="off", delta_arrow="off", border=True)


def by_group(found: GroupMetrics) -> pd.DataFrame:
    """Return the table of groups with names that people read; rates in per cent."""
    table = pd.DataFrame(
        {"Group": [label_text(label) for label in found.labels], "Rows": found.by_group["count"].to_list()}
    )
    if (found.rows < found.options.min_group_size).any():
        table["Few rows"] = ["yes" if rows < found.options.min_group_size else "" for rows in found.rows]
    for name in found.metrics:
        values = found.by_group[name].to_numpy(float)
        table[METRICS[name] + ("" if name in _ABSOLUTE else " (%)")] = values if name in _ABSOLUTE else 100 * values
    return table


def show(evidence: Evidence, found: GroupMetrics, definition: str) -> None:
    """Draw the intervals by group, the table, small groups, and the definitions."""
    wanted = DEFINITIONS[definition].metrics if evidence.positive is not None else ("mean_error", "mae")
    columns = st.columns(len(wanted), gap="medium")
    for column, name in zip(columns, wanted, strict=True):
        with column:
            table = found.intervals.xs(name, level="metric").reset_index(drop=True)
            table["group"] = [label_text(label) for label in found.labels]
            charts.group_intervals(table, METRICS[name], percent=name not in _ABSOLUTE)
    st.dataframe(
        by_group(found).iloc[found.by_group[wanted[0]].reset_index(drop=True).sort_values(ascending=False).index],
        hide_index=True,
        height="content" if len(found.labels) <= 15 else 560,
        column_config={
            "Group": st.column_config.TextColumn(pinned=True),
            "Rows": st.column_config.NumberColumn(format="localized"),
            **{
                title + suffix: st.column_config.NumberColumn(format="%.1f" if suffix else "%.4g")
                for name, title in METRICS.items()
                for suffix in (["" if name in _ABSOLUTE else " (%)"])
            },
        },
        alt="Metrics by group",
    )
    if len(found.small_groups):
        with st.expander(f"Not compared, for want of rows: {len(found.small_groups)}", icon=":material/group_off:"):
            small = found.small_groups.assign(group=[label_text(label) for label in found.small_groups["group"]])
            st.dataframe(small.rename(columns=str.capitalize), hide_index=True, alt="What was not compared, and why")
    if evidence.positive is not None:
        _definitions(found)


def _definitions(found: GroupMetrics) -> None:
    with st.expander("Every definition, and the question it fits", icon=":material/menu_book:"):
        for name, definition in DEFINITIONS.items():
            row = found.summary.loc[name]
            gap = "n/a" if pd.isna(row["difference"]) else f"{100 * row['difference']:.1f} points"
            ratio = "n/a" if pd.isna(row["ratio"]) else f"{row['ratio']:.2f}"
            st.markdown(f"**{definition.title}**: {definition.question} Difference {gap}, ratio {ratio}.")
            st.caption(definition.when)
