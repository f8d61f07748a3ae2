"""Advanced settings of a search, with their defaults, and a label that lists the changes."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core import jobs
from core.automl import LEARNERS, METRICS, AutoMLSettings, learner_title, metric_choices
from core.catalog import Dataset
from core.resources import usable_cores
from pages._ui.model_fields import default, number
from pages.automl import features

__all__ = ["metric", "show"]

# Names and defaults for the list of changes in the expander's label, by the widget's key.
_DEFAULTS: dict[str, tuple[str, Any]] = {
    "automl-trial-timeout": ("trial timeout", default(AutoMLSettings, "trial_timeout_s")),
    "automl-max-trials": ("maximum trials", default(AutoMLSettings, "max_trials")),
    "automl-early": ("early stopping", default(AutoMLSettings, "early_stopping")),
    "automl-exit-score": ("score to stop at", default(AutoMLSettings, "exit_score")),
    "automl-test-share": ("test share", round(100 * default(AutoMLSettings, "test_fraction"))),
    "automl-folds": ("folds", default(AutoMLSettings, "folds")),
    "automl-repeats": ("repeats", default(AutoMLSettings, "cv_repeats")),
    "automl-concurrent": ("parallel trials", default(AutoMLSettings, "max_concurrent_trials")),
    "automl-blend": ("blend", default(AutoMLSettings, "ensemble")),
    "automl-bagging": ("mean of the folds' models", default(AutoMLSettings, "bagging")),
    "automl-calibrate": ("calibration", default(AutoMLSettings, "calibrate")),
    "automl-explain": ("explanation", default(AutoMLSettings, "explain")),
    "automl-class-weights": ("class weights", default(AutoMLSettings, "class_weights")),
    "automl-featurization": ("features", default(AutoMLSettings, "featurization")),
    "automl-feature-engineering": ("further features", default(AutoMLSettings, "feature_engineering")),
    "automl-split-by": ("split", "nothing"),
    "automl-seed": ("seed", default(AutoMLSettings, "seed")),
}


def metric(task: str) -> str:
    """Let the user choose the metric to optimize."""
    return st.selectbox(
        "Metric",
        metric_choices(task),
        format_func=lambda name: METRICS[name].title,
        help="Metric that the search optimizes. The first one fits most questions.",
        key=f"automl-metric-{task}",
    )


def show(dataset: Dataset, target: str, task: str, others: list[str]) -> dict[str, Any]:
    """Draw the expander and return the settings it holds."""
    unused = {"automl-max-trials"} if st.session_state.get("automl-preset") == "trials" else set()
    defaults: dict[str, tuple[str, Any]] = _DEFAULTS | {"automl-learners": ("learners", list(LEARNERS))}
    defaults |= {key: ("monotone relations", []) for key in features.monotone_keys(dataset, target)}
    differing = [
        label
        for key, (label, initial) in defaults.items()
        if key not in unused and st.session_state.get(key, initial) != initial
    ]
    changed = list(dict.fromkeys(differing))
    label = "Advanced: " + (f"changed {', '.join(changed)}" if changed else "defaults")
    with st.expander(label, icon=":material/tune:", key="automl-advanced"):
        left, right = st.columns(2, gap="medium")
        with left:
            values = _limits() | _evidence()
        with right:
            values |= _learners(task) | _columns(dataset, target, task, others)
    return values


def _most_parallel() -> int:
    """Return how many trials may run at the same time on the machine that the search works on."""
    nodes = jobs.cluster_nodes()
    cores = usable_cores() if nodes is None else max((int(node.cpus) for node in nodes.nodes), default=1)
    return max(1, min(cores, 64))


def _limits() -> dict[str, Any]:
    st.markdown("**Limits**")
    trial = st.number_input(
        "Trial timeout (s)",
        min_value=1.0,
        value=None,
        step=1.0,
        placeholder="none",
        key="automl-trial-timeout",
        help="A trial that takes longer is ended; the search continues.",
    )
    by_trials = st.session_state.get("automl-preset") == "trials"
    trials = st.number_input(
        "Maximum trials",
        **number(AutoMLSettings, "max_trials"),
        step=1,
        key="automl-max-trials",
        disabled=by_trials,
        placeholder="chosen above" if by_trials else "as time allows",
    )
    score = st.number_input(
        "Stop at score",
        value=None,
        format="%.4f",
        placeholder="none",
        key="automl-exit-score",
        help="The search ends once the metric is as good as this in cross-validation.",
    )
    concurrent = st.number_input(
        "Parallel trials",
        **number(AutoMLSettings, "max_concurrent_trials") | {"max_value": _most_parallel()},
        key="automl-concurrent",
        placeholder="automatic",
        help="Each in a process of its own, with its share of the cores. By default one for each core, at most four; "
        "one where trials are limited instead of time, so that the result can be repeated.",
    )
    early = st.toggle(
        "Stop when there is no progress",
        value=default(AutoMLSettings, "early_stopping"),
        key="automl-early",
        help="The search ends when the last 20 trials brought no gain.",
    )
    blend = st.toggle(
        "Blend the best models",
        value=default(AutoMLSettings, "ensemble"),
        key="automl-blend",
        help="Used unless it is surely worse on rows that did not choose the weights.",
    )
    bagging = st.toggle(
        "Mean of the folds' models",
        value=default(AutoMLSettings, "bagging"),
        key="automl-bagging",
        help="Of up to 10,000 rows, boosted trees predict better as the mean of the models of cross-validation than as "
        "one model on all rows. The mean is several times as large and slow: turn it off for a small device.",
    )
    calibrate = st.toggle(
        "Calibrate probabilities",
        value=default(AutoMLSettings, "calibrate"),
        key="automl-calibrate",
        help="Where it surely lowers the log loss of rows that did not teach it. Not with balanced class weights.",
    )
    explain = st.toggle(
        "Explain the model",
        value=default(AutoMLSettings, "explain"),
        key="automl-explain",
        help="After the search, within 20 s or a third of its budget.",
    )
    return {
        "trial_timeout_s": trial,
        "max_trials": trials,
        "exit_score": score,
        "max_concurrent_trials": concurrent,
        "early_stopping": early,
        "ensemble": blend,
        "bagging": bagging,
        "calibrate": calibrate,
        "explain": explain,
    }


def _evidence() -> dict[str, Any]:
    st.markdown("**Evidence**")
    test = st.slider(
        "Test rows (%)",
        **number(AutoMLSettings, "test_fraction", scale=100),
        step=5,
        key="automl-test-share",
        help="Rows that the search never sees. 0: no test, no verdict.",
    )
    folds = st.selectbox(
        "Cross-validation folds",
        [default(AutoMLSettings, "folds"), 2, 3, 5, 10],
        format_func=lambda item: "By number of rows" if item == "auto" else str(item),
        help="5 up to 20,000 rows, 3 up to 100,000, and one holdout of 20% above.",
        key="automl-folds",
    )
    repeats = st.selectbox(
        "Repeats of the cross-validation",
        [default(AutoMLSettings, "cv_repeats"), 1, 2, 3, 5, 10],
        format_func=lambda item: "By number of rows" if item == "auto" else str(item),
        help="Other folds each time: steadier scores on small tables, fewer trials. 3 below 2,000 rows.",
        key="automl-repeats",
    )
    seed = st.number_input(
        "Seed", **number(AutoMLSettings, "seed"), key="automl-seed", help="Seed of the splits and of the search."
    )
    return {"test_fraction": test / 100, "folds": folds, "cv_repeats": repeats, "seed": seed}


def _learners(task: str) -> dict[str, Any]:
    st.markdown("**Learners**")
    learners = st.multiselect(
        "Learners",
        list(LEARNERS),
        default=list(LEARNERS),
        format_func=learner_title,
        key="automl-learners",
        help="With all of them, those that do not pay on so many or so few rows are left out; the result says which.",
    )
    values: dict[str, Any] = {"learners": "auto" if len(learners) == len(LEARNERS) else tuple(learners)}
    if task != "regression":
        values["class_weights"] = st.toggle(
            "Balance class weights",
            value=default(AutoMLSettings, "class_weights"),
            key="automl-class-weights",
            help="Rare classes count as much as common ones. Probabilities are then no longer calibrated.",
        )
    return values


def _columns(dataset: Dataset, target: str, task: str, others: list[str]) -> dict[str, Any]:
    st.markdown("**Columns**")
    roles = dataset.roles
    dropped = st.multiselect(
        "Excluded columns",
        others,
        default=[name for name in roles.get("ignore", []) if name in others],
        help="Columns that the model must not use, such as values that are known only afterwards.",
        key=f"automl-drop-{dataset.id}",
    )
    sensitive = st.multiselect(
        "Sensitive columns",
        others,
        default=[name for name in roles.get("sensitive", []) if name in others],
        help="Stored with the predictions, to compare results by group. Exclude them above as well if the "
        "model must not use them.",
        key=f"automl-sensitive-{dataset.id}",
    )
    weight = st.selectbox(
        "Row weights",
        others,
        index=None,
        placeholder="All rows count the same",
        help="A column of numbers, 0 or more, such as survey weights: rows count by it in training and in all metrics. "
        "It is not a feature.",
        key=f"automl-weight-{dataset.id}-{target}",
    )
    values = features.show(dataset, target, task, others) | {"weight_column": weight}
    return {"drop_columns": tuple(dropped), "sensitive_columns": tuple(sensitive), **values}
