"""The phases of a search: named from its first event on, each with its seconds and its score once it is there."""

import pytest

from core.automl import search_phases
from core.progress import Event


def events(count=None):
    """Return the first events of a search of 30 s that made three trials."""

    def at(seconds, phase, **values):
        return Event(phase, None, "", {**values, "elapsed_s": seconds})

    def trial(seconds, number, status, score, best):
        values = {"trial": number, "learner": "lgbm", "status": status, "score": score, "best_score": best}
        return at(seconds, "search", **values)

    reported = [
        at(0.5, "prepare", step="read"),
        at(2.0, "prepare", step="features"),
        at(3.0, "search", features=40, columns=9, rows=500),
        at(3.1, "baseline", learner="prior", status="finished", score=0.5),
        trial(4.0, 1, "failed", None, None),
        at(4.5, "baseline", learner="linear", status="finished", score=0.72),
        trial(5.0, 2, "finished", 0.84, 0.84),
        trial(9.0, 3, "pruned", 0.80, 0.84),
        at(25.0, "finish"),
        at(27.0, "evaluate"),
        at(28.0, "tested", score=0.83, metric="roc_auc"),
        at(28.5, "store"),
    ]
    return reported[:count]


def by_key(phases):
    return {phase.key: phase for phase in phases}


def test_every_phase_has_its_seconds_and_score():
    phases = search_phases(events())
    assert [(phase.key, phase.state, phase.seconds, phase.score) for phase in phases] == [
        ("reading", "done", pytest.approx(1.5), None),
        ("features", "done", pytest.approx(1.0), None),
        ("guessing", "done", pytest.approx(0.1), 0.5),
        ("linear", "done", pytest.approx(1.5), 0.72),
        ("first_model", "done", pytest.approx(2.0), 0.84),
        ("search", "done", pytest.approx(22.0), 0.84),
        ("final_fit", "done", pytest.approx(2.0), None),
        ("test", "done", pytest.approx(1.0), 0.83),
        ("explanation", "active", None, None),
    ]
    notes = by_key(phases)
    assert notes["features"].note == "40 features of 9 columns"
    assert notes["search"].note == "3 trials"
    assert notes["first_model"].note == "LightGBM"


@pytest.mark.parametrize(
    ("count", "done", "active"),
    [
        (0, [], []),
        (1, [], ["reading"]),
        (2, ["reading"], ["features"]),
        (3, ["reading", "features"], ["guessing", "linear", "first_model", "search"]),
        (6, ["reading", "features", "guessing", "linear"], ["first_model", "search"]),
        (9, ["reading", "features", "guessing", "linear", "first_model", "search"], ["final_fit"]),
    ],
)
def test_what_is_at_work_follows_the_events(count, done, active):
    phases = search_phases(events(count), elapsed_s=60.0)
    assert [phase.key for phase in phases if phase.state == "done"] == done
    assert [phase.key for phase in phases if phase.state == "active"] == active
    assert {phase.state for phase in phases} <= {"done", "active", "pending"}


def test_what_is_at_work_has_its_duration_so_far():
    assert by_key(search_phases(events(3), elapsed_s=10.0))["search"].seconds == pytest.approx(7.0)


def test_a_search_that_was_resumed_shows_its_last_attempt():
    phases = by_key(search_phases([*events(6), *events(2)]))
    assert (phases["reading"].state, phases["features"].state, phases["linear"].score) == ("done", "active", None)


def test_what_never_came_is_not_at_work():
    """A linear model that took too long or failed, and a search that was cancelled."""
    reported = [event for event in events() if event.values.get("learner") != "linear"]
    assert by_key(search_phases(reported))["linear"].state == "missed"
    failed = Event("baseline", None, "", {"learner": "linear", "status": "failed", "score": None, "elapsed_s": 9.0})
    assert by_key(search_phases([*events(3), failed]))["linear"].state == "failed"
    assert {phase.state for phase in search_phases(events(5), ended=True)} == {"done", "missed"}
    assert {phase.state for phase in search_phases(events(), elapsed_s=40.0, succeeded=True)} == {"done"}
    assert by_key(search_phases(events(), elapsed_s=40.0, succeeded=True))["explanation"].seconds == pytest.approx(12.0)


def test_events_of_earlier_versions_have_no_seconds():
    """They reported the stages by their names alone."""
    old = [Event("prepare"), Event("prepare"), Event("search"), *events()[6:8], Event("finish"), Event("evaluate")]
    phases = by_key(search_phases(old))
    assert (phases["search"].state, phases["search"].score, phases["search"].seconds) == ("done", 0.84, None)
    assert phases["final_fit"].seconds is None


def test_a_search_reports_its_phases(credit):
    phases = by_key(search_phases(credit.events))
    assert {phase.state for key, phase in phases.items() if key != "explanation"} == {"done"}
    board = credit.result.leaderboard.set_index("learner")["score"]
    assert phases["guessing"].score == board["prior"]
    assert phases["linear"].score == board["linear"]
    assert phases["search"].score == max(trial["score"] for trial in credit.result.trials)
    assert phases["test"].score == credit.result.test_metrics["roc_auc"].value
    assert phases["features"].note.endswith(f"of {len(credit.result.features)} columns")
    assert sum(phase.seconds for key, phase in phases.items() if key in ("features", "search", "final_fit")) > 0
