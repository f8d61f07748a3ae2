"""What a search survives: trials without end, helpers that are killed, its own end and beginning anew; none is left."""

import time

import numpy as np
import pytest

from core.automl import AutoMLSettings, search
from core.datasets import load_sample
from core.errors import InputError


def until(condition):
    """Wait until a condition holds."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def beset(run_search, helpers, quick, tmp_path_factory):
    """Five trials: two are endless, one fails. The first endless one is ended; in the second, helpers are killed."""
    folder = tmp_path_factory.mktemp("beset")
    learner, config = quick
    endless = [learner, config | {"n_estimators": 10_000_000}]
    broken = [learner, config | {"subsample": 7.0}]

    def watch(event):
        if event.values.get("trial") == 2 and event.values["status"] == "timed_out":
            until(lambda: any('"trial": 3' in path.read_text() for path in folder.rglob("events.jsonl")))
            for process in helpers():
                process.kill()

    return run_search(
        load_sample("wine").frame,
        watch=watch,
        workdir=folder,
        target="cultivar",
        trial_timeout_s=1.5,
        time_budget_s=None,
        max_trials=5,
        folds=2,
        configs=[quick, endless, endless, broken, quick],
    )


def test_endless_trial_is_ended_and_the_search_goes_on(beset):
    trials = beset.result.trials
    assert [trial["trial"] for trial in trials] == [1, 2, 3, 4, 5]
    assert [trial["status"] for trial in trials] == ["finished", "timed_out", "failed", "failed", "finished"]
    assert "its limit of 1.5 s" in trials[1]["message"]
    assert 1.5 <= trials[1]["seconds"] < 1.5 + 2  # no trial lives longer
    assert "its process was ended by the signal SIGKILL" in trials[2]["message"]
    assert beset.result.stop_code == "trials"


def test_broken_trial_says_why(beset):
    assert "subsample" in beset.result.trials[3]["message"]
    actual = [finding for finding in beset.result.findings if finding.check == "trials"]
    assert "3 of 5 trials gave no score" in actual[0].message


def test_killed_helpers_cost_no_model(beset):
    """Searcher and finisher are gone after the second trial; new ones do the rest, and the best is fitted."""
    result = beset.result
    assert result.trials[0]["score"] == pytest.approx(result.trials[4]["score"])
    assert not [finding for finding in result.findings if finding.check == "refit"]
    assert result.winner["score"] == result.leaderboard["score"].iloc[0]
    assert beset.left == []


def test_trials_without_a_score_are_in_the_leaderboard(beset):
    board = beset.result.leaderboard.set_index("trial")
    assert board.loc[2, "status"] == "timed_out"
    assert np.isnan(board.loc[2, "score"])


@pytest.fixture(scope="module")
def ended(run_search, yes_or_no, tmp_path_factory):
    """A search that its budget ends, and the same search once more in the same folder, stopped two trials later."""
    folder = tmp_path_factory.mktemp("work")
    values = {
        "target": "y",
        "time_budget_s": 8,
        "folds": 2,
        "early_stopping": False,
        "trial_timeout_s": 5,
        "workdir": folder,
        "learners": ("lgbm", "rf"),
    }
    first = run_search(yes_or_no, **values)
    items = []
    limit = len(first.result.trials) + 2
    second = run_search(
        yes_or_no,
        **values | {"time_budget_s": 60},
        watch=lambda event: items.append(event) if "trial" in event.values else None,
        should_stop=lambda: len(items) >= limit,
    )
    return first, second


def test_time_budget_is_kept(ended):
    first, _ = ended
    assert first.result.stop_code == "budget"
    assert first.result.model_ready_s <= first.result.elapsed_s <= 8 * 1.02 + 2
    assert len(first.result.trials) > 0


def test_search_goes_on_from_its_trials(ended):
    first, second = ended
    kept = len(first.result.trials)
    assert second.result.trials[:kept] == first.result.trials
    numbers = [trial["trial"] for trial in second.result.trials]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= kept + 2
    assert {trial["status"] for trial in second.result.trials} <= {"finished", "pruned"}, (
        "what was cut off is not a timeout"
    )


def test_stop_keeps_the_best(ended):
    _, second = ended
    result = second.result
    assert result.stop_code == "stopped"
    assert result.winner["score"] == result.leaderboard["score"].iloc[0]
    assert result.test_metrics["roc_auc"].low > 0.8


def test_boolean_labels_are_kept(ended, yes_or_no):
    result = ended[1].result
    assert result.labels == [False, True]
    assert result.model.classes_.tolist() == [False, True]
    predicted = result.model.predict(yes_or_no)
    assert predicted.dtype == bool
    assert (predicted == yes_or_no["y"]).mean() > 0.8


def test_no_process_is_left(ended, credit, diabetes):
    assert [searched.left for searched in (*ended, credit, diabetes)] == [[]] * 4


class Interrupted(BaseException):
    """What ends a run's process from inside."""


@pytest.mark.parametrize("error", [ValueError, Interrupted])
def test_no_process_is_left_by_an_error(error, helpers, yes_or_no, tmp_path):
    def report(event):
        until(lambda: len(helpers()) >= 2)
        raise error("in the caller's report")

    with pytest.raises(error, match="report"):
        search(yes_or_no, AutoMLSettings(target="y"), report=report, workdir=tmp_path)
    assert helpers() == []


def test_no_process_is_left_by_a_table_that_cannot_be_learned(helpers, yes_or_no):
    began = time.perf_counter()
    with pytest.raises(InputError, match="only one value"):
        search(yes_or_no.assign(y="same"), AutoMLSettings(target="y"))
    assert helpers() == []
    assert time.perf_counter() - began < 5
