"""Why the model predicts what it does: importance, SHAP values, groups, single columns and interactions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.automl import METRICS
from core.catalog import Run, RunState
from core.explain import SHAP_FILE, SUMMARY_FILE, Explanation
from core.fairness import as_groups
from core.storage import get_store
from core.tasks import explain as task
from pages._ui import (
    address,
    artifacts,
    cohort_rows,
    dependence_chart,
    explain_charts,
    frame,
    lookups,
    numbers,
    run_view,
)

__all__ = ["explanation", "show"]

_SPACES = {
    "log-odds": "log-odds",
    "margin": "the score before the softmax",
    "probability": "probability",
    "prediction": "the prediction itself",
}
_UNPACKED = 4  # what a byte of the files takes in memory
_BUDGETS = {60.0: "1 min", 300.0: "5 min", 1200.0: "20 min"}


def _read(summary: str, shap: str | None) -> Explanation:
    paths = [None if digest is None else get_store().local_path(digest) for digest in (summary, shap)]
    size = sum(path.stat().st_size for path in paths if path is not None)
    first, second = paths
    assert first is not None
    return artifacts.keep((summary, shap), lambda: Explanation.read(first, second), lambda _: _UNPACKED * size)


def explanation(run: Run) -> Explanation | None:
    """Return the newest explanation of the search's model, its own or a later run's; None where there is none."""
    for candidate in (*task.later(run, access=frame.access()), run):
        digests = artifacts.digests(candidate)
        if SUMMARY_FILE in digests:
            return _read(digests[SUMMARY_FILE], digests.get(SHAP_FILE))
    return None


def show(run: Run, record: Mapping[str, Any]) -> None:
    """Draw the explanation, and above it a later one that is being made."""
    later = task.later(run, access=frame.access())
    active = bool(later) and not later[0].state.terminal
    if later and later[0].state is not RunState.SUCCEEDED:
        run_view.show_run(later[0].id)
    explained = explanation(run)
    if explained is None:
        if not active:
            _missing(run, record)
            _explain(run, "Explain the model")
        return
    whole = explained
    narrowed = _of_cohort(run, explained)
    if narrowed is None:
        return
    explained = narrowed
    classes = explained.classes
    parts: dict[str, Callable[[], None]] = {}
    if explained is whole:
        parts["Importance"] = lambda: _importance(explained)
    if explained.shap is not None:
        parts["What pushes predictions up or down"] = lambda: _contributions(explained, classes)
    if explained.summary["group"].notna().any():
        parts["By group"] = lambda: _groups(explained, classes)
    if explained.dependence:
        parts["Effect of one column"] = lambda: _dependence(explained, classes)
    if len(explained.interactions):
        parts["Interactions"] = lambda: explain_charts.interactions(
            explained.interactions, explained.interaction_space, classes[0] if len(classes) == 1 else None
        )
    shown = address.restore("view", list(parts), next(iter(parts)), "automl-explain-view")
    chosen = st.radio("View", list(parts), horizontal=True, key="automl-explain-view", label_visibility="collapsed")
    address.keep("view", chosen, shown, "automl-explain-view")
    parts[chosen]()
    _left_out(explained)
    if explained.left_out and not active:
        _explain(run, "Explain with more time")


def _of_cohort(run: Run, explained: Explanation) -> Explanation | None:
    """Let the user choose a saved cohort; return the explanation of its rows, or None where they are too few."""
    if explained.shap is None or explained.rows_from != "test":
        return explained
    dataset = lookups.existing_dataset(run.dataset_id)
    choice = cohort_rows.choose(run, dataset, key="automl-explain-cohort")
    if choice.row_ids is None or dataset is None:
        return explained
    if not choice.enough:
        return None
    narrowed = _narrow(explained, dataset.data_digest, choice.row_ids)
    count = 0 if narrowed.shap is None else len(narrowed.shap)
    if count < cohort_rows.MIN_ROWS:
        st.warning(
            f"Only {count:,} of these rows are among the {len(explained.shap):,} that were explained one by one, and "
            f"{cohort_rows.MIN_ROWS} are needed. Choose other rows.",
            icon=":material/group_off:",
        )
        return None
    st.caption(
        f"{count:,} of these rows are among the {len(explained.shap):,} that were explained one by one. Importance by "
        "shuffling, effects of single columns and interactions are known for all test rows only."
    )
    return narrowed


def _narrow(explained: Explanation, data: str, row_ids: np.ndarray) -> Explanation:
    """Return the explanation of some rows, with the groups of the sensitive columns that it has."""
    names = tuple(dict.fromkeys(explained.summary["column"].dropna()))
    table = artifacts.rows_at(data, names, row_ids) if names else None
    groups = {} if table is None else {name: as_groups(table[name]) for name in names}
    return explained.of_rows(row_ids, groups)


def _missing(run: Run, record: Mapping[str, Any]) -> None:
    reason = (run.result or {}).get("explain_error")
    if reason:
        frame.show_error(reason, "The model itself is complete. Try again with another budget.")
    elif not record["settings"]["explain"]:
        st.info("Explanation was switched off for this search.", icon=":material/lightbulb:")
    else:
        st.info("The search was stopped, so its model was not explained.", icon=":material/lightbulb:")


def _explain(run: Run, label: str) -> None:
    """Let the user ask for an explanation, in a run of its own."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seconds = st.selectbox(
            "Time budget", list(_BUDGETS), format_func=_BUDGETS.__getitem__, key="automl-explain-seconds", width=160
        )
        if st.button(label, icon=":material/lightbulb:", key="automl-explain-later"):
            with frame.errors_shown():
                task.submit(run, budget_s=seconds, access=frame.access())
                st.rerun()


