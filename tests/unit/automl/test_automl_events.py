"""The events of a worker: each is read once, also while a line is being written, and a cut-off line is removed."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from core.automl import Trial
from core.automl.tuning.event_file import EVENTS, append_trial, read_events, read_trials, truncate_partial_line

FIRST = Trial(1, "rf", {"max_leaves": 8}, "finished", score=0.5, metrics={"roc_auc": 0.5})
THIRD = Trial(3, "rf", {}, "failed", message="ValueError: no")


@given(st.lists(st.text(max_size=30), max_size=12), st.data())
@settings(max_examples=60, deadline=None)
def test_each_event_is_read_once_wherever_the_file_was_cut(tmp_path_factory, texts, data):
    folder = tmp_path_factory.mktemp("events")
    lines = "".join(json.dumps({"event": "start", "learner": text}) + "\n" for text in texts).encode()
    cuts = sorted({*data.draw(st.lists(st.integers(0, len(lines)), max_size=5)), len(lines)})
    events, position = [], 0
    for cut in cuts:
        (folder / EVENTS).write_bytes(lines[:cut])
        new, position = read_events(folder, position)
        events += new
    assert [event["learner"] for event in events] == texts
    assert position == len(lines)


def test_no_file_has_no_events(tmp_path):
    assert read_events(tmp_path) == ([], 0)
    truncate_partial_line(tmp_path)
    assert read_events(tmp_path, 7) == ([], 7)


def test_a_line_that_was_cut_off_is_taken_away(tmp_path):
    append_trial(tmp_path / EVENTS, FIRST)
    with open(tmp_path / EVENTS, "a") as file:
        file.write('{"trial": 2, "sco')
    truncate_partial_line(tmp_path)
    append_trial(tmp_path / EVENTS, THIRD)
    assert read_trials(tmp_path) == [FIRST, THIRD]
