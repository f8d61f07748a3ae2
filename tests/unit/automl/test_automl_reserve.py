"""The time that is kept for the end of a search: more where more has to be fitted, or the machine is busy."""

import json
import time

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from core.automl import AutoMLSettings, Trial, Trials
from core.automl.data.training_data import TrainingData
from core.automl.ensemble.fold_models import keep_fold_models
from core.automl.refit.refit_worker import RefitWorker
from core.automl.refit.refits import Refits
from core.automl.refit.refitter import BLEND_SHARE, Refitter
from core.automl.tuning.budget import Budget
from core.errors import SearchError, to_record

BUDGET = 100.0
EVALUATION = {"score": 0.7, "score_std": 0.1, "fold_scores": [0.7], "metrics": {"roc_auc": 0.7}}
EVALUATION |= {"fit_s": 0.3, "fold_fit_s": 0.1, "predict_ms_a_row": 0.1, "size_bytes": 10}


class SilentProcess:
    """Takes requests and answers none."""

    ended = False
    error = None

    def __init__(self, *_):
        self.requests = []

    def send(self, line):
        self.requests.append(json.loads(line))

    def kill(self):
        self.ended = True


def trial(number, learner, seconds, score=0.8, **values):
    return Trial(number, learner, {}, "finished", score=score, fold_fit_s=seconds, threads=1, **values)


@pytest.fixture
def make_refitter(tmp_path, monkeypatch):
    monkeypatch.setattr("core.automl.refit.refit_worker.HelperProcess", SilentProcess)
    rows = np.arange(600)
    folds = [(rows[rows % 3 != index], rows[rows % 3 == index]) for index in range(3)]

    def make(pressure=1.0, test_rows=0, y=rows % 2, linear=True, **values):
        data = TrainingData(np.zeros((600, 4), np.float32), y, 2, folds)
        refits = Refits(RefitWorker(tmp_path), data, "roc_auc", 0)
        refits.cores = 2
        settings = AutoMLSettings(target="y", **values)
        refitter = Refitter(refits, settings, test_rows=test_rows, pressure=pressure)
        if linear:
            answer = {"refit_s": 0.1, "threads": 1, "evaluation": EVALUATION}
            (tmp_path / "linear.json").write_text(json.dumps(answer))
            refitter.read(Budget(BUDGET))
        return refitter

    return make


def board(*trials):
    return Trials("roc_auc", list(trials))


def kept(refitter, *trials):
    return refitter.reserve(board(*trials), Budget(BUDGET))


def test_more_to_fit_needs_more_time(make_refitter):
    short, long = (kept(make_refitter(ensemble=False), trial(1, "rf", seconds)) for seconds in (1.0, 10.0))
    assert long - short == pytest.approx(1.6 * 9 * 1.5), "1.6 for safety, and half as many rows more than a fold has"


def test_members_of_a_blend_are_counted_up_to_their_share(make_refitter):
    five = [trial(number, name, 2.0) for number, name in enumerate("abcde", 1)]
    without, with_blend = kept(make_refitter(ensemble=False), *five), kept(make_refitter(), *five)
    assert with_blend > without + 1
    slow = [trial(number, name, 500.0, 0.8 - number / 10) for number, name in enumerate("abcde", 1)]
    reserve = kept(make_refitter(), *slow, trial(9, "f", 0.1, 0.9))
    assert reserve < BLEND_SHARE * BUDGET + 4, "the best is cheap, so no more than the share is kept"


def test_what_is_fitted_already_needs_no_time(make_refitter, tmp_path):
    best = trial(7, "rf", 20.0)
    before = kept(make_refitter(ensemble=False), best)
    (tmp_path / "fit7.json").write_text(json.dumps({"refit_s": 30.0, "threads": 1}))
    assert kept(make_refitter(ensemble=False), best) < before - 30


def test_models_of_the_folds_need_no_time_and_stand_in(make_refitter, tmp_path):
    """The worker never answers: what a forest's folds have left is the model, and nothing is kept for its fit."""
    best = trial(1, "rf", 20.0)
    refitter = make_refitter(ensemble=False)
    without = kept(refitter, best)
    (tmp_path / "oof").mkdir()
    models = [DummyClassifier().fit([[0.0]] * 4, [0, 1, 1, answer]) for answer in (0, 1, 1)]
    assert keep_fold_models(tmp_path / "oof" / "1.npy", models, refitter.refits.data, size_bytes=100)
    assert kept(refitter, best) < without - 40
    began = time.monotonic()
    nearly_over = Budget(BUDGET, clock=lambda: time.monotonic() - began + BUDGET - 1.0)
    final = refitter.finish(board(best), nearly_over, stopped=False, should_stop=lambda: False)
    assert (final.trial, final.refit_s) == (best, 0.0)
    assert final.estimator.predict_proba(np.zeros((1, 4)))[0, 1] == pytest.approx((0.5 + 0.75 + 0.75) / 3)
    assert refitter.refits.findings == []


