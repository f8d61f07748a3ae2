"""The files of a run: its log stays bounded, its outcome is whole or absent."""

import json
import os
import time

import pytest

from core.errors import PlumblineError, StoppedError
from core.jobs.outcome import Outcome, clear_outcome, outcome_age_s, read_outcome, write_outcome
from core.jobs.run_log import LOG_NAME, shorten, tail


def test_log_that_grew_too_long_keeps_its_end_and_says_so(tmp_path):
    path = tmp_path / LOG_NAME
    with open(path, "ab", buffering=0) as appending:  # as the run's processes do
        for number in range(1000):
            appending.write(f"line {number}\n".encode())
        shorten(tmp_path, limit=5000, kept=500)
        appending.write(b"next line\n")
    text = path.read_text()
    assert text.startswith("[the first 0.0 MB of this log were dropped]\n")
    assert text.endswith("line 998\nline 999\nnext line\n")
    assert len(text) < 600
    shorten(tmp_path, limit=5000, kept=500)
    assert path.read_text() == text


def test_log_that_is_missing_or_cut_within_a_character(tmp_path):
    shorten(tmp_path)
    assert tail(tmp_path, 100) == ""
    (tmp_path / LOG_NAME).write_text("ä")
    assert tail(tmp_path, 1) == "�"


def test_outcome_round_trip(tmp_path):
    assert read_outcome(tmp_path) is None
    assert outcome_age_s(tmp_path) == 0
    write_outcome(tmp_path, Outcome(result={"score": 0.5}))
    assert read_outcome(tmp_path) == Outcome(result={"score": 0.5})
    write_outcome(tmp_path, Outcome(error=StoppedError("Stopped at step 4.", "Resume it.")))
    error = read_outcome(tmp_path).error
    assert isinstance(error, StoppedError)
    assert (error.message, error.hint) == ("Stopped at step 4.", "Resume it.")
    os.utime(tmp_path / "outcome.json", (time.time() - 30, time.time() - 30))
    assert outcome_age_s(tmp_path) == pytest.approx(30, abs=1)
    clear_outcome(tmp_path)
    clear_outcome(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "error_type"),
    [
        ({"result": None, "message": "No.", "hint": "Try.", "stopped": False}, PlumblineError),
        ({"result": None, "message": "No.", "hint": None, "stopped": True}, StoppedError),
    ],
)
def test_outcome_of_an_earlier_version_is_read(tmp_path, values, error_type):
    (tmp_path / "outcome.json").write_text(json.dumps(values))
    error = read_outcome(tmp_path).error
    assert type(error) is error_type
    assert (error.message, error.hint) == ("No.", values["hint"] or "")
    (tmp_path / "outcome.json").write_text('{"result": {"score": 1}, "message": null, "hint": null, "stopped": false}')
    assert read_outcome(tmp_path) == Outcome(result={"score": 1})


@pytest.mark.parametrize("result", [{"score": float("nan")}, {"set": {1}}])
def test_outcome_that_is_not_json_leaves_nothing(tmp_path, result):
    with pytest.raises((TypeError, ValueError)):
        write_outcome(tmp_path, Outcome(result=result))
    assert list(tmp_path.iterdir()) == []
