"""Learners and metrics of an extension go all the way: settings, search, leaderboard, test, verdict, file."""

import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import matthews_corrcoef

from core.automl import (
    LEARNERS,
    METRICS,
    AutoMLResult,
    AutoMLSettings,
    Metric,
    Trial,
    learner_title,
    metric_choices,
    search,
)
from core.automl.tuning.budget import Budget
from core.automl.tuning.worker import WorkerHandle
from core.automl.tuning.worker_plan import WorkerPlan
from core.datasets import load_sample
from core.errors import SearchError, SettingsError, UnexpectedError
from core.evaluation import ConfusionCounts, Sums, compare_outputs, compute_metrics
from core.registry import load_extensions
from core.settings import get_settings

MODULE = "tests.unit.automl.extension"
BASE = {"time_budget_s": None, "folds": 3, "explain": False}


@pytest.fixture(scope="module")
def extension():
    """The extension, in this process and in those that it starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLUMBLINE_EXTENSIONS", f'["{MODULE}"]')
        get_settings.cache_clear()
        load_extensions.cache_clear()
        load_extensions()
        yield sys.modules[MODULE]
    for name in ("knn", "broken", "spaceless"):
        LEARNERS.remove(name)
    METRICS.remove("mcc")
    del sys.modules[MODULE]
    get_settings.cache_clear()
    load_extensions.cache_clear()


@pytest.fixture(scope="module")
def searched(extension, run_search):
    return run_search(
        load_sample("wine").frame,
        target="cultivar",
        metric="mcc",
        learners=("knn", "rf", "broken"),
        max_trials=9,
        ensemble=False,  # a blend makes no error here, so it would have no interval
        calibrate=False,  # nor does a calibrated model
        **BASE,
    )


def test_a_learner_of_an_extension_is_searched_and_listed(searched):
    result = searched.result
    assert {trial.learner for trial in result.trials} == {"knn", "rf", "broken"}
    assert all(trial.status == "finished" for trial in result.trials if trial.learner != "broken")
    listed = result.leaderboard[result.leaderboard["learner"] == "knn"]
    assert len(listed) == 3
    assert listed["config"].iloc[0].keys() == {"n_neighbors", "weights"}
    assert learner_title("knn") == "Nearest neighbors"
    assert [event.message for event in searched.trial_events if "Nearest neighbors" in event.message]


def test_a_learner_that_fails_in_every_trial_is_an_alert(searched):
    result = searched.result
    (alert,) = [finding for finding in result.findings if finding.check == "learner"]
    assert alert.level == "alert"
    assert alert.message == "Broken neighbors failed in all of its 3 trials; the first: KeyError: 'no_such_column'."
    assert {trial.message for trial in result.trials if trial.learner == "broken"} == {"KeyError: 'no_such_column'"}


def test_a_metric_of_an_extension_decides_the_search_and_the_verdict(searched):
    result = searched.result
    assert "mcc" in metric_choices("binary")
    assert result.metric == "mcc"
    assert result.leaderboard.loc[result.leaderboard["status"] == "finished", "mcc"].notna().all()
    truth = result.test["cultivar"]
    mcc = result.test_metrics["mcc"]
    assert mcc.value == pytest.approx(matthews_corrcoef(truth, result.test["prediction"]))
    assert mcc.low <= mcc.value <= mcc.high
    assert result.baseline_metrics["prior"]["mcc"].value == 0
    assert result.verdict.startswith("Better than guessing by ")
    assert " MCC [" in result.verdict


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_model_of_an_extension_is_saved_and_loaded(task, extension, run_search, tmp_path):
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.uniform(-1, 1, (300, 2)), columns=["a", "b"])
    product = frame["a"] * frame["b"]  # nothing that a linear model could find
    frame["y"] = np.where(product > 0, "same", "other") if task == "binary" else product
    result = run_search(frame, target="y", learners=("knn",), ensemble=False, max_trials=3, **BASE).result
    assert result.winner["learner"] == "knn"
    result.save(tmp_path)
    loaded = AutoMLResult.load(tmp_path)
    assert np.array_equal(loaded.model.predict(frame), result.model.predict(frame))
    assert loaded.trials == result.trials


def test_an_error_of_a_worker_is_raised_by_the_search(extension, helpers):
    """Never as a lack of memory."""
    settings = AutoMLSettings(target="cultivar", learners=("spaceless",), max_trials=3, **BASE)
    with pytest.raises(UnexpectedError, match="KeyError: 'no_such_space'") as caught:
        search(load_sample("wine").frame, settings)
    assert "memory" not in str(caught.value)
    assert helpers() == []


def test_class_weights_that_a_learner_does_not_take_are_an_alert(extension, run_search):
    values = BASE | {"learners": ("knn",), "max_trials": 2, "class_weights": True}
    result = run_search(load_sample("wine").frame, target="cultivar", **values).result
    (alert,) = [finding for finding in result.findings if finding.check == "learner"]
    assert "takes no weights of rows or classes" in alert.message


def test_names_of_no_registry_are_refused_with_the_nearest(extension):
    with pytest.raises(SettingsError, match=r"Unknown learner 'knnn'\. Did you mean 'knn'\?"):
        AutoMLSettings(target="y", learners=("knnn",))
    with pytest.raises(SettingsError, match=r"Unknown metric 'mc'\. Did you mean 'mcc'\?"):
        AutoMLSettings(target="y", metric="mc")


class Died:
    """A process that the operating system has ended."""

    ended = failed = True
    error = None
    exit_reason = "ended by the signal SIGKILL"
    usual_cause = "the usual cause is too little memory"

    def __init__(self, *_):
        pass

    def collect(self):
        pass

    def kill(self):
        pass


def test_only_a_process_that_was_killed_is_said_to_be(tmp_path, monkeypatch):
    monkeypatch.setattr("core.automl.tuning.worker.HelperProcess", Died)
    worker = WorkerHandle(tmp_path / "worker")
    worker.start(WorkerPlan("", "roc_auc", ("rf",), 0, 1, False))
    for _ in range(4):
        worker.supervise(None, Budget(None))
    assert isinstance(worker.failure, SearchError)
    assert "ended by the signal SIGKILL, 4 times in a row; the usual cause is too little memory" in str(worker.failure)


def test_a_function_and_a_formula_over_counts_are_the_same_metric(extension):
    """The fallback, one weighting after the other, against a formula over shared counts."""

    def mcc_of_counts(counts):
        right, total = np.einsum("bii->b", counts), counts.sum(axis=(1, 2))
        actual, predicted = counts.sum(axis=2), counts.sum(axis=1)
        spread = (total**2 - (predicted**2).sum(axis=1)) * (total**2 - (actual**2).sum(axis=1))
        covariance = right * total - (actual * predicted).sum(axis=1)
        return np.where(spread > 0, covariance / np.sqrt(spread), 0.0)

    METRICS.add(Metric("fast_mcc", "MCC, fast", True, ("multiclass",), sums=Sums(ConfusionCounts, mcc_of_counts)))
    try:
        random = np.random.default_rng(0)
        y, output = random.integers(0, 3, 120), random.dirichlet(np.ones(3), 120)
        scores = compute_metrics(["mcc", "fast_mcc"], y, output)
        assert scores["mcc"] == pytest.approx(scores["fast_mcc"])
        estimates = compare_outputs("multiclass", "mcc", y, {"model": output}).metrics["model"]
        assert estimates["mcc"].to_dict() == pytest.approx(estimates["fast_mcc"].to_dict())
    finally:
        METRICS.remove("fast_mcc")


def test_a_metric_needs_one_definition():
    with pytest.raises(ValueError, match="needs either sums or a function"):
        Metric("empty", "Empty", True, ("binary",))


def test_a_trial_is_its_record_and_reads_records_of_other_versions():
    trial = Trial(2, "rf", {"max_leaves": 4}, "failed", at=5.0, seconds=1.0, message="ValueError: no")
    record = trial.to_record()
    assert record == {
        "event": "trial",
        "trial": 2,
        "learner": "rf",
        "config": {"max_leaves": 4},
        "status": "failed",
        "at": 5.0,
        "seconds": 1.0,
        "message": "ValueError: no",
    }
    assert Trial.from_record(record | {"of_a_later_version": 1}) == trial
    assert (trial["trial"], trial["score"], trial.get("score", 0.5)) == (2, None, 0.5)
    with pytest.raises(KeyError):
        trial["number"]
