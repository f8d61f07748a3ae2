"""Two searches compared on the test rows of both, and two trials of this search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from core import policies
from core.automl import (
    METRICS,
    PREDICTIONS_FILE,
    Comparison,
    Metric,
    compare_tables,
    compare_trials,
    kept_trials,
    learner_title,
    load_predictions,
)
from core.catalog import Run, RunState, runs
from core.storage import get_store
from pages._ui import artifacts, charts, cohort_rows, distinct, frame, lookups, numbers

__all__ = ["show"]

_DECIDE_TEST = ("target", "seed", "test_fraction", "time_column", "group_column", "weight_column")


@st.cache_data(max_entries=20, show_spinner=False)
def _compare(first: str, other: str, target: str, task: str, metric: str, row_ids: np.ndarray | None) -> dict[str, Any]:
    own, theirs = (artifacts.predictions(digest).frame for digest in (first, other))
    if row_ids is not None:
        own, theirs = (part[np.isin(part["row_id"].to_numpy(), row_ids)] for part in (own, theirs))
    return _plain(compare_tables(own, theirs, target=target, task=task, metric=metric), metric)


@st.cache_data(max_entries=20, show_spinner=False)
def _numbers(digest: str) -> list[int]:
    return kept_trials(get_store().local_path(digest))


@st.cache_data(max_entries=20, show_spinner=False)
def _compare_trials(kept: str, oof: str, first: int, other: int, target: str, task: str, metric: str) -> dict[str, Any]:
    rows = artifacts.predictions(oof)
    predictions = load_predictions(get_store().local_path(kept), (first, other))
    compared = compare_trials(
        predictions, rows.frame, first, other, target=target, task=task, metric=metric, positions=rows.positions
    )
    return _plain(compared, metric)


def _plain(comparison: Comparison, metric: str) -> dict[str, Any]:
    return {
        "metrics": {name: item[metric].to_dict() for name, item in comparison.metrics.items()},
        "gain": comparison.gains["other"].to_dict(),
        "groups": comparison.groups,
    }


def show(run: Run, record: Mapping[str, Any]) -> None:
    """Draw both comparisons: with another search, and of two trials of this one."""
    _search(run, record)
    _trials(run, record)


def _search(run: Run, record: Mapping[str, Any]) -> None:
    """Draw the choice of another search with the same test rows, and the difference with its interval."""
    target = record["settings"]["target"]
    searches = runs.find(task="automl", dataset_id=run.dataset_id, states=[RunState.SUCCEEDED], access=frame.access())
    others = {
        search.id: search for search in searches if search.id != run.id and _same_test(search, run, record["task"])
    }
    if not others:
        st.caption(
            "Another search of this table can be compared with this one here if it has the same target, seed, test "
            "share, and time or group column, because its test rows are then the same."
        )
        return
    labels = distinct.labels({search.id: _label(search) for search in others.values()})
    chosen = st.selectbox(
        "Compare with",
        [None, *others],
        format_func=lambda item: "Nothing" if item is None else labels[item],
        key="automl-versus",
    )
    if chosen is None:
        return
    own, theirs = (artifacts.digests(run_id)["test.parquet"] for run_id in (run, others[chosen]))
    name = _metric(record, "automl-versus-metric")
    choice = cohort_rows.choose(run, lookups.existing_dataset(run.dataset_id), key="automl-versus-cohort")
    if not choice.enough:
        return
    if choice.cohort is not None:
        policies.note_read(others[chosen], {"cohort": choice.cohort.to_dict()}, access=frame.access())
    with frame.errors_shown():
        compared = _compare(own, theirs, target, record["task"], name, choice.row_ids)
        _difference(compared, METRICS[name], "This model", "The other", frame.plain(choice.text))
        if note := artifacts.sample_note(artifacts.predictions(own), "test rows"):
            st.caption(note)


def _label(run: Run) -> str:
    return f"{numbers.when(run.created_at):%d %b, %H:%M}: {(run.result or {}).get('verdict', '')}"


def _metric(record: Mapping[str, Any], key: str) -> str:
    names = [record["metric"], *(name for name in record["test_metrics"] if name != record["metric"])]
    return str(st.selectbox("Metric", names, format_func=lambda item: METRICS[item].title, key=key, width=240))


def _trials(run: Run, record: Mapping[str, Any]) -> None:
    """Draw the choice of two trials whose out-of-fold predictions were kept, and the difference."""
    files = artifacts.digests(run)
    if PREDICTIONS_FILE not in files or "oof.parquet" not in files:
        return
    learners = {trial["trial"]: learner_title(trial["learner"]) for trial in record["trials"]}
    kept = [number for number in _numbers(files[PREDICTIONS_FILE]) if number in learners]
    if len(kept) < 2:
        return
    best = [row["trial"] for row in record["leaderboard"] if row["trial"] in kept]
    st.markdown("**Compare two trials**")
    with st.container(horizontal=True):
        first, other = (
            st.selectbox(
                label,
                [None, *best],
                format_func=lambda number: "None" if number is None else f"{learners[number]} {number:.0f}",
                key=f"automl-trial-{key}",
                width=240,
            )
            for label, key in (("Trial", "first"), ("Compare with", "other"))
        )
        name = _metric(record, "automl-trials-metric")
    if first is None or other is None or first == other:
        st.caption("Choose two trials of the leaderboard. The predictions of the best ones were kept.")
        return
    first, other = int(first), int(other)
    with frame.errors_shown():
        predictions, oof = files[PREDICTIONS_FILE], files["oof.parquet"]
        compared = _compare_trials(predictions, oof, first, other, record["settings"]["target"], record["task"], name)
        _difference(
            compared,
            METRICS[name],
            f"{learners[first]} {first}",
            f"{learners[other]} {other}",
            "training rows, each predicted by folds without it",
        )
        note = artifacts.sample_note(artifacts.predictions(oof), "training rows")
        st.caption(
            f"The search chose by these rows, so its best trials look slightly better here than they are. {note}"
        )


def _same_test(other: Run, run: Run, task: str) -> bool:
    """Return whether, by its settings, another search held out the same rows and predicts the same target."""
    same = all(other.settings.get(name) == run.settings.get(name) for name in _DECIDE_TEST)
    return same and (other.settings.get("task") in (run.settings.get("task"), "auto", task))


def _difference(compared: Mapping[str, Any], metric: Metric, first: str, other: str, rows: str) -> None:
    gain = compared["gain"]
    if compared["groups"]:
        rows = f"{rows} in {compared['groups']:,} groups"
    value = f"{gain['value'] + 0.0:+.4f} {numbers.interval(gain['low'], gain['high'])}"
    if gain["low"] is None or not (gain["low"] > 0 or gain["high"] < 0):
        st.markdown(f"**No significant difference** on {gain['n']:,} {rows}: {metric.title} {value}.")
    else:
        word = "better" if gain["value"] > 0 else "worse"
        st.markdown(f"**{frame.plain(first)} is {word}** on {gain['n']:,} {rows}: {metric.title} {value}.")
    charts.intervals({first: compared["metrics"]["first"], other: compared["metrics"]["other"]}, metric.title)
