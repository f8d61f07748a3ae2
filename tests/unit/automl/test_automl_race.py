"""Trials that lag behind are pruned after their first folds, and nothing else is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.tree import DecisionTreeClassifier

from core.automl import AutoMLSettings, Trial, prepare
from core.automl.tuning.cross_validation import PrunedError, run_trial, stages
from core.automl.tuning.event_file import read_trials
from core.automl.tuning.pruning import Pruner
from core.automl.tuning.worker import OUT_OF_FOLD
from core.automl.tuning.worker_main import search
from core.automl.tuning.worker_plan import WorkerPlan
from core.datasets import load_sample


def finished(scores, learner="rf"):
    return Trial(None, learner, {}, "finished", score=float(np.mean(scores)), fold_scores=list(scores))


@given(st.lists(st.floats(0, 1), min_size=3, max_size=15), st.data())
@settings(max_examples=150, deadline=None)
def test_a_trial_that_keeps_up_goes_on_whichever_way_the_metric_goes(best, data):
    """No worse than the best on any fold that was seen: always worth it, and expected to be no worse in the end."""
    seen = data.draw(st.integers(1, len(best) - 1))
    gains = data.draw(st.lists(st.floats(0, 0.5), min_size=seen, max_size=seen))
    for larger, sign in ((True, 1), (False, -1)):
        pruner = Pruner(larger)
        pruner.note(finished(best))
        scores = [score + sign * gain for score, gain in zip(best, gains, strict=False)]
        assert pruner.worth_it("rf", scores, len(best))
        assert sign * (pruner.expected("rf", scores) - np.mean(best)) >= -1e-9


@given(st.floats(0.01, 0.3), st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_a_trial_that_is_far_behind_is_not_worth_it(spread, seen):
    best = np.array([0.7, 0.7 + spread, 0.7 - spread, 0.7 + spread, 0.7 - spread])
    pruner = Pruner(True)
    pruner.note(finished(best))
    assert not pruner.worth_it("rf", list(best[:seen] - spread), 5)
    assert pruner.worth_it("lgbm", [0.0] * seen, 5), "another learner has its own race"


def test_the_best_is_the_one_to_beat_and_what_failed_is_not():
    pruner = Pruner(True)
    for scores in ([0.6, 0.8], [0.9, 0.7], [0.1, 0.2]):
        pruner.note(finished(scores))
    pruner.note(Trial(None, "rf", {}, "failed"))
    pruner.note(Trial(None, "rf", {}, "pruned", fold_scores=[1.0]))
    assert pruner.expected("rf", [0.9]) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("folds", "at_a_time", "expected"),
    [
        (15, 1, [4, 8]),
        (15, 2, [4, 8]),
        (3, 1, [1, 2]),
        (3, 2, [2]),
        (5, 2, [2]),
        (1, 2, []),
        (2, 2, []),
        (10, 16, []),
    ],
)
def test_stages_are_full_rounds_of_folds(folds, at_a_time, expected):
    assert stages(folds, at_a_time) == expected


@pytest.fixture(scope="module")
def data():
    return prepare(load_sample("german_credit").frame, AutoMLSettings(target="credit", folds=5)).data


def test_a_trial_is_cut_short_with_the_scores_it_has(data):
    asked = []

    def no(scores, folds):
        asked.append((len(scores), folds))
        return False

    with pytest.raises(PrunedError) as caught:
        run_trial(DummyClassifier, data, "accuracy", at_a_time=2, worth_it=no)
    assert asked == [(2, 5)]
    assert caught.value.scores == pytest.approx([0.7, 0.7], abs=0.01)
    assert "pruned after 2 of 5 folds" in caught.value.message(5)


def test_a_trial_that_goes_on_is_the_same_as_one_that_nobody_asked_about(data):
    def make():
        return DecisionTreeClassifier(max_depth=3, random_state=0)

    plain = run_trial(make, data, "roc_auc")
    raced = run_trial(make, data, "roc_auc", at_a_time=2, worth_it=lambda scores, folds: True)
    assert raced.evaluation.fold_scores == plain.evaluation.fold_scores
    assert np.array_equal(raced.out_of_fold, plain.out_of_fold)


def test_a_searcher_is_a_plain_function_of_a_folder(tmp_path):
    """Run here, without any process: trials that were pruned have a reason, an expected score and no predictions."""
    prepare(load_sample("german_credit").frame.head(200), AutoMLSettings(target="credit", folds=5)).data.save(tmp_path)
    (tmp_path / OUT_OF_FOLD).mkdir()
    WorkerPlan(
        data=str(tmp_path),
        metric="roc_auc",
        learners=("lgbm", "xgb_limitdepth"),
        seed=0,
        jobs=1,
        timed=True,
        seconds=60.0,
        count=16,
    ).save(tmp_path)
    search(tmp_path)
    trials = read_trials(tmp_path)
    assert len(trials) == 16
    assert {trial.status for trial in trials} == {"finished", "pruned"}
    for trial in trials:
        has_predictions = (tmp_path / OUT_OF_FOLD / f"{trial.number}.npy").exists()
        assert has_predictions == (trial.status == "finished")
        if trial.status == "pruned":
            assert trial.score is None
            assert len(trial.fold_scores) < 5
            before = [
                other for other in trials[: trial.number - 1] if other.learner == trial.learner and other.finished
            ]
            best = max(before, key=lambda other: other.score)
            lag = np.mean(best.fold_scores[: len(trial.fold_scores)]) - np.mean(trial.fold_scores)
            assert lag > 0
            assert trial.expected == pytest.approx(best.score - lag)
