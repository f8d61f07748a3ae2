"""The time that is kept for the end of a search: more where more has to be fitted, or the machine is busy."""

import json
import time
from types import SimpleNamespace

import numpy as np
import pytest

from core.automl import AutoMLSettings
from core.automl.data.training_data import TrainingData
from core.automl.refit.refitter import BLEND_SHARE, Finisher
from core.automl.tuning.budget import Budget
from core.errors import SearchError


class NoHelper:
    """Takes requests and answers none."""

    ended = False

    def __init__(self, *_):
        self.asked = []

    def send(self, line):
        self.asked.append(json.loads(line))

    def kill(self):
        self.ended = True


def trial(number, learner, seconds, score=0.8):
    return {
        "trial": number,
        "learner": learner,
        "status": "finished",
        "score": score,
        "fold_fit_s": seconds,
        "threads": 1,
        "config": {},
    }


@pytest.fixture
def finisher(tmp_path, monkeypatch):
    monkeypatch.setattr("core.automl.refit.refits.Helper", NoHelper)
    rows = np.arange(600)
    folds = [(rows[rows % 3 != place], rows[rows % 3 == place]) for place in range(3)]
    data = TrainingData(np.zeros((600, 4), np.float32), rows % 2, 2, folds)

    def make(pressure=1.0, test_rows=0, **values):
        found = Finisher(tmp_path, AutoMLSettings(target="y", **values))
        found.plan(SimpleNamespace(data=data, metric="roc_auc", y_test=np.zeros(test_rows)), pressure)
        found._cores = 2
        (tmp_path / "linear.json").write_text(json.dumps({"refit_s": 0.1, "score": 0.7, "fold_fit_s": 0.1}))
        found.read()
        return found

    return make


def under_way(*trials):
    best = max(trials, key=lambda each: each["score"], default=None)
    return SimpleNamespace(best=best, best_by_learner=lambda: list(trials), stopped=False)


BUDGET = 100.0


def kept(finisher, run):
    return finisher.reserve(run, Budget(time.time(), BUDGET))


def test_more_to_fit_needs_more_time(finisher):
    short, long = (kept(finisher(ensemble=False), under_way(trial(1, "rf", seconds))) for seconds in (1.0, 10.0))
    assert long - short == pytest.approx(1.6 * 9 * 1.5), "1.6 for safety, and half as many rows more than a fold has"


def test_members_of_a_blend_are_counted_up_to_their_share(finisher):
    five = under_way(*(trial(place, name, 2.0) for place, name in enumerate("abcde", 1)))
    without, with_blend = kept(finisher(ensemble=False), five), kept(finisher(), five)
    assert with_blend > without + 1
    dear = under_way(
        *(trial(place, name, 500.0, 0.8 - place / 10) for place, name in enumerate("abcde", 1)), trial(9, "f", 0.1, 0.9)
    )
    assert kept(finisher(), dear) < BLEND_SHARE * BUDGET + 4, "the best is cheap, so no more than the share is kept"


def test_what_is_fitted_already_needs_no_time(finisher, tmp_path):
    run = under_way(trial(7, "rf", 20.0))
    before = kept(finisher(ensemble=False), run)
    (tmp_path / "fit7.json").write_text(json.dumps({"refit_s": 30.0, "threads": 1}))
    assert kept(finisher(ensemble=False), run) < before - 30


def test_a_busy_machine_and_many_test_rows_need_more_time_for_the_test(finisher):
    run = under_way(trial(1, "rf", 0.1))
    calm, many = kept(finisher(), run), kept(finisher(test_rows=100_000), run)
    assert many - calm == pytest.approx(3.0)
    assert kept(finisher(pressure=2.0), run) - calm == pytest.approx(1.0)
    assert kept(finisher(pressure=50.0), run) - calm == pytest.approx(3.0), "within reason"


def test_a_linear_model_that_is_still_at_work_needs_a_new_helper(finisher, tmp_path):
    busy = finisher(ensemble=False)
    run = under_way(trial(1, "rf", 0.1))
    ready = kept(busy, run)
    busy.linear = None
    assert kept(busy, run) == pytest.approx(ready + 5.0)


def test_without_a_model_any_that_still_comes_is_waited_for(finisher):
    assert kept(finisher(), under_way()) == pytest.approx(1.0)


def test_blend_whose_members_are_not_fitted_in_time_is_not_used(finisher, tmp_path):
    """The helper never answers: what is fitted already wins, and the blend is listed without a score."""
    random = np.random.default_rng(0)
    found = finisher(metric="accuracy")
    found.data = TrainingData(found.data.X, random.integers(0, 2, 600), 2, found.data.folds)
    truth = np.eye(2)[found.data.y]
    ranked = []
    for number, name in enumerate("ab", 1):
        (tmp_path / "oof").mkdir(exist_ok=True)
        np.save(tmp_path / "oof" / f"{number}.npy", (truth + random.normal(size=truth.shape))[None].astype(np.float32))
        ranked.append(trial(number, name, 0.1) | {"fit_s": 0.3, "predict_ms_a_row": 0.1})
    budget = Budget(time.time() - 50.0, BUDGET)
    used = found._blended(SimpleNamespace(stopped=True), ranked, budget, time.time() + 0.3)
    assert used is None
    assert (found.blend["status"], found.blend["score"]) == ("timed_out", None)
    assert found.helper.ended, "a fit that takes too long is ended"
    assert "2 of 2 models" in found.findings[0].message


def test_what_fails_on_all_rows_is_told_and_the_next_best_is_fitted(finisher, tmp_path):
    """An error is no lack of time."""

    class Answers(NoHelper):
        def send(self, line):
            for model in json.loads(line)["models"]:
                good = model["learner"] == "lgbm"
                answer = {"refit_s": 0.1, "threads": 1} if good else {"error": "ValueError: too large"}
                (tmp_path / f"{model['name']}.json").write_text(json.dumps(answer))

    found = finisher(ensemble=False)
    found.helper = Answers()
    found.load = lambda name: name
    best, next_best = trial(1, "rf", 0.1, 0.9), trial(2, "lgbm", 0.1, 0.8)
    found.linear = found.linear | {"status": "failed"}
    run = SimpleNamespace(trials=[next_best, best], stopped=False, rank=lambda each: -each["score"])
    budget = Budget(time.time(), BUDGET)
    assert found.finish(run, budget, lambda: False).trial is next_best
    assert "number 1, rf) could not be fitted on all rows (ValueError: too large)" in found.findings[0].message
    run.trials = [best]
    with pytest.raises(SearchError, match=r"could not be fitted on all rows \(ValueError: too large\)") as caught:
        found.finish(run, budget, lambda: False)
    assert "Block this learner" in caught.value.hint
