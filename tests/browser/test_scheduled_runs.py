"""A server that nobody looks at any more still starts what is due."""

import time

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import RunState, runs, schedules
from tests.browser.conftest import settled, start_server, stop_server


@pytest.mark.nightly
def test_a_run_starts_on_time_after_the_last_page_was_closed(home, monkeypatch, browser):
    monkeypatch.setenv("PLUMBLINE_TICK_EVERY_S", "600")
    schedule = jobs.add_schedule("count", {"steps": 1}, jobs.Timing(interval_s=60), title="Every minute", access=LOCAL)
    schedule = schedules.update(schedule.id, next_at=time.time() + 20, access=LOCAL)
    server = start_server(home)
    try:
        context = browser.new_context()
        page = context.new_page()
        page.goto(server.page("runs"))
        settled(page)
        context.close()
        assert time.time() < schedule.next_at
        deadline = schedule.next_at + 30
        while not runs.find(states=[RunState.SUCCEEDED], access=LOCAL):
            assert time.time() < deadline, (home / "server.log").read_text()
            time.sleep(0.2)
        (run,) = runs.find(access=LOCAL)
        assert schedule.next_at <= run.created_at < schedule.next_at + 5
        assert schedules.get(schedule.id, access=LOCAL).missed == 0
    finally:
        stop_server(server)
