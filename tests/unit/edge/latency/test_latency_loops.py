"""The loops: a closed one hides what an open one shows, and neither counts what it should not."""

import gc
import time

import numpy as np
import pytest
from scipy import stats

from core.edge.latency.measuring.loops import arrivals, closed_loop, open_loop

MS = 1_000_000


class Slow:
    """Takes 0.2 ms a call, but one call 100 ms."""

    def __init__(self, slow_call: int) -> None:
        self.calls, self.slow_call = 0, slow_call

    def __call__(self, item):
        self.calls += 1
        time.sleep(0.1 if self.calls == self.slow_call else 0.0002)


def test_one_slow_request_shows_in_an_open_loop_and_hides_in_a_closed_one():
    closed = closed_loop(Slow(200), [None], 600 * MS)
    due = arrivals(400, 0.6, seed=0)
    opened = open_loop(Slow(100), [None], due, 600 * MS)
    # Coordinated omission: to the closed loop it is one request of many ...
    hidden = np.count_nonzero(closed.latency > 20 * MS)
    assert closed.latency.max() > 90 * MS
    # ... but some 40 arrived meanwhile, and each of them waited.
    shown = np.count_nonzero(opened.latency > 20 * MS)
    assert shown >= max(20, 4 * hidden)
    assert np.percentile(opened.latency, 90) > 20 * MS > np.percentile(closed.latency, 90)
    # It is the waiting that shows: the requests' own times are alike in both.
    assert np.count_nonzero(opened.service > 20 * MS) <= shown / 4


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_arrivals_are_a_poisson_process(seed):
    due = arrivals(2_000, 5, seed)
    gaps = np.diff(due, prepend=0) / 1e9
    assert stats.kstest(gaps, stats.expon(scale=1 / 2_000).cdf).pvalue > 0.01
    assert abs(len(due) - 10_000) < 4 * 100
    assert due[-1] < 5e9
    assert np.array_equal(due, arrivals(2_000, 5, seed))


def test_a_rare_arrival_is_still_one():
    assert len(arrivals(1e-3, 0.1, seed=0)) == 1


def test_the_open_loop_serves_in_order_and_on_time():
    seen = []
    due = np.array([0, 10, 20, 30]) * MS
    timed = open_loop(seen.append, ["a", "b"], due, 40 * MS)
    assert seen == ["a", "b", "a", "b"]
    assert (timed.started >= due).all()
    assert timed.unserved == 0
    assert timed.in_time == 4


def test_what_cannot_be_served_is_given_up_and_counted():
    due = np.arange(100) * MS  # a request each millisecond, each takes 10
    timed = open_loop(lambda item: time.sleep(0.01), [None], due, 100 * MS)
    assert len(timed.latency) == 100
    assert 60 < timed.unserved < 100
    assert timed.in_time < 12
    # Those given up on count with the time they waited.
    assert timed.latency[-1] >= 90 * MS
    assert len(timed.service) == 100 - timed.unserved


def test_the_closed_loop_begins_nothing_late_and_keeps_all():
    calls = []
    timed = closed_loop(calls.append, [1, 2, 3], 20 * MS)
    assert len(timed.latency) == len(calls)
    assert calls[:4] == [1, 2, 3, 1]
    assert timed.started[-1] < 20 * MS
    assert closed_loop(lambda item: time.sleep(0.01), [None], 0).latency.size == 1


def test_blocks_of_samples_join_without_a_seam(monkeypatch):
    from core.edge.latency.measuring import loops as _loops

    monkeypatch.setattr(_loops, "_BLOCK", 7)
    calls = []
    timed = closed_loop(calls.append, [None], 10**12, max_requests=50)
    assert len(timed.latency) == len(calls) == 50
    assert (timed.latency > 0).all()


def test_the_garbage_collector_stays_away():
    seen = []
    closed_loop(lambda item: seen.append(gc.isenabled()), [None], 0)
    open_loop(lambda item: seen.append(gc.isenabled()), [None], np.array([0]), MS)
    assert seen == [False, False]
    assert gc.isenabled()


def test_processor_time_leaves_out_waiting():
    timed = open_loop(lambda item: None, [None], arrivals(500, 0.3, seed=0), 300 * MS)
    # Each arrival is awaited with some 0.3 ms of looking at the clock: 45 ms together, none of it counts.
    assert timed.cpu_ns < 5 * MS
