"""The files of a run: its log stays bounded, its outcome is whole or absent."""

import pytest

from core.errors import StoppedError
from core.jobs.outcome import Outcome, has_outcome, read_outcome, remove_outcome, write_outcome
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
    assert read_outcome(tmp_path, 1) is None
    assert not has_outcome(tmp_path, 1)
    write_outcome(tmp_path, 1, Outcome(result={"score": 0.5}))
    assert has_outcome(tmp_path, 1)
    assert read_outcome(tmp_path, 1) == Outcome(result={"score": 0.5})
    write_outcome(tmp_path, 2, Outcome(error=StoppedError("Stopped at step 4.", "Resume it.")))
    error = read_outcome(tmp_path, 2).error
    assert isinstance(error, StoppedError)
    assert (error.message, error.hint) == ("Stopped at step 4.", "Resume it.")
    assert read_outcome(tmp_path, 1).result == {"score": 0.5}, "each attempt has its own"
    for attempt in (1, 2, 2):
        remove_outcome(tmp_path, attempt)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("result", [{"score": float("nan")}, {"set": {1}}])
def test_outcome_that_is_not_json_leaves_nothing(tmp_path, result):
    with pytest.raises((TypeError, ValueError)):
        write_outcome(tmp_path, 1, Outcome(result=result))
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_attempt_left_half_written_goes_with_the_outcome(tmp_path):
    write_outcome(tmp_path, 3, Outcome(result={"rows": 1}))
    for name in (".outcome-2.json.4ed13fd0.partial", ".outcome-3.json.00000000.partial"):
        (tmp_path / name).write_text('{"result": ')
    later = tmp_path / ".outcome-4.json.12345678.partial"
    later.write_text("{")
    (tmp_path / "log.txt").write_text("said")
    remove_outcome(tmp_path, 3)
    assert {path.name for path in tmp_path.iterdir()} == {"log.txt", later.name}
