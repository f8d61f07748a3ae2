"""The mean of the models of the folds as the final model: it is what was measured, and can be made again."""

import numpy as np
import pytest

from core.automl import AutoMLSettings, build_estimator, prepare
from core.automl.ensemble import fold_models
from core.automl.ensemble.fold_models import first_folds, keep_fold_models, prefers_fold_models
from core.datasets import load_sample

BASE = {"target": "progression", "time_budget_s": None, "max_trials": 3, "folds": 4, "ensemble": False}


@pytest.fixture(scope="module")
def searched(run_search):
    return run_search(load_sample("diabetes").frame, learners=("lgbm",), **BASE)


def models_of(searched, **settings):
    """Return the models of the folds, fitted here, and the prepared table."""
    prepared = prepare(searched.frame, AutoMLSettings(**BASE | {"learners": ("lgbm",)} | settings))
    winner, data = searched.result.winner, prepared.data
    models = [
        build_estimator(winner["learner"], winner["config"], data.task, jobs=1, seed=0).fit(data.X[rows], data.y[rows])
        for rows, _ in data.folds
    ]
    return models, prepared


def test_the_final_model_is_the_mean_of_the_models_of_the_folds(searched):
    result = searched.result
    assert (result.winner["learner"], result.winner["fitted"], result.winner["refit_s"]) == ("lgbm", 4, 0.0)
    models, prepared = models_of(searched)
    X = prepared.encoder.transform(searched.frame)
    expected = np.mean([model.predict(X) for model in models], axis=0)
    np.testing.assert_allclose(result.model.predict(searched.frame), expected, rtol=1e-5)


def test_what_was_measured_is_about_these_very_models(searched):
    models, prepared = models_of(searched)
    own = searched.result.oof.set_index("row_id")["prediction"]
    for model, (_, validation) in zip(models, prepared.data.folds, strict=True):
        predicted = model.predict(prepared.data.X[validation])
        np.testing.assert_allclose(own.loc[prepared.train_rows[validation]], predicted, rtol=1e-5)


def test_one_model_on_all_rows_where_that_is_asked_for(run_search, searched):
    single = run_search(searched.frame, learners=("lgbm",), bagging=False, **BASE).result
    assert single.winner["fitted"] == 1
    assert single.winner["score"] == searched.result.winner["score"]
    assert single.winner["refit_s"] > 0
    assert not np.allclose(single.model.predict(searched.frame), searched.result.model.predict(searched.frame))


def test_only_boosted_trees_on_few_rows_are_better_so(searched, monkeypatch):
    data = models_of(searched)[1].data
    assert prefers_fold_models("lgbm", data)
    assert not prefers_fold_models("rf", data)
    assert not prefers_fold_models("linear", data)
    monkeypatch.setattr(fold_models, "MAX_ROWS", len(data.y) - 1)
    assert not prefers_fold_models("lgbm", data)


def test_of_repeats_the_first_is_kept_and_nothing_that_is_too_large(searched, tmp_path):
    _, prepared = models_of(searched, cv_repeats=2)
    data = prepared.data
    assert len(data.folds) == 8
    assert [rows[1].tolist() for rows in first_folds(data)] == [rows[1].tolist() for rows in data.folds[:4]]
    models = list(range(8))
    assert keep_fold_models(tmp_path / "1.npy", models, data, size_bytes=10)
    assert not keep_fold_models(tmp_path / "2.npy", models, data, size_bytes=100_000_000)
    assert [path.name for path in tmp_path.iterdir()] == ["1.joblib"]
