"""The Compare tab: how two models treat the groups on the rows that both held out."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core import policies
from core.catalog import Run, RunState, runs
from core.charts import fitted
from core.evaluation import groups_in
from core.fairness import DEFINITIONS, GapComparison, compare_gaps, label_text, metric_record
from core.models import TABLE_TASKS, TEXT_TASKS
from pages._ui import address, artifacts, distinct, frame, numbers, theme
from pages.fairness.analysis import Analysis

__all__ = ["show"]

_MIN_ROWS = 30
_NUMBER_METRICS = ("mean_error", "mae")
_MODELS = ("This model", "The other model")
_TASKS = (*TABLE_TASKS, *TEXT_TASKS)


def show(analysis: Analysis, definition: str) -> None:
    """Draw the choice of another model of the same table, and how both treat the groups."""
    run = analysis.run
    if run is None:
        st.info("Choose a model above: two models are compared on rows that both held out.", icon=":material/compare:")
        return
    others = _others(run)
    if not others:
        st.caption(
            "Another search or training on this table, with the same target, can be compared with this model here."
        )
        return
    chosen = _choose(others)
    if chosen is None:
        return
    other = others[chosen]
    rows = _shared_rows(analysis, run, other)
    if len(rows) < _MIN_ROWS:
        st.caption(
            f"Both models held out {len(rows):,} common rows, and at least {_MIN_ROWS} are needed to compare them."
        )
        return
    for model, with_model in ((run, other), (other, run)):
        policies.note_read(model, {"compared_with": with_model.id}, access=frame.access())
    metrics = _NUMBER_METRICS if analysis.positive is None else DEFINITIONS[definition].metrics
    with frame.errors_shown():
        comparison = _compare(analysis.key, other.id, metrics, analysis.min_group_size, analysis, other)
        st.subheader(frame.plain(comparison.describe("this model", "the other model")))
        _caption(analysis, other, comparison)
        for metric in metrics:
            _chart(comparison.groups[comparison.groups["metric"] == metric], metric)
        _groups(comparison)
        _pairs(comparison)


def _target(run: Run, record: Mapping[str, object]) -> str:
    settings = record["settings"]
    assert isinstance(settings, Mapping)
    return str(settings["label_column" if run.task == "finetune" else "target"])


def _others(run: Run) -> dict[str, Run]:
    """Return the other models of the same table that predict the same column and held out rows, by id."""
    record = artifacts.json_of(run, "result.json")
    candidates = [
        other
        for task in _TASKS
        for other in runs.find(task=task, dataset_id=run.dataset_id, states=[RunState.SUCCEEDED], access=frame.access())
        if other.id != run.id and "test.parquet" in artifacts.digests(other)
    ]
    same = {}
    for other in sorted(candidates, key=lambda other: -other.created_at):
        theirs = artifacts.json_of(other, "result.json")
        labels = [sorted(map(str, side["labels"] or ())) for side in (record, theirs)]
        if _target(other, theirs) == _target(run, record) and labels[0] == labels[1]:
            same[other.id] = other
    return same


def _choose(others: Mapping[str, Run]) -> str | None:
    names = {key: f"{numbers.when(other.created_at):%d %b, %H:%M}: {other.title}" for key, other in others.items()}
    labels = distinct.labels(names)
    widget = "fairness-compare-with"
    shown = address.restore_optional("with", list(others), None, widget)
    chosen = st.selectbox(
        "Compare with",
        list(others),
        index=None,
        placeholder="Another model of this table",
        format_func=labels.__getitem__,
        key=widget,
    )
    address.keep("with", chosen, shown, widget)
    return chosen


def _shared_rows(analysis: Analysis, run: Run, other: Run) -> np.ndarray:
    theirs = artifacts.predictions_of(other, "test.parquet").frame["row_id"].to_numpy()
    return np.intersect1d(analysis.test.groups.index.to_numpy(), theirs)


@st.cache_resource(max_entries=8, show_spinner="Comparing the models")
def _compare(
    key: str, other_id: str, metrics: tuple[str, ...], min_group_size: int, _analysis: Analysis, _other: Run
) -> GapComparison:
    assert _analysis.run is not None
    own, test = _analysis.test, artifacts.predictions_of(_other, "test.parquet").frame.set_index("row_id")
    rows = _shared_rows(_analysis, _analysis.run, _other)
    inside = np.isin(own.groups.index.to_numpy(), rows)
    predicted = test.loc[own.groups.index[inside], "prediction"]
    second = predicted.to_numpy(float) if _analysis.positive is None else (predicted.astype(str) == _analysis.positive)
    stored = artifacts.predictions_of(_analysis.run, "test.parquet").frame
    target = _target(_analysis.run, artifacts.json_of(_analysis.run, "result.json"))
    units = groups_in(stored, target)
    if units is not None:
        units = pd.Series(units, index=stored["row_id"]).loc[own.groups.index[inside]].to_numpy()
    return compare_gaps(
        own.truth[inside],
        own.predicted[inside],
        np.asarray(second),
        own.groups[inside],
        metrics=metrics,
        task="regression" if _analysis.positive is None else "classification",
        sample_weight=None if own.weight is None else own.weight[inside],
        units=units,
        min_group_size=min_group_size,
    )


def _caption(analysis: Analysis, other: Run, comparison: GapComparison) -> None:
    own, stored = len(analysis.test.truth), artifacts.predictions_of(other, "test.parquet")
    theirs = stored.total
    rows = f"the {comparison.rows:,} test rows of both models"
    if not stored.complete:
        rows = f"{comparison.rows:,} rows, which both held out, of a random sample of their test rows"
    elif not comparison.rows == own == theirs:
        rows = f"the {comparison.rows:,} rows that both held out, of {own:,} test rows here and {theirs:,} there"
    selected = f"; selected means {frame.plain(analysis.positive)}" if analysis.positive is not None else ""
    left_out = f" The {comparison.left_out:,} smallest groups are not compared." if comparison.left_out else ""
    st.caption(
        f"On {rows}{selected}. The intervals of the differences are from a paired bootstrap and hold together with "
        f"{comparison.confidence:.0%} confidence.{left_out} This comparison counts as a use of the test rows."
    )


def _scale(metric: str) -> tuple[float, str]:
    return (100.0, " (%)") if metric_record(metric).unit == "share" else (1.0, "")


def _chart(table: pd.DataFrame, metric: str) -> None:
    """Draw both models' values of each group with their intervals."""
    scale, unit = _scale(metric)
    parts = []
    for name, title in zip(("first", "second"), _MODELS, strict=True):
        part = pd.DataFrame(
            {
                "group": table["group"].map(label_text),
                "model": title,
                "value": scale * table[name],
                "low": scale * table[f"{name}_low"],
                "high": scale * table[f"{name}_high"],
                "n": table["n"],
            }
        )
        parts.append(part[part["value"].notna()])
    shown = pd.concat(parts)
    if shown.empty:
        return
    color = alt.Color(
        "model:N",
        scale=alt.Scale(domain=list(_MODELS), range=theme.categorical()),
        legend=alt.Legend(title=None, orient="bottom"),
    )
    base = alt.Chart(shown).encode(
        y=alt.Y("group:N", title=None, axis=alt.Axis(labelLimit=180)),
        yOffset=alt.YOffset("model:N", sort=list(_MODELS)),
        color=color,
    )
    x = alt.X("low:Q", title=metric_record(metric).title + unit, scale=alt.Scale(zero=False, padding=12))
    values = [alt.Tooltip(f"{name}:Q", format=",.4g") for name in ("value", "low", "high")]
    dots = base.mark_point(filled=True, size=80, opacity=1).encode(
        x="value:Q", tooltip=["group:N", "model:N", *values, alt.Tooltip("n:Q", format=",", title="rows")]
    )
    heading = f"{metric_record(metric).title} by group and model, with 95% intervals"
    said = ", ".join(f"{row.group} {row.model.lower()} {row.value:.3g}" for row in shown.itertuples())
    chart = (base.mark_rule(strokeWidth=3).encode(x=x, x2="high:Q") + dots).properties(
        height=alt.Step(18), title=fitted(heading)
    )
    st.altair_chart(chart, alt=f"{heading}: {said}")