def _choice(title: str, name: str, options: Sequence[str]) -> str:
    """Let the user choose, and keep the choice in the address."""
    key = f"automl-explain-{name}"
    shown = address.restore(name, options, options[0], key)
    chosen = str(st.selectbox(title, options, key=key, width=280))
    address.keep(name, chosen, shown, key)
    return chosen


def _class(classes: Sequence[str]) -> str:
    return _choice("Class", "class", classes) if len(classes) > 1 else classes[0]


def _importance(explained: Explanation) -> None:
    metric = METRICS[explained.metric]
    if explained.permutation.empty:
        st.caption("There was not enough time to compute importance.")
        return
    first = explained.permutation.iloc[0]
    st.markdown(
        f"Without **{frame.plain(first['feature'])}** the model would lose "
        f"{numbers.estimate(first['importance'], first['low'], first['high'])} {metric.title} "
        f"{numbers.interval(first['low'], first['high'])}, more than without any other column."
    )
    tested = explained.rows_from == "test"
    explain_charts.importance(explained.permutation, metric.title, tested=tested)
    rows = "test rows" if tested else "training rows, because there was no test"
    st.caption(
        f"Each column is shuffled in turn, {int(first['repeats'])} times, on {int(first['n']):,} {rows}. Columns "
        "with the same information replace each other and look less important than they are together."
    )


def _contributions(explained: Explanation, classes: Sequence[str]) -> None:
    shap = explained.shap
    assert shap is not None
    label = _class(classes)
    explain_charts.mean_shap(explained.summary, shap.space, label)
    explain_charts.beeswarm(shap, label, tested=explained.rows_from == "test")
    st.caption(
        f"SHAP values in {_SPACES.get(shap.space, shap.space)} ({frame.plain(shap.method)}). With the base they add "
        f"up to the prediction of a row, to within {shap.error:.1g}. {len(shap):,} rows."
    )


def _groups(explained: Explanation, classes: Sequence[str]) -> None:
    label = _class(classes)
    column = _choice("Groups of", "group", list(dict.fromkeys(explained.summary["column"].dropna())))
    space = explained.shap.space if explained.shap is not None else "prediction"
    explain_charts.by_group(explained.summary, column, space, label)


def _dependence(explained: Explanation, classes: Sequence[str]) -> None:
    label = _class(classes)
    name = _choice("Column", "column", [curve.feature for curve in explained.dependence])
    curve = next(curve for curve in explained.dependence if curve.feature == name)
    output = explained.target if explained.task == "regression" else f"probability of {label}"
    dependence_chart.dependence(curve, output, classes.index(label))


def _left_out(explained: Explanation) -> None:
    if explained.left_out:
        count = "1 part was" if len(explained.left_out) == 1 else f"{len(explained.left_out)} parts were"
        with st.expander(f"{count} shortened or left out", icon=":material/timer:"):
            for item in explained.left_out:
                st.markdown(
                    f"**{frame.plain(item['part'])}**: {frame.plain(item['what'])} ({frame.plain(item['why'])})"
                )
    st.caption(f"Explained in {numbers.duration(explained.elapsed_s)}.")
