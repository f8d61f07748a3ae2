"""A search that continues a finished one: trials and predictions are kept, and only what fits is taken."""

import json

import numpy as np
import pytest

from core.automl import LEARNERS, AutoMLSettings, Trial, build_estimator, prepare, search
from core.automl.learners.build import start_points
from core.automl.tuning.proposer import Proposer
from core.datasets import load_sample
from core.errors import SettingsError, StorageError

BASE = {"target": "progression", "time_budget_s": None, "folds": 2, "learners": ("lgbm", "rf", "extra_tree")}
KEYS = ("trial", "learner", "config", "score", "fold_scores")


def summary(trials):
    return [[trial[key] for key in KEYS] for trial in trials]


@pytest.fixture(scope="module")
def first(run_search, tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    searched = run_search(load_sample("diabetes").frame, max_trials=6, **BASE)
    searched.result.save(folder)
    return searched, folder


@pytest.fixture(scope="module")
def second(first, run_search):
    return run_search(first[0].frame, max_trials=11, earlier=first[1], **BASE)


def test_trials_are_kept_and_go_on(first, second):
    trials = second.result.trials
    assert summary(trials[:6]) == summary(first[0].result.trials)
    assert [trial["trial"] for trial in trials] == list(range(1, 12))
    assert [event.values["trial"] for event in second.trial_events] == list(range(1, 12))
    assert second.result.winner["score"] >= first[0].result.winner["score"] - 0.02


def test_going_on_is_as_if_it_had_never_ended(second, run_search, first):
    whole = run_search(first[0].frame, max_trials=11, **BASE).result
    assert summary(whole.trials) == summary(second.result.trials)
    assert whole.winner["config"] == second.result.winner["config"]
    assert np.array_equal(whole.model.predict(first[0].frame), second.result.model.predict(first[0].frame))


def test_predictions_of_the_best_are_stored(first):
    result, folder = first[0].result, first[1]
    with np.load(folder / "trials.npz") as stored:
        assert {int(name) for name in stored.files} == set(result.candidates)
        for name in stored.files:
            assert stored[name].shape == (1, result.rows["train"])
    by_learner = {}
    for trial in sorted(result.trials, key=lambda trial: -trial["score"]):
        by_learner.setdefault(trial["learner"], []).append(trial["trial"])
    assert set(result.candidates) == {number for numbers in by_learner.values() for number in numbers[:3]}


def test_a_search_that_ended_early_does_not_end_at_once(run_search, quick, yes_or_no, tmp_path):
    """The twenty trials without a gain are new ones; those that ended the earlier search do not count again."""
    base = {"target": "y", "time_budget_s": None, "folds": 2, "learners": ("xgb_limitdepth",), "ensemble": False}
    one = run_search(yes_or_no, max_trials=60, configs=[quick] * 60, **base).result
    assert (one.stop_code, len(one.trials)) == ("early", 21)
    one.save(tmp_path)
    assert one.positive_class == {"label": "True", "reason": "'True' is the affirmative answer."}
    record = json.loads((tmp_path / "result.json").read_text())
    del record["positive_class"]  # as an earlier version, which had another order of the classes, stored it
    (tmp_path / "result.json").write_text(json.dumps(record | {"labels": [True, False]}))
    two = run_search(yes_or_no, max_trials=90, configs=[quick] * 90, earlier=tmp_path, **base).result
    assert (two.stop_code, len(two.trials)) == ("early", 41)
    assert two.labels == [True, False]
    assert two.positive_class["reason"] == "The search that this one continues was about 'False'."


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"seed": 1}, "had seed 0, this one has 1"),
        ({"target": "bmi"}, "had target 'progression'"),
        ({"folds": 3}, "had folds 2"),
        ({"drop_columns": ("age",)}, "had drop_columns"),
        ({"learners": ("rf",)}, "had learners"),
        ({"test_fraction": 0.3}, "had test_fraction 0.2"),
    ],
)
def test_other_settings_are_refused(first, other, message):
    with pytest.raises(SettingsError, match=message):
        search(first[0].frame, AutoMLSettings(**BASE | {"max_trials": 9} | other), earlier=first[1])


