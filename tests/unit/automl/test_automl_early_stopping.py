"""Boosted trees that stop in time: what is left is the model that as many trees would have made."""

import pickle
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from core.automl import LEARNERS, AutoMLSettings, build_estimator, prepare
from core.automl._fitting import fit, outputs
from core.automl.data.training_data import TrainingData
from core.automl.learners.early_stopping import StopRule
from core.automl.tuning.cross_validation import run_trial
from core.automl.tuning.grown_fold import GrownFold, best_trees
from core.datasets import load_sample

TABLES = {
    "binary": ("german_credit", "credit"),
    "multiclass": ("wine", "cultivar"),
    "regression": ("diabetes", "progression"),
}
GROWN = [name for name, learner in LEARNERS.items() if learner.grow is not None]


@pytest.fixture(scope="module", params=TABLES)
def data(request):
    name, target = TABLES[request.param]
    return prepare(load_sample(name).frame, AutoMLSettings(target=target, folds=3)).data


def estimator_of(learner, task, **config):
    quick = {"learning_rate": 0.3} | ({"depth": 3} if learner == "catboost" else {})
    return build_estimator(learner, quick | config, task, jobs=1, seed=0)


def grown_fold(learner, data, rule, *, fold=0):
    train, validation = data.folds[fold]
    return GrownFold(estimator_of(learner, data.task), LEARNERS[learner].grow, data, train, validation, rule)


@pytest.mark.parametrize("learner", GROWN)
def test_what_is_cut_is_the_model_of_as_many_trees(data, learner):
    train, validation = data.folds[0]
    grown = grown_fold(learner, data, StopRule("log_loss" if data.classes else "squared", max_trees=12))
    assert len(grown.losses) == 12
    size = LEARNERS[learner].grown
    plain = fit(estimator_of(learner, data.task, **{size: 7}), data.X[train], data.y[train], data)
    expected = outputs(plain, data.X[validation], data.classes)
    np.testing.assert_allclose(grown.outputs(data.X[validation], 7), expected, rtol=1e-6)
    cut = pickle.loads(pickle.dumps(grown.cut(7)))
    np.testing.assert_allclose(outputs(cut, data.X[validation], data.classes), expected, rtol=1e-6)
    inner = cut.estimator_ if data.task == "regression" else cut
    assert inner.get_params()[size] == 7


@pytest.mark.parametrize("learner", GROWN)
def test_the_losses_are_those_of_the_watched_rows(data, learner):
    grown = grown_fold(learner, data, StopRule("log_loss" if data.classes else "absolute", max_trees=5))
    _, validation = data.folds[0]
    for trees in (1, 5):
        output, y = grown.outputs(data.X[validation], trees), data.y[validation]
        if data.classes:
            expected = sk.log_loss(y, output / output.sum(axis=1, keepdims=True), labels=range(data.classes))
        else:  # numbers are learned in standard deviations of the training rows
            expected = sk.mean_absolute_error(y, output) / data.y[data.folds[0][0]].std()
        assert grown.losses[trees - 1] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("learner", GROWN)
def test_a_class_that_a_fold_lacks_has_no_chance(learner):
    random = np.random.default_rng(0)
    X, y = random.normal(size=(60, 3)).astype(np.float32), np.arange(60) % 3
    train, validation = np.flatnonzero(y < 2), np.arange(60)
    data = TrainingData(X, y, 3, [(train, validation)])
    grown = grown_fold(learner, data, StopRule("log_loss", max_trees=3))
    output = grown.outputs(X, 3)
    assert output.shape == (60, 3)
    assert output[:, 2].max() < 0.34
    assert np.isfinite(grown.losses).all()


@pytest.mark.parametrize("learner", GROWN)
def test_a_trial_finds_out_its_number_of_trees(data, learner):
    def make():
        return estimator_of(learner, data.task)

    metric = "r2" if data.task == "regression" else "log_loss"
    outcome = run_trial(make, data, metric, at_a_time=2, grow=LEARNERS[learner].grow)
    assert 1 <= outcome.trees < 300

    def made():
        return estimator_of(learner, data.task, **{LEARNERS[learner].grown: outcome.trees})

    plain = run_trial(made, data, metric)
    assert plain.trees is None
    np.testing.assert_allclose(outcome.out_of_fold, plain.out_of_fold, rtol=1e-5)
    assert outcome.evaluation.fold_scores == pytest.approx(plain.evaluation.fold_scores, rel=1e-5)
    for model, (_, validation) in zip(outcome.models, data.folds, strict=True):
        expected = plain.out_of_fold[0, validation]
        np.testing.assert_allclose(outputs(model, data.X[validation], data.classes), expected, rtol=1e-5)


@pytest.mark.parametrize("learner", GROWN)
def test_trees_grow_as_long_as_there_is_time(data, learner):
    def make():
        return estimator_of(learner, data.task, learning_rate=1e-4)

    began = time.monotonic()
    outcome = run_trial(
        make, data, "r2" if data.task == "regression" else "log_loss", grow=LEARNERS[learner].grow, seconds=0
    )
    if learner == "mlp":
        assert outcome.trees <= 20, "parts of a schedule, each of few steps"
        return
    assert outcome.trees == 50, "a model of some use in any case"
    assert time.monotonic() - began < 20


@given(st.lists(st.lists(st.floats(0, 9), min_size=1, max_size=8), min_size=1, max_size=4))
def test_the_best_number_has_the_least_mean_loss(losses):
    trees = best_trees([np.array(loss) for loss in losses])
    common = min(map(len, losses))
    means = [np.mean([loss[count] for loss in losses]) for count in range(common)]
    assert means[trees - 1] == min(means)


@given(st.integers(1, 60))
def test_a_gain_is_waited_for_longer_where_more_trees_were_needed(best):
    rule = StopRule("log_loss")
    count = 0
    while not rule.enough(abs(best - count - 1) + 1):
        count += 1
    assert len(rule.losses) == best + np.ceil(50 + best / 2)


def test_a_target_that_a_few_trees_rank_without_a_fault_has_probabilities_of_use(run_search, yes_or_no):
    """The area under the curve alone would be content with trees that call nothing True."""
    settings = {"time_budget_s": None, "max_trials": 2, "folds": 2, "learners": ("lgbm",), "ensemble": False}
    result = run_search(yes_or_no, target="y", **settings).result
    assert result.metric == "roc_auc"
    assert (result.model.predict(yes_or_no) == yes_or_no["y"]).mean() > 0.85
