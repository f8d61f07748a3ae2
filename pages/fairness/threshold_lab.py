"""The Threshold lab tab: sliders with their effect by group, and the best rule under a constraint."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from core.fairness import RATES, GroupMetrics, ScoreTable
from pages._ui import frame, theme
from pages._ui.charts import HEIGHT
from pages.fairness import affected, optimizer
from pages.fairness.analysis import Analysis

__all__ = ["rows_of", "show", "show_sliders", "table_of"]

_CALIBRATION_ROWS = {
    "automl": "out-of-fold predictions of the training rows",
    "federated": "out-of-fold predictions of the training rows",
    "finetune": "the validation texts",
    "federated_texts": "the validation texts",
}
_SLIDERS = 8
_STEPS = 200
_RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")


@st.cache_resource(max_entries=8, show_spinner=False)
def _table(key: str, min_group_size: int, weighted: bool, _analysis: Analysis) -> ScoreTable:
    assert _analysis.calibration is not None
    return _analysis.calibration.score_table(min_group_size, weighted=weighted)


def table_of(analysis: Analysis) -> ScoreTable:
    """Return the scores that thresholds are fitted on, sorted once."""
    return _table(analysis.key, analysis.min_group_size, True, analysis)


def rows_of(analysis: Analysis) -> ScoreTable:
    """Return the same scores to count rows by, which weigh the same each."""
    if analysis.weight is None:
        return table_of(analysis)
    return _table(analysis.key, analysis.min_group_size, False, analysis)


@st.cache_data(max_entries=8, show_spinner=False)
def _roc(key: str, _table: ScoreTable) -> pd.DataFrame:
    return _table.roc(points=120)


def show(analysis: Analysis) -> None:
    """Draw the lab."""
    if analysis.calibration is None:
        need = "a score column" if analysis.positive is not None else "decisions; these predictions are numbers"
        st.info(f"Thresholds need {need}.", icon=":material/tune:")
        return
    origin = _CALIBRATION_ROWS.get(analysis.run.task if analysis.run else "", "half of the rows, drawn at random")
    purpose = (
        "so that the test rows stay unseen"
        if analysis.run is not None
        else "so that a rule is checked on the other half"
    )
    st.caption(
        f"This tab uses {len(analysis.calibration.truth):,} calibration rows ({origin}), {purpose}."
        + (f" Rates count rows by their weight in {frame.plain(analysis.weight)}." if analysis.weight else "")
    )
    st.fragment(frame.guarded(show_sliders))(analysis)
    optimizer.show(analysis, table_of(analysis), rows_of(analysis))


def show_sliders(analysis: Analysis) -> None:
    """Draw the sliders with their counts, rates and curves."""
    table = table_of(analysis)
    names = table.texts
    low, high = table.range
    if low == high:
        st.info(f"All scores are {low:g}: no threshold separates rows.", icon=":material/tune:")
        return
    start, step = affected.start_threshold(table), (high - low) / _STEPS
    left, right = st.columns([2, 3], gap="medium")
    with left:
        by_group = len(names) <= _SLIDERS and st.toggle("One threshold per group", key="fairness-per-group")
        if len(names) > _SLIDERS:
            st.caption(f"{len(names):,} groups: one slider moves all. The optimizer below sets each.")
        thresholds: dict[str, float] = {}
        sliders = names if by_group else ["all groups"]
        for name in sliders:
            key = f"fairness-cut-{analysis.key}-{name}"
            title = f"Threshold, {frame.plain(name)}"
            thresholds[name] = st.slider(title, low, high + step, start, step, key=key)
        chosen = thresholds if by_group else dict.fromkeys(names, thresholds["all groups"])
        metrics, rows = table.at(chosen), rows_of(analysis)
        affected.show(names, rows.at(start), rows.at(chosen), f"a threshold of {start:g} for all")
    with right:
        _roc_chart(_roc(analysis.key, table), metrics, names)
    _counts(names, rows.at(chosen), metrics)


def _counts(names: list[str], rows: GroupMetrics, metrics: GroupMetrics) -> None:
    counts = rows.counts
    rates = metrics.by_group
    table = pd.DataFrame(
        {
            "Group": names,
            "Rows": rates["count"].to_list(),
            "Selected": (counts["false_positives"] + counts["true_positives"]).to_list(),
            "Rightly selected": counts["true_positives"].to_list(),
            "Wrongly selected": counts["false_positives"].to_list(),
            "Wrongly turned away": counts["false_negatives"].to_list(),
            **{f"{RATES[name].title} (%)": 100 * rates[name].to_numpy() for name in _RATES},
        }
    )
    whole = st.column_config.NumberColumn(format="localized")
    percent = {name: st.column_config.NumberColumn(format="%.1f") for name in table.columns[6:]}
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(table) <= 12 else 440,
        column_config=dict.fromkeys(table.columns[1:6], whole) | percent,
        alt="Counts and rates by group at these thresholds",
    )


def _roc_chart(curves: pd.DataFrame, metrics: GroupMetrics, names: list[str]) -> None:
    """Draw the ROC curve of each group with its operating point."""
    drawn = list(dict.fromkeys(curves["group"]))[:_SLIDERS]
    if not drawn:
        st.caption("No group has rows of both labels, so there is no ROC curve.")
        return
    rates = metrics.by_group
    points = pd.DataFrame(
        {
            "group": names,
            "false_positive_rate": rates["false_positive_rate"].to_numpy(),
            "true_positive_rate": rates["true_positive_rate"].to_numpy(),
        }
    ).query("group in @drawn")
    scale = alt.Scale(domain=[0, 1])
    color = alt.Color(
        "group:N",
        scale=alt.Scale(domain=drawn, range=theme.categorical()),
        legend=alt.Legend(title=None, orient="bottom", labelLimit=180),
    )
    x = alt.X("false_positive_rate:Q", title=RATES["false_positive_rate"].title, scale=scale)
    y = alt.Y("true_positive_rate:Q", title=RATES["true_positive_rate"].title, scale=scale)
    lines = (
        alt.Chart(curves[curves["group"].isin(drawn)])
        .mark_line(strokeWidth=2)
        .encode(x=x, y=y, color=color, order="false_positive_rate:Q")
    )
    dots = (
        alt.Chart(points)
        .mark_point(filled=True, size=140, opacity=1)
        .encode(
            x=x,
            y=y,
            color=color,
            tooltip=[
                "group:N",
                alt.Tooltip("false_positive_rate:Q", format=".1%"),
                alt.Tooltip("true_positive_rate:Q", format=".1%"),
            ],
        )
    )
    heading = "Each group on its ROC curve"
    values = ", ".join(f"{row.group} {row.true_positive_rate:.2f}" for row in points.itertuples())
    st.altair_chart(
        (lines + dots).properties(height=HEIGHT, title=heading), alt=f"{heading}, true positive rates: {values}"
    )
