"""Why the model says what it says: what matters, how, to whom, and which columns act together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.automl import METRICS
from core.catalog import Run, RunState
from core.explain import SHAP_FILE, SUMMARY_FILE, Explanation
from core.storage import get_store
from core.tasks import explain as task
from pages._ui import address, artifacts, dependence_chart, explain_charts, frame, numbers, run_view

__all__ = ["explanation", "show"]

_WORDS = {
    "log-odds": "log-odds",
    "margin": "the score before the softmax",
    "probability": "probability",
    "prediction": "the prediction itself",
}
_BUDGETS = {60.0: "1 min", 300.0: "5 min", 1200.0: "20 min"}


@st.cache_data(max_entries=5, show_spinner=False)
def _read(summary: str, shap: str | None) -> Explanation:
    store = get_store()
    return Explanation.read(store.local_path(summary), None if shap is None else store.local_path(shap))


def explanation(run: Run) -> Explanation | None:
    """Return the newest explanation of the search's model, its own or a later run's; None where it has none."""
    for each in (*task.later(run), run):
        digests = artifacts.digests(each)
        if SUMMARY_FILE in digests:
            return _read(digests[SUMMARY_FILE], digests.get(SHAP_FILE))
    return None


def show(run: Run, found: Mapping[str, Any]) -> None:
    """Draw the explanation, and above it a later one that is on its way."""
    later = task.later(run)
    active = bool(later) and not later[0].state.terminal
    if later and later[0].state is not RunState.SUCCEEDED:
        run_view.show_run(later[0].id)
    told = explanation(run)
    if told is None:
        if not active:
            _missing(run, found)
            _explain(run, "Explain the model")
        return
    classes = told.classes
    parts: dict[str, Callable[[], None]] = {"What matters": lambda: _matters(told)}
    if told.shap is not None:
        parts["How rows are moved"] = lambda: _moved(told, classes)
    if told.summary["group"].notna().any():
        parts["By group"] = lambda: _groups(told, classes)
    if told.dependence:
        parts["Single columns"] = lambda: _dependence(told, classes)
    if len(told.interactions):
        parts["Pairs"] = lambda: explain_charts.interactions(
            told.interactions, told.interaction_space, classes[0] if len(classes) == 1 else None
        )
    shown = address.restore("view", list(parts), "What matters", "automl-explain-view")
    chosen = st.radio("View", list(parts), horizontal=True, key="automl-explain-view", label_visibility="collapsed")
    address.keep("view", chosen, shown, "automl-explain-view")
    parts[chosen]()
    _left_out(told)
    if told.left_out and not active:
        _explain(run, "Explain with more time")


def _missing(run: Run, found: Mapping[str, Any]) -> None:
    reason = (run.result or {}).get("explain_error")
    if reason:
        frame.show_error(reason, "The model itself is whole. Try again with another budget.")
    elif not found["settings"]["explain"]:
        st.info("Explaining was switched off for this search.", icon=":material/lightbulb:")
    else:
        st.info("The search was stopped, so its model was not explained.", icon=":material/lightbulb:")


def _explain(run: Run, label: str) -> None:
    """Let the user ask for an explanation, in a run of its own."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seconds = st.selectbox(
            "Time for it", list(_BUDGETS), format_func=_BUDGETS.__getitem__, key="automl-explain-seconds", width=160
        )
        if st.button(label, icon=":material/lightbulb:", key="automl-explain-later"):
            with frame.errors_shown():
                task.submit(run, budget_s=seconds)
                st.rerun()


def _choice(title: str, name: str, options: Sequence[str]) -> str:
    """Let the user choose, and keep it in the address."""
    key = f"automl-explain-{name}"
    shown = address.restore(name, options, options[0], key)
    chosen = str(st.selectbox(title, options, key=key, width=280))
    address.keep(name, chosen, shown, key)
    return chosen


def _class(classes: Sequence[str]) -> str:
    return _choice("Class", "class", classes) if len(classes) > 1 else classes[0]


def _matters(told: Explanation) -> None:
    metric = METRICS[told.metric]
    if told.permutation.empty:
        st.caption("There was no time for it.")
        return
    first = told.permutation.iloc[0]
    st.markdown(
        f"Without **{frame.plain(first['feature'])}** the model would lose "
        f"{numbers.estimate(first['importance'], first['low'], first['high'])} {metric.title} "
        f"{numbers.interval(first['low'], first['high'])}: more than without any other column."
    )
    tested = told.rows_from == "test"
    explain_charts.importance(told.permutation, metric.title, tested=tested)
    rows = "test rows" if tested else "rows it learned from: there was no test"
    st.caption(
        f"Each column is shuffled in turn, {int(first['repeats'])} times, on {int(first['n']):,} {rows}. Columns "
        "that say the same stand in for each other and look less important than they are together."
    )


def _moved(told: Explanation, classes: Sequence[str]) -> None:
    assert told.shap is not None
    label = _class(classes)
    explain_charts.mean_shap(told.summary, told.shap.space, label)
    explain_charts.beeswarm(told.shap, label, tested=told.rows_from == "test")
    st.caption(
        f"SHAP values in {_WORDS.get(told.shap.space, told.shap.space)} ({frame.plain(told.shap.method)}). With the "
        f"base they add up to what the model says of a row, to within {told.shap.error:.1g}. {len(told.shap):,} rows."
    )


def _groups(told: Explanation, classes: Sequence[str]) -> None:
    label = _class(classes)
    column = _choice("Groups of", "group", list(dict.fromkeys(told.summary["column"].dropna())))
    space = told.shap.space if told.shap is not None else "prediction"
    explain_charts.by_group(told.summary, column, space, label)


def _dependence(told: Explanation, classes: Sequence[str]) -> None:
    label = _class(classes)
    name = _choice("Column", "column", [each.feature for each in told.dependence])
    curve = next(each for each in told.dependence if each.feature == name)
    words = told.target if told.task == "regression" else f"probability of {label}"
    dependence_chart.dependence(curve, words, classes.index(label))


def _left_out(told: Explanation) -> None:
    if told.left_out:
        many = "1 part was" if len(told.left_out) == 1 else f"{len(told.left_out)} parts were"
        with st.expander(f"{many} shortened or left out", icon=":material/timer:"):
            for item in told.left_out:
                st.markdown(
                    f"**{frame.plain(item['part'])}**: {frame.plain(item['what'])} ({frame.plain(item['why'])})"
                )
    st.caption(f"Explained in {numbers.duration(told.elapsed_s)}.")
