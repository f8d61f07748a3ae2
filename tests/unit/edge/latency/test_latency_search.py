"""The search for the highest rate, against queues whose answer is known."""

import numpy as np
import pytest

from core.edge.latency.measuring.loops import Timed, arrivals
from core.edge.latency.measuring.rate_search import PROBES, highest_rate, p99_ms, server_facts

SERVICE = 1_000_000  # ns: 1,000 a second at most


def queue(rate, seconds, service=SERVICE, seed=0):
    """Simulate one server with constant service, first come, first served."""
    due = arrivals(rate, seconds, seed)
    done, free = np.zeros(len(due), dtype=np.int64), 0
    for index, at in enumerate(due):
        free = max(free, int(at)) + service
        done[index] = free
    duration = int(seconds * 1e9)
    return Timed(
        done - due, np.full(len(due), service), done - service, int(done[-1]), 0, 0, int((done <= duration).sum())
    )


def probe(rate, number):
    return queue(rate, 5, seed=number), 5 * 10**9


@pytest.mark.parametrize("bound_ms", [2.0, 4.0, 10.0])
def test_the_highest_rate_is_found(bound_ms):
    best, table = highest_rate(probe, SERVICE, bound_ms, probes=12)
    # A long simulation: somewhat less meets the bound, half as much again does not (5 s say no more than that).
    assert p99_ms(queue(0.75 * best, 60)) <= bound_ms
    assert p99_ms(queue(min(1.5 * best, 1_100), 60)) > bound_ms
    assert len(table) == 12
    assert max(row.qps for row in table if row.met) == best
    assert all(row.met == (row.p99_ms <= bound_ms and row.kept_up) for row in table)


def test_a_bound_below_the_service_time_is_met_by_no_rate():
    best, table = highest_rate(probe, SERVICE, 0.5)
    assert best == 0
    assert len(table) == PROBES
    assert not any(row.met for row in table)


def test_a_wrong_first_guess_is_corrected():
    best, _ = highest_rate(probe, 50 * SERVICE, 5.0, probes=12)
    assert 450 < best < 1_000
    best, _ = highest_rate(probe, SERVICE / 50, 5.0, probes=14)
    assert 450 < best < 1_000


def test_chance_does_not_lead_astray():
    answers = iter([True, True, False, False, True, False, True, False])

    def moody(rate, number):
        timed = queue(100, 1)
        return (timed if next(answers) else queue(3_000, 1)), 10**9

    best, table = highest_rate(moody, SERVICE, 5.0)
    failed = [row.qps for row in table if not row.met]
    assert best < min(failed)
    assert best in [row.qps for row in table if row.met]


def test_a_server_that_falls_behind_is_said_to():
    slow = server_facts(queue(2_000, 2), 2_000, 2 * 10**9)
    assert not slow.kept_up
    assert slow.queue_at_end == pytest.approx(2_000, rel=0.1)
    assert slow.achieved_qps == pytest.approx(1_000, rel=0.02)
    fine = server_facts(queue(500, 2), 500, 2 * 10**9)
    assert fine.kept_up
    assert fine.utilisation == pytest.approx(0.5, rel=0.1)
    assert fine.service_ms == 1.0
