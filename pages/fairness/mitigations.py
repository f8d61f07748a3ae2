"""The Mitigations tab: models trained to be fairer, compared with the search's own on the same test rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core import jobs
from core.catalog import Run, RunState
from core.fairness import (
    CONSTRAINTS,
    RATES,
    TECHNIQUES,
    UNMITIGATED,
    MitigationSettings,
    describe_techniques,
    group_metrics,
    metric_record,
    technique_title,
)
from core.tasks import mitigate
from pages._ui import artifacts, frame, run_view, theme
from pages.fairness.analysis import Analysis, Predictions

__all__ = ["latest_table", "show"]

_ESTIMATES = {"accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy", "disparity": "Difference"}


def show(analysis: Analysis) -> None:
    """Draw the form and the newest comparison."""
    run = analysis.run
    if run is None or analysis.positive is None or run.task != "automl":
        st.info("Training again needs a search with a target of two classes.", icon=":material/model_training:")
        return
    st.caption(
        "The search's winner is trained again with each technique, on the same rows and features, "
        "and tested on the same rows."
        + (f" Rows count by their weight in {frame.plain(analysis.weight)}." if analysis.weight else "")
    )
    _form(analysis, run)
    newest = mitigate.latest(run, access=frame.access())
    if newest is None:
        return
    current = run_view.show_run(newest.id)
    if current.state is RunState.SUCCEEDED:
        _result(artifacts.json_of(newest, "mitigation.json"))


def _form(analysis: Analysis, run: Run) -> None:
    known = {name: record for name, record in TECHNIQUES.items() if record.takes_weights or analysis.weight is None}
    if len(known) < len(TECHNIQUES):
        others = " and ".join(record.title for name, record in TECHNIQUES.items() if name not in known)
        st.caption(f"{others} take no weights of rows and are not offered.")
    constraints = [name for name, record in CONSTRAINTS.items() if record.fairlearn_moment is not None]
    first, second, third = st.columns([2, 3, 1], gap="medium")
    constraint = first.selectbox(
        "Fairness constraint",
        constraints,
        format_func=lambda name: CONSTRAINTS[name].title,
        key="fairness-mitigation-constraint",
    )
    techniques = second.multiselect(
        "Techniques",
        list(known),
        list(known),
        format_func=technique_title,
        help="\n".join(f"- {record.title}: {record.help}" for record in known.values()),
        key="fairness-mitigation-techniques",
    )
    bound = third.number_input(
        "Allowed difference (points)",
        0.1,
        50.0,
        100 * MitigationSettings.model_fields["difference_bound"].default,
        key="fairness-mitigation-bound",
        help="The difference that exponentiated gradient and grid search allow in training.",
    )
    worthwhile = _say_gain(analysis, constraint, bound / 100, techniques)
    if st.button(
        "Train and compare" if worthwhile else "Train and compare anyway",
        type="primary" if worthwhile else "secondary",
        icon=":material/play_arrow:",
        key="fairness-mitigate",
    ):
        settings = MitigationSettings(
            sensitive_columns=analysis.sensitive,
            constraint=constraint,
            techniques=tuple(techniques),
            difference_bound=bound / 100,
            min_group_size=analysis.min_group_size,
        )
        mitigate.submit(run, settings, access=frame.access())
        st.rerun()


@st.cache_data(max_entries=16, show_spinner=False)
def _training_gap(key: str, min_group_size: int, constraint: str, _rows: Predictions) -> float:
    """Return the largest difference of the constrained rates on the rows that a technique would train on."""
    names = CONSTRAINTS[constraint].rates
    metrics = group_metrics(
        _rows.truth,
        _rows.predicted,
        _rows.groups,
        metrics=names,
        min_group_size=min_group_size,
        sample_weight=_rows.weight,
        pos_label=True,
    )
    gaps = metrics.difference()
    return float(max(gaps[name] for name in names))


def _say_gain(analysis: Analysis, constraint: str, bound: float, techniques: Sequence[str]) -> bool:
    """Say what predictions that exist tell about a gain; return False where they leave none to the techniques.

    They tell it of techniques that train until the constraint holds. Those that change the rows or their weights do so
    whatever the difference is, so nothing is said of them.
    """
    if analysis.calibration is None:
        return True
    gap = _training_gap(analysis.key, analysis.min_group_size, constraint, analysis.calibration)
    rows = f"On {len(analysis.calibration.truth):,} out-of-fold predictions of the training rows"
    if np.isnan(gap):
        st.info(f"{rows} no two groups have enough rows to be compared.", icon=":material/group_off:")
        return False
    phrase = " or ".join(RATES[name].phrase for name in CONSTRAINTS[constraint].rates)
    sentence = f"{rows} the largest difference in {phrase} is {100 * gap:.1f} points"
    constrained = [name for name in techniques if TECHNIQUES[name].constrained]
    if not constrained:
        st.caption(f"{sentence}.")
        return True
    if gap > bound:
        st.caption(f"{sentence}; {100 * bound:g} are allowed.")
        return True
    others = [name for name in techniques if name not in constrained]
    have = "have" if len(constrained) > 1 else "has"
    st.info(
        f"{sentence}, within the {100 * bound:g} points that are allowed: on these predictions "
        f"{_titles(constrained)} {have} no difference left to reduce."
        + (f" They do not tell what {_titles(others)} would change." if others else ""),
        icon=":material/check_circle:",
    )
    return bool(others)


def _titles(techniques: Sequence[str]) -> str:
    """Return titles of techniques as part of a sentence."""
    return " and ".join(TECHNIQUES[name].title.lower() for name in techniques)


def latest_table(run: Run | None) -> pd.DataFrame | None:
    """Return the newest finished comparison of a search, if there is one."""
    newest = None if run is None else mitigate.latest(run, access=frame.access())
    if newest is None or jobs.get(newest.id, access=frame.access()).state is not RunState.SUCCEEDED:
        return None
    return pd.DataFrame(artifacts.json_of(newest, "mitigation.json")["table"])


def _result(result: dict[str, Any]) -> None:
    table = pd.DataFrame(result["table"])
    finished = table[table["accuracy"].notna()] if "accuracy" in table else table.iloc[:0]
    if finished.empty:
        st.info("No technique made a model.", icon=":material/error:")
        return
    columns, rows = ", ".join(result["settings"]["sensitive_columns"]), result["rows"]["test"]
    best = describe_techniques(finished, result["settings"]["difference_bound"])
    st.markdown(f"**{best}** {frame.plain(f'By {columns}, on {rows:,} test rows.')}")
    _chart(finished)
    shown = pd.DataFrame({"Technique": table["technique"].map(technique_title)})
    for name, title in _ESTIMATES.items():
        shown[f"{title} (%)"] = 100 * table[name]
        shown[f"{title}, 95% interval"] = [_interval(row, name) for row in table.to_dict(orient="records")]
    shown["Rate"] = [None if pd.isna(name) else metric_record(name).title for name in table["metric"]]
    shown["Lowest"], shown["Highest"] = table.get("lowest_group"), table.get("highest_group")
    shown["Training (s)"] = table["seconds"]
    if "message" in table:
        shown["Note"] = table["message"].fillna("")
    numeric = [name for name in shown.columns if name.endswith(("(%)", "(s)"))]
    st.dataframe(
        shown,
        hide_index=True,
        column_config={name: st.column_config.NumberColumn(format="%.1f") for name in numeric},
        alt="Techniques compared",
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
    points["technique"] = points["technique"].map(technique_title)
    color = alt.Color(
        "technique:N",
        scale=alt.Scale(
            domain=[technique_title(name) for name in (UNMITIGATED.name, *TECHNIQUES)], range=theme.categorical()
        ),
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
