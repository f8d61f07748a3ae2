"""Several searchers at once: one list of trials, none twice, endings as with one, and the same again for a seed."""

import json
import time

import numpy as np
import pytest

from core.automl import LEARNERS, AutoMLSettings, Trial
from core.automl.tuning.worker_plan import worker_plan
from core.datasets import load_sample

TWO = {"max_concurrent_trials": 2, "time_budget_s": None, "folds": 2, "early_stopping": False, "ensemble": False}


@pytest.fixture(scope="module")
def listed(run_search, helpers, quick):
    """Nine configurations shared out to two searchers; the third is endless, and the second searcher's first fails."""
    learner, config = quick
    configs = [[learner, config | {"n_estimators": 5 + index}] for index in range(9)]
    configs[2] = [learner, config | {"n_estimators": 10_000_000}]
    configs[1] = [learner, config | {"subsample": 7.0}]
    seen = []
    searched = run_search(
        load_sample("wine").frame,
        watch=lambda event: seen.append((time.time(), len(helpers()), event)),
        target="cultivar",
        trial_timeout_s=5,
        max_trials=9,
        configs=configs,
        **TWO,
    )
    return searched, configs, seen


def test_each_configuration_is_tried_once_in_its_place(listed):
    searched, configs, _ = listed
    trials = searched.result.trials
    assert [trial["trial"] for trial in trials] == list(range(1, 10))
    assert [[trial["learner"], trial["config"]] for trial in trials] == configs
    assert [event.values["trial"] for event in searched.trial_events] == list(range(1, 10))


def test_endless_trial_costs_its_searcher_only(listed):
    searched, _, _ = listed
    trials = searched.result.trials
    assert [trial["status"] for trial in trials] == ["finished", "failed", "timed_out"] + ["finished"] * 6
    assert trials[2]["seconds"] >= 5
    assert "its limit of 5 s" in trials[2]["message"]
    for other in trials[3::2]:  # the other searcher did all of its own while the endless one ran
        assert other["at"] < trials[2]["at"]


def test_searchers_are_processes_of_their_own_and_none_is_left(listed):
    searched, _, seen = listed
    assert max(count for _, count, _ in seen) == 3  # two searchers and the finisher
    assert searched.left == []


def test_same_settings_give_the_same_search(run_search, diabetes):
    """Trials in the same order with the same scores, though the searchers' pace is never the same."""
    values = TWO | {"target": "progression", "max_trials": 9, "ensemble": True, "learners": ("lgbm", "rf", "xgboost")}
    one, two = (run_search(diabetes.frame, **values).result for _ in range(2))
    assert [(trial["trial"], trial["learner"], trial["config"], trial["score"]) for trial in one.trials] == [
        (trial["trial"], trial["learner"], trial["config"], trial["score"]) for trial in two.trials
    ]
    assert len(one.trials) == 9
    assert one.winner["config"] == two.winner["config"]
    assert np.array_equal(one.model.predict(diabetes.frame), two.model.predict(diabetes.frame))
    assert {trial["learner"] for trial in one.trials[::2]} == {"lgbm", "rf"}
    assert {trial["learner"] for trial in one.trials[1::2]} == {"xgboost"}


def test_interrupted_search_goes_on_as_if_it_had_not_been(run_search, diabetes, tmp_path):
    """Stopped after a few trials and started again: the same trials in all as in one go."""
    values = TWO | {"target": "progression", "max_trials": 8, "learners": ("lgbm", "rf")}
    whole = run_search(diabetes.frame, **values).result
    items = []
    run_search(
        diabetes.frame,
        workdir=tmp_path,
        watch=lambda event: items.append(event.values.get("trial")),
        should_stop=lambda: 3 in items,
        **values,
    )
    again = run_search(diabetes.frame, workdir=tmp_path, **values).result
    keys = ("trial", "learner", "config", "score")
    assert [[trial[key] for key in keys] for trial in again.trials] == [
        [trial[key] for key in keys] for trial in whole.trials
    ]


def test_with_a_budget_trials_are_listed_as_they_end_and_none_comes_twice(run_search, yes_or_no):
    searched = run_search(
        yes_or_no, target="y", max_concurrent_trials=2, time_budget_s=120, max_trials=24, early_stopping=False, folds=2
    )
    result = searched.result
    assert (result.stop_code, len(result.trials)) == ("trials", 24)
    assert [trial["trial"] for trial in result.trials] == list(range(1, len(result.trials) + 1))
    tried = [json.dumps([trial["learner"], trial["config"]], sort_keys=True) for trial in result.trials]
    assert len(set(tried)) > 0.9 * len(tried)
    missing = set(LEARNERS) - {trial["learner"] for trial in result.trials}
    assert missing <= {"catboost"}, "which is for more rows"
    ends = [trial["at"] for trial in result.trials]
    assert ends == sorted(ends)
    assert searched.left == []


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("done", [0, 1, 4, 5])
def test_shares_are_all_that_is_left_and_nothing_twice(count, done, tmp_path):
    settings = AutoMLSettings(target="y", time_budget_s=None, max_trials=11, max_concurrent_trials=count)
    trials = [Trial(number + 1, "lgbm", {}, "finished") for number in range(done)]
    plans = [worker_plan(index, settings, tmp_path, "roc_auc", trials, None) for index in range(count)]
    assert sum(plan.count for plan in plans) == 11 - done
    if count <= len(LEARNERS):
        assert sorted(name for plan in plans for name in plan.learners) == sorted(LEARNERS)
    assert len({(*plan.learners, plan.seed) for plan in plans}) == count
    configs = [("lgbm", {"n": number}) for number in range(11)]
    plans = [worker_plan(index, settings, tmp_path, "roc_auc", trials, configs) for index in range(count)]
    assert [len(plan.configs) for plan in plans] == [plan.count for plan in plans]
    listed = [plans[number % count].configs.pop(0) for number in range(done, 11)]  # as they are listed, in turns
    assert listed == configs[done:]