def test_another_table_is_refused(first):
    with pytest.raises(SettingsError, match="another table"):
        search(first[0].frame.iloc[:-1], AutoMLSettings(**BASE, max_trials=9), earlier=first[1])


def test_no_earlier_search_is_said(first, tmp_path):
    with pytest.raises(StorageError, match="no saved result"):
        search(first[0].frame, AutoMLSettings(**BASE, max_trials=9), earlier=tmp_path)


def data_of(name, target):
    return prepare(load_sample(name).frame, AutoMLSettings(target=target)).data


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize(
    ("name", "target"), [("german_credit", "credit"), ("wine", "cultivar"), ("diabetes", "progression")]
)
def test_start_points_are_within_the_space_and_can_be_fitted(learner, name, target):
    """Those that usually do well, and FLAML's meta-learned one where it is not too dear."""
    data = data_of(name, target)
    points = start_points(learner, data, 60.0)
    portfolio = LEARNERS[learner].portfolio
    assert len(portfolio) <= len(points) <= len(portfolio) + (4 if learner == "gam" else 1)
    for point, wanted in zip(points, portfolio, strict=False):
        assert all(point[name] <= value for name, value in wanted.items())  # less where rows are too few
    if LEARNERS[learner].grow is not None:
        assert not any("n_estimators" in point for point in points), "it is found out"
    assert all(point.get("n_estimators", 0) <= 1_000 for point in points)
    train, _ = data.folds[0]
    record = LEARNERS[learner]
    few = {} if learner == "gam" else {record.grown: 4}
    for point in points:
        build_estimator(learner, point | few, data.task, jobs=1, seed=0).fit(data.X[train], data.y[train])
    proposer = Proposer((learner,), data, 0, None)
    families = data.feature_groups.families
    first = [points[0] | ({} if family == "none" else {"made_features": family}) for family in families[:3]]
    for point in [*first, *points[1:]]:
        proposed, config = proposer.propose()
        assert proposed == learner
        assert config.get("made_features") == point.get("made_features")
        assert {name: config[name] for name in point} == pytest.approx(point)
        proposer.tell(Trial(None, proposed, config, "finished", seconds=0.1), 0.5)


def test_meta_learned_defaults_are_used():
    data = data_of("german_credit", "credit")
    *_, last = start_points("lgbm", data, 60.0)
    assert last["num_leaves"] not in {point["num_leaves"] for point in LEARNERS["lgbm"].portfolio}
    assert len(start_points("extra_tree", data, 60.0)) == 2
    assert len(start_points("extra_tree", data, 0.001)) == 1, "what takes too much of the budget is left out"


def test_replay_of_trials_that_were_found_in_another_way_begins_at_the_best():
    """Suggestions that no longer come in the same order: the next ones are near the best that is known."""
    data = data_of("german_credit", "credit")
    proposer = Proposer(("lgbm",), data, 0, 60.0)
    best = start_points("lgbm", data, 60.0)[0] | {"n_estimators": 321, "num_leaves": 17}
    trials = [(best, -0.9), (best | {"learning_rate": 0.7}, -0.7), (best | {"num_leaves": 200}, -0.8)]
    for config, loss in trials:
        proposer.replay(Trial(None, "lgbm", config, "finished", seconds=1.0), loss)
    items = []
    for _ in range(3):
        _, config = proposer.propose()
        items.append(json.dumps(config, sort_keys=True))
        assert 4 <= config["num_leaves"] <= 60
        assert "n_estimators" not in config
        proposer.tell(Trial(None, "lgbm", config, "finished", seconds=1.0), -0.85)
    assert len(set(items)) == 3