def _groups(comparison: GapComparison) -> None:
    lines = []
    for row in comparison.groups.to_dict(orient="records"):
        scale, unit = _scale(row["metric"])
        line = {
            "Group": label_text(row["group"]),
            "Metric": metric_record(row["metric"]).title + unit,
            "Rows": row["n"],
        }
        for name, title in zip(("first", "second"), _MODELS, strict=True):
            value, low, high = (scale * row[part] for part in (name, f"{name}_low", f"{name}_high"))
            line[title] = (
                f"{numbers.estimate(value, low, high)} {numbers.interval(low, high)}" if value == value else "–"
            )
        if comparison.groups["small"].any():
            line["Few rows"] = "yes" if row["small"] else ""
        lines.append(line)
    st.dataframe(pd.DataFrame(lines), hide_index=True, alt="Groups under both models")


def _pairs(comparison: GapComparison) -> None:
    if comparison.pairs.empty:
        return
    lines = []
    for row in comparison.pairs.to_dict(orient="records"):
        scale, _ = _scale(row["metric"])
        own, theirs, change, low, high = (
            scale * row[name] for name in ("first", "second", "difference", "low", "high")
        )
        lines.append(
            {
                "Groups": f"{label_text(row['group'])} and {label_text(row['other'])}",
                "Metric": metric_record(row["metric"]).title,
                "Gap, this model": numbers.estimate(abs(own), low, high),
                "Gap, the other": numbers.estimate(abs(theirs), low, high),
                "Difference": f"{numbers.estimate(change, low, high)} {numbers.interval(low, high)}",
                "Smaller gap": "cannot tell"
                if not (row["low"] > 0 or row["high"] < 0)
                else _MODELS[0 if row["low"] > 0 else 1],
            }
        )
    st.markdown("**Gaps between groups** (points, where a rate is compared)")
    st.dataframe(pd.DataFrame(lines), hide_index=True, alt="Gaps between groups under both models")
