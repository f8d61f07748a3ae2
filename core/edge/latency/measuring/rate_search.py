"""The highest rate of arrivals whose 99th percentile stays within a bound: doubling, then halving the gap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.edge.latency.facts import Probe, ServerFacts
from core.edge.latency.measuring.loops import Timed

__all__ = ["PROBES", "highest_rate", "p99_ms", "server_facts"]

PROBES = 8
_MAX_QUEUED = 0.05
"""Largest share of the arrivals in the queue at the end of a server that keeps up."""


def server_facts(timed: Timed, qps: float, duration_ns: int) -> ServerFacts:
    """Return how a server kept up with arrivals.

    Parameters
    ----------
    timed : Timed
        Times of an open loop.
    qps : float
        The rate that was asked for, requests per second.
    duration_ns : int
        The time that arrivals were drawn for, nanoseconds.
    """
    requests = len(timed.latency)
    queue = requests - timed.in_time
    return ServerFacts(
        target_qps=qps,
        offered_qps=requests / duration_ns * 1e9,
        achieved_qps=timed.in_time / duration_ns * 1e9,
        requests=requests,
        queue_at_end=queue,
        unserved=timed.unserved,
        kept_up=queue <= max(2.0, _MAX_QUEUED * requests),
        service_ms=float(np.median(timed.service)) / 1e6,
        utilisation=min(1.0, float(timed.service.sum()) / timed.elapsed_ns),
    )


def p99_ms(timed: Timed) -> float:
    """Return the smallest latency that 99% of the requests do not exceed, however few there are."""
    return float(np.sort(timed.latency)[-(-len(timed.latency) * 99 // 100) - 1]) / 1e6


def highest_rate(
    probe: Callable[[float, int], tuple[Timed, int]], service_ns: float, bound_ms: float, probes: int = PROBES
) -> tuple[float, list[Probe]]:
    """Search for the highest rate that meets a bound.

    Parameters
    ----------
    probe : callable
        Takes a rate and the probe's number; returns what an open loop measured, and its duration in nanoseconds.
    service_ns : float
        Time of a request by itself, nanoseconds: no more than 1 / service_ns can be served, so the search begins at
        half of that.
    bound_ms : float
        Milliseconds within which 99% of a probe's requests must be answered; the server must keep up, too.
    probes : int, default=8
        Number of probes.

    Returns
    -------
    best : float
        The highest rate that met the bound; 0 when none did.
    tried : list of Probe
        All probes in their order.
    """
    best, worst = 0.0, float("inf")
    rate, tried = 0.5e9 / service_ns, []
    for number in range(probes):
        timed, duration_ns = probe(rate, number)
        facts, latency = server_facts(timed, rate, duration_ns), p99_ms(timed)
        met = latency <= bound_ms and facts.kept_up
        tried.append(Probe(rate, facts.requests, latency, facts.kept_up, met))
        best, worst = (max(best, rate), worst) if met else (best, min(worst, rate))
        if worst <= best:  # chance: a lower rate failed after a higher one had met the bound
            best = max((earlier.qps for earlier in tried if earlier.met and earlier.qps < worst), default=0.0)
        rate = best * 2 if worst == float("inf") else (best + worst) / 2 if best else worst / 2
    return best, tried