def test_a_busy_machine_and_many_test_rows_need_more_time_for_the_test(make_refitter):
    best = trial(1, "rf", 0.1)
    calm, many = kept(make_refitter(), best), kept(make_refitter(test_rows=100_000), best)
    assert many - calm == pytest.approx(3.0)
    assert kept(make_refitter(pressure=2.0), best) - calm == pytest.approx(1.0)
    assert kept(make_refitter(pressure=50.0), best) - calm == pytest.approx(3.0), "within reason"


def test_a_linear_model_that_is_still_at_work_needs_a_new_process(make_refitter):
    best = trial(1, "rf", 0.1)
    ready = kept(make_refitter(ensemble=False), best)
    assert kept(make_refitter(ensemble=False, linear=False), best) == pytest.approx(ready + 5.0)


def test_without_a_model_any_that_still_comes_is_waited_for(make_refitter):
    assert kept(make_refitter()) == pytest.approx(1.0)


def test_blend_whose_members_are_not_fitted_in_time_is_not_used(make_refitter, tmp_path, monkeypatch):
    """The worker never answers, so the search ends with the linear model, and the blend is listed without a score."""
    random = np.random.default_rng(0)
    refitter = make_refitter(metric="accuracy", y=random.integers(0, 2, 600))
    truth = np.eye(2)[refitter.refits.data.y]
    trials = []
    for number, name in enumerate("ab", 1):
        (tmp_path / "oof").mkdir(exist_ok=True)
        np.save(tmp_path / "oof" / f"{number}.npy", (truth + random.normal(size=truth.shape))[None].astype(np.float32))
        trials.append(trial(number, name, 0.1, fit_s=0.3, predict_ms_a_row=0.1))
    refitter.refits.worker.load = lambda trial: trial.learner
    for name in ("OVERRUN", "OVERRUN_S"):
        monkeypatch.setattr(f"core.automl.refit.refitter.{name}", 0.0)
    began = time.monotonic()
    nearly_over = Budget(BUDGET, clock=lambda: time.monotonic() - began + BUDGET - 2.5)
    final = refitter.finish(board(*trials), nearly_over, stopped=True, should_stop=lambda: True)
    assert final.trial.learner == "linear"
    assert (refitter.blend.status, refitter.blend.score) == ("timed_out", None)
    assert refitter.refits.worker.ended, "a fit that takes too long is ended"
    assert "2 of 2 chosen models" in refitter.refits.findings[0].message


def test_what_an_interrupted_search_found_is_fitted_although_its_time_is_over(make_refitter, monkeypatch):
    refitter = make_refitter(ensemble=False, linear=False)
    monkeypatch.setattr("core.automl.refit.refit_worker.HelperProcess", AnsweringProcess)
    refitter.refits.worker.restart()
    refitter.refits.worker.load = lambda trial: trial.learner
    best, over = trial(1, "lgbm", 0.1), Budget(BUDGET, clock=lambda: 9.0 * BUDGET)
    with pytest.raises(SearchError, match="could not be fitted"):
        refitter.finish(board(best), over, stopped=True, should_stop=lambda: False)
    assert refitter.finish(board(best), over, stopped=True, should_stop=lambda: False, resumed=True).trial is best


class AnsweringProcess(SilentProcess):
    """Fits LightGBM, and fails with all else."""

    def __init__(self, module, folder):
        super().__init__()
        self.folder = folder

    def send(self, line):
        error = to_record(SearchError("ValueError: too large", "Block this learner."))
        for model in json.loads(line)["models"]:
            answer = {"refit_s": 0.1, "threads": 1} if model["learner"] == "lgbm" else {"error": error}
            (self.folder / f"{model['name']}.json").write_text(json.dumps(answer))


def test_what_fails_on_all_rows_is_reported_and_the_next_best_is_fitted(make_refitter, monkeypatch):
    """An error is not a lack of time."""
    refitter = make_refitter(ensemble=False, linear=False)
    monkeypatch.setattr("core.automl.refit.refit_worker.HelperProcess", AnsweringProcess)
    refitter.refits.worker.restart()
    refitter.refits.worker.load = lambda trial: trial.learner
    best, next_best = trial(1, "rf", 0.1, 0.9), trial(2, "lgbm", 0.1, 0.8)
    budget = Budget(BUDGET)
    final = refitter.finish(board(next_best, best), budget, stopped=True, should_stop=lambda: False)
    assert final.trial is next_best
    message = refitter.refits.findings[0].message
    assert "(Random forest 1) could not be fitted on all rows (ValueError: too large)" in message
    with pytest.raises(SearchError, match=r"could not be fitted on all rows \(ValueError: too large\)") as caught:
        refitter.finish(board(best), budget, stopped=True, should_stop=lambda: False)
    assert "Block this learner" in caught.value.hint
