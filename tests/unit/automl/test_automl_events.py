"""The events of a searcher: read once each, also while a line is being written, and mended where one was cut off."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from core.automl.tuning.worker_main import EVENTS, append, mend, read_events


@given(st.lists(st.text(max_size=30), max_size=12), st.data())
@settings(max_examples=60, deadline=None)
def test_each_event_is_read_once_wherever_the_file_was_cut(tmp_path_factory, texts, data):
    folder = tmp_path_factory.mktemp("events")
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
    cuts = sorted({*data.draw(st.lists(st.integers(0, len(lines)), max_size=5)), len(lines)})
    found, place = [], 0
    for cut in cuts:
        (folder / EVENTS).write_bytes(lines[:cut])
        events, place = read_events(folder, place)
        found += events
    assert [event["text"] for event in found] == texts
    assert place == len(lines)


def test_no_file_has_no_events(tmp_path):
    assert read_events(tmp_path) == ([], 0)
    mend(tmp_path)
    assert read_events(tmp_path, 7) == ([], 7)


def test_a_line_that_was_cut_off_is_taken_away(tmp_path):
    append(tmp_path / EVENTS, {"trial": 1})
    with open(tmp_path / EVENTS, "a") as file:
        file.write('{"trial": 2, "sco')
    mend(tmp_path)
    append(tmp_path / EVENTS, {"trial": 3})
    assert read_events(tmp_path)[0] == [{"trial": 1}, {"trial": 3}]
