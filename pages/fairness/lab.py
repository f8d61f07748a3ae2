"""The threshold lab: sliders, what they change for whom, and the best rule under a constraint."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from core.fairness import GroupMetrics, ScoreTable, score_table
from pages._ui import frame, theme
from pages._ui.charts import HEIGHT
from pages.fairness import changes, optimiser
from pages.fairness.evidence import Evidence

__all__ = ["show", "table_of"]

_WHERE = {"automl": "out-of-fold predictions of the training rows", "finetune": "the validation texts"}
_SLIDERS = 8
_STEPS = 200


@st.cache_resource(max_entries=4, show_spinner=False)
def _table(key: str, least: int, _evidence: Evidence) -> ScoreTable:
    side = _evidence.fit
    assert side is not None
    return score_table(side.truth, side.score, side.groups, min_group_size=least)


def table_of(evidence: Evidence) -> ScoreTable:
    """Return the scores that thresholds are found on, sorted once."""
    return _table(evidence.key, evidence.min_rows, evidence)


@st.cache_data(max_entries=8, show_spinner=False)
def _roc(key: str, _table: ScoreTable) -> pd.DataFrame:
    return _table.roc(points=120)


def show(evidence: Evidence) -> None:
    """Draw the lab."""
    if evidence.fit is None:
        what = "a score column" if evidence.positive is not None else "decisions; these predictions are numbers"
        st.info(f"Thresholds need {what}.", icon=":material/tune:")
        return
    where = _WHERE.get(evidence.run.task if evidence.run else "", "half of the rows, drawn at random")
    st.caption(
        f"Everything here is on {len(evidence.fit.truth):,} calibration rows ({where}), "
        "so that the test rows stay unseen."
    )
    st.fragment(frame.guarded(_sliders))(evidence)
    optimiser.show(evidence, table_of(evidence))


def _sliders(evidence: Evidence) -> None:
    table = table_of(evidence)
    names = table.texts
    low, high = table.range
    if low == high:
        st.info(f"All scores are {low:g}: no threshold tells rows apart.", icon=":material/tune:")
        return
    start, step = changes.start(table), (high - low) / _STEPS
    left, right = st.columns([2, 3], gap="medium")
    with left:
        each = len(names) <= _SLIDERS and st.toggle("A threshold for each group", key="fairness-per-group")
        if len(names) > _SLIDERS:
            st.caption(f"{len(names):,} groups: one slider moves all. The optimiser below sets each.")
        thresholds: dict[str, float] = {}
        chosen = names if each else ["all groups"]
        for name in chosen:
            thresholds[name] = st.slider(
                f"Threshold, {name}", low, high + step, start, step, key=f"fairness-cut-{evidence.key}-{name}"
            )
        given = thresholds if each else dict.fromkeys(names, thresholds["all groups"])
        now = table.at(given)
        changes.show(names, table.at(start), now, f"a threshold of {start:g} for all")
    with right:
        _roc_chart(_roc(evidence.key, table), now, names)
    _counts(names, now)


def _counts(names: list[str], now: GroupMetrics) -> None:
    counts = now.counts
    rates = now.by_group
    table = pd.DataFrame(
        {
            "Group": names,
            "Rows": rates["count"].to_list(),
            "Selected": (counts["false_positives"] + counts["true_positives"]).to_list(),
            "Rightly": counts["true_positives"].to_list(),
            "Wrongly": counts["false_positives"].to_list(),
            "Wrongly turned away": counts["false_negatives"].to_list(),
            "Selection rate": 100 * rates["selection_rate"].to_numpy(),
            "True positive rate": 100 * rates["true_positive_rate"].to_numpy(),
            "False positive rate": 100 * rates["false_positive_rate"].to_numpy(),
            "Precision": 100 * rates["precision"].to_numpy(),
        }
    )
    whole = st.column_config.NumberColumn(format="localized")
    share = {name: st.column_config.NumberColumn(f"{name} (%)", format="%.1f") for name in table.columns[6:]}
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(table) <= 12 else 440,
        column_config=dict.fromkeys(table.columns[1:6], whole) | share,
        alt="Counts and rates by group at these thresholds",
    )


def _roc_chart(curves: pd.DataFrame, now: GroupMetrics, names: list[str]) -> None:
    """Draw the ROC curve of each group with the point it works at."""
    drawn = list(dict.fromkeys(curves["group"]))[:_SLIDERS]
    if not drawn:
        st.caption("No group has rows of both labels, so there is no ROC curve.")
        return
    rates = now.by_group
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
    x = alt.X("false_positive_rate:Q", title="False positive rate", scale=scale)
    y = alt.Y("true_positive_rate:Q", title="True positive rate", scale=scale)
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
    heading = "Where each group is on its ROC curve"
    told = ", ".join(f"{row.group} {row.true_positive_rate:.2f}" for row in points.itertuples())
    st.altair_chart(
        (lines + dots).properties(height=HEIGHT, title=heading), alt=f"{heading}, true positive rates: {told}"
    )
