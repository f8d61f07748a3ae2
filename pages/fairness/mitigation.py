"""Models trained to be fairer, beside the search's own, on the same test rows."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from core import jobs
from core.catalog import Run, RunState
from core.fairness import TECHNIQUES, MitigationSettings
from core.tasks import mitigate
from pages._ui import artifacts, frame, run_view, theme
from pages.fairness.evidence import Evidence
from pages.fairness.overview import METRICS

__all__ = ["latest_table", "show"]

_CONSTRAINTS = {
    "demographic_parity": "Demographic parity",
    "true_positive_rate_parity": "Equal opportunity",
    "false_positive_rate_parity": "False positive rate parity",
    "equalized_odds": "Equalized odds",
}
_NAMES = {"unmitigated": "As the search left it"} | TECHNIQUES


def show(evidence: Evidence) -> None:
    """Draw the form and the newest comparison."""
    run = evidence.run
    if run is None or evidence.positive is None or run.task != "automl":
        st.info("Training again needs a search with a target of two classes.", icon=":material/model_training:")
        return
    st.caption(
        "The search's winner is trained again with each technique, on the same rows and features, "
        "and tested on the same rows."
    )
    _form(evidence, run)
    newest = mitigate.latest(run)
    if newest is None:
        return
    current = run_view.show_run(newest.id)
    if current.state is RunState.SUCCEEDED:
        _result(artifacts.json_of(newest, "mitigation.json"))


def _form(evidence: Evidence, run: Run) -> None:
    with st.form("fairness-mitigation", border=False):
        first, second, third = st.columns([2, 3, 1], gap="medium")
        constraint = first.selectbox(
            "Make equal", list(_CONSTRAINTS), format_func=_CONSTRAINTS.__getitem__, key="fairness-mitigation-constraint"
        )
        chosen = second.multiselect(
            "Techniques",
            list(TECHNIQUES),
            list(TECHNIQUES),
            format_func=TECHNIQUES.__getitem__,
            key="fairness-mitigation-techniques",
        )
        bound = third.number_input(
            "Allowed (points)",
            0.1,
            50.0,
            2.0,
            key="fairness-mitigation-bound",
            help="The difference that exponentiated gradient and grid search allow.",
        )
        if st.form_submit_button(
            "Train and compare", type="primary", icon=":material/play_arrow:", key="fairness-mitigate"
        ):
            settings = MitigationSettings(
                sensitive_columns=evidence.sensitive,
                constraint=constraint,
                techniques=tuple(chosen),
                difference_bound=bound / 100,
                min_group_size=evidence.min_rows,
            )
            mitigate.submit(run, settings)
            st.rerun()


def latest_table(run: Run | None) -> pd.DataFrame | None:
    """Return the newest finished comparison of a search, if there is one."""
    newest = None if run is None else mitigate.latest(run)
    if newest is None or jobs.get(newest.id, workspace=frame.workspace()).state is not RunState.SUCCEEDED:
        return None
    found = artifacts.json_of(newest, "mitigation.json")
    return pd.DataFrame(found["table"])


def _result(found: dict[str, Any]) -> None:
    table = pd.DataFrame(found["table"])
    done = table[table["accuracy"].notna()] if "accuracy" in table else table.iloc[:0]
    if done.empty:
        st.info("No technique gave a model.", icon=":material/error:")
        return
    columns, rows = ", ".join(found["settings"]["sensitive_columns"]), found["rows"]["test"]
    st.markdown(f"**{_finding(done)}** {frame.plain(f'By {columns}, on {rows:,} test rows.')}")
    _chart(done)
    shown = pd.DataFrame({"Technique": table["technique"].map(_NAMES)})
    for name, title in (
        ("accuracy", "Accuracy"),
        ("balanced_accuracy", "Balanced accuracy"),
        ("disparity", "Difference"),
    ):
        shown[f"{title} (%)"] = 100 * table[name]
        shown[f"{title}, 95 %"] = [_interval(row, name) for row in table.to_dict(orient="records")]
    shown["In"] = table["metric"].map(METRICS)
    shown["Lowest"], shown["Highest"] = table.get("lowest_group"), table.get("highest_group")
    shown["Training (s)"] = table["seconds"]
    if "message" in table:
        shown["Note"] = table["message"].fillna("")
    percent = {name: st.column_config.NumberColumn(format="%.1f") for name in shown.columns if name.endswith("(%)")}
    st.dataframe(
        shown,
        hide_index=True,
        column_config=percent | {"Training (s)": st.column_config.NumberColumn(format="%.1f")},
        alt="Techniques compared",
    )


def _finding(table: pd.DataFrame) -> str:
    own = table.iloc[0]
    best = table.sort_values("disparity").iloc[0]
    if best["technique"] == own["technique"]:
        return "No technique made the difference smaller."
    change = 100 * (best["accuracy"] - own["accuracy"])
    return (
        f"{_NAMES[best['technique']]} brings the difference from {100 * own['disparity']:.1f} to "
        f"{100 * best['disparity']:.1f} points; accuracy changes by {change:+.1f} points."
    )


def _interval(row: dict[str, Any], name: str) -> str:
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    return "" if low is None or high is None or pd.isna(low) else f"[{100 * low:.1f}, {100 * high:.1f}]"


def _chart(table: pd.DataFrame) -> None:
    """Draw accuracy against difference, both with their intervals."""
    # Where groups are too small for an interval, the columns of its ends are missing.
    points = table.reindex(
        columns=[
            "technique",
            "accuracy",
            "accuracy_low",
            "accuracy_high",
            "disparity",
            "disparity_low",
            "disparity_high",
        ]
    )
    points[points.columns[1:]] = 100 * points[points.columns[1:]].astype(float)
    points["technique"] = points["technique"].map(_NAMES)
    color = alt.Color(
        "technique:N",
        scale=alt.Scale(domain=list(_NAMES.values()), range=theme.categorical()),
        legend=alt.Legend(title=None, orient="bottom", columns=3),
    )
    x = alt.X("disparity:Q", title="Difference between groups (points)")
    y = alt.Y("accuracy:Q", title="Accuracy (%)", scale=alt.Scale(zero=False, padding=10))
    base = alt.Chart(points)
    across = base.mark_rule(opacity=0.45).encode(x="disparity_low:Q", x2="disparity_high:Q", y=y, color=color)
    up = base.mark_rule(opacity=0.45).encode(x=x, y="accuracy_low:Q", y2="accuracy_high:Q", color=color)
    dots = base.mark_point(filled=True, size=130, opacity=1).encode(
        x=x,
        y=y,
        color=color,
        tooltip=["technique:N", alt.Tooltip("accuracy:Q", format=".1f"), alt.Tooltip("disparity:Q", format=".1f")],
    )
    heading = "Left is fairer, up is more accurate"
    st.altair_chart((across + up + dots).properties(height=320, title=heading), alt=heading)
