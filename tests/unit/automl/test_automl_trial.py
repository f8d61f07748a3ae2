"""One trial: every metric is scikit-learn's on the folds, classes weigh what was asked, repeats are kept."""

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from core.automl import LEARNERS, AutoMLSettings, build_estimator, metric_choices, prepare
from core.automl._fitting import fit, outputs
from core.automl.data.training_data import TrainingData
from core.automl.learners.linear import linear
from core.automl.tuning.cross_validation import fold_repeats, run_trial, summarize
from core.datasets import load_sample

TABLES = {
    "binary": ("german_credit", "credit"),
    "multiclass": ("wine", "cultivar"),
    "regression": ("diabetes", "progression"),
}


def data_of(task, **values):
    name, target = TABLES[task]
    return prepare(load_sample(name).frame, AutoMLSettings(target=target, **{"folds": 3} | values)).data


def of_scikit(name, y, output):
    if output.ndim == 1:
        return {
            "r2": sk.r2_score,
            "rmse": sk.root_mean_squared_error,
            "mae": sk.mean_absolute_error,
            "mape": sk.mean_absolute_percentage_error,
        }[name](y, output)
    two, codes = output.shape[1] == 2, output.argmax(axis=1)
    match name:
        case "roc_auc":
            return sk.roc_auc_score(y, output[:, 1] if two else output, multi_class="ovr", average="weighted")
        case "average_precision":
            item = np.eye(output.shape[1])[y]
            return (
                sk.average_precision_score(y, output[:, 1])
                if two
                else sk.average_precision_score(item, output, average="weighted")
            )
        case "log_loss":
            return sk.log_loss(y, output / output.sum(axis=1, keepdims=True), labels=range(output.shape[1]))
        case "accuracy":
            return sk.accuracy_score(y, codes)
        case "balanced_accuracy":
            return sk.balanced_accuracy_score(y, codes)
    return sk.f1_score(y, codes, average=name.removeprefix("f1_"))


@pytest.mark.parametrize("task", TABLES)
def test_every_metric_of_a_task_is_scikit_learns_on_the_folds(task):
    """FLAML gives an infinite loss for several of these with three classes, and says nothing."""
    data = data_of(task)
    for metric in metric_choices(task):
        outcome = run_trial(
            lambda: build_estimator("xgb_limitdepth", {"n_estimators": 8, "max_depth": 3}, task, jobs=1, seed=0),
            data,
            metric,
        )
        record, predicted = outcome.evaluation, outcome.out_of_fold
        expected = [of_scikit(metric, data.y[part], predicted[0, part].astype(float)) for _, part in data.folds]
        assert record.fold_scores == pytest.approx(expected, abs=1e-6), metric
        assert record.score == pytest.approx(np.mean(expected), abs=1e-6)
        assert set(record.metrics) == set(metric_choices(task))


def test_weighted_classes_are_scikit_learns_balanced():
    data = data_of("binary", class_weights=True)
    own = fit(linear("binary", seed=0), data.X, data.y, data)
    theirs = make_pipeline(
        StandardScaler(), LogisticRegression(solver="newton-cholesky", max_iter=100, class_weight="balanced")
    ).fit(data.X, data.y)
    assert np.allclose(own.predict_proba(data.X), theirs.predict_proba(data.X), atol=1e-6)


@pytest.mark.parametrize("learner", LEARNERS)
def test_weighted_classes_make_a_learner_find_the_rare_one(learner):
    config = {"n_estimators": 20, "max_leaves": 8, "num_leaves": 8, "max_depth": 3, "depth": 3, "learning_rate": 0.3}
    known = {
        "lgbm": ("n_estimators", "num_leaves"),
        "gam": (),
        "mlp": (),
        "catboost": ("n_estimators", "depth", "learning_rate"),
        "xgb_limitdepth": ("n_estimators", "max_depth"),
    }
    own = {name: config[name] for name in known.get(learner, ("n_estimators", "max_leaves"))}
    shares = []
    for weighted in (False, True):
        data = data_of("binary", class_weights=weighted)
        model = fit(build_estimator(learner, own, "binary", jobs=1, seed=0), data.X, data.y, data)
        shares.append(outputs(model, data.X, 2)[:, 0].mean())
    assert np.bincount(data.y).argmin() == 0
    assert shares[1] > shares[0] + 0.05, "the rare class has half of the weight, so half of the probability"


def test_each_repeat_has_its_own_predictions():
    data = data_of("binary", folds=4, cv_repeats=3)
    outcome = run_trial(lambda: linear("binary", seed=0), data, "roc_auc")
    record, predicted = outcome.evaluation, outcome.out_of_fold
    assert predicted.shape == (3, len(data.y), 2)
    assert np.isfinite(predicted).all()
    assert fold_repeats(data.folds, len(data.y)) == [0] * 4 + [1] * 4 + [2] * 4
    assert summarize(predicted, data, "roc_auc").fold_scores == record.fold_scores
    for index, (train, part) in enumerate(data.folds):
        model = linear("binary", seed=0).fit(data.X[train], data.y[train])
        assert np.allclose(predicted[index // 4, part], model.predict_proba(data.X[part]), atol=1e-5)


def test_rows_that_are_never_validated_have_no_prediction():
    data = data_of("regression")
    half = TrainingData(data.X, data.y, 0, data.folds[:1])
    outcome = run_trial(lambda: linear("regression", seed=0), half, "rmse")
    record, predicted = outcome.evaluation, outcome.out_of_fold
    assert np.isfinite(predicted[0]).sum() == len(data.folds[0][1])
    assert record.score_std is None
