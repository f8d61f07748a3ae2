"""The highest rate of arrivals whose 99th percentile stays within a bound: doubling, then halving the gap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from core.edge.latency.measuring.loops import Timed

__all__ = ["PROBES", "facts", "highest_rate", "p99_ms"]

PROBES = 8
_SHARE = 0.05
"""Of the arrivals, that may be waiting at the end of a server that keeps up."""


def facts(timed: Timed, qps: float, duration_ns: int) -> dict[str, Any]:
    """Return how a server kept up with arrivals."""
    requests = len(timed.latency)
    queue = requests - timed.in_time
    return {
        "target_qps": qps,
        "offered_qps": requests / duration_ns * 1e9,
        "achieved_qps": timed.in_time / duration_ns * 1e9,
        "requests": requests,
        "queue_at_end": queue,
        "unserved": timed.unserved,
        "kept_up": queue <= max(2.0, _SHARE * requests),
        "service_ms": float(np.median(timed.service)) / 1e6,
        "utilisation": min(1.0, float(timed.service.sum()) / timed.elapsed_ns),
    }


def p99_ms(timed: Timed) -> float:
    """Return the smallest latency that 99 % of the requests are not above, however few there are."""
    return float(np.sort(timed.latency)[-(-len(timed.latency) * 99 // 100) - 1]) / 1e6


def highest_rate(
    probe: Callable[[float, int], tuple[Timed, int]], service_ns: float, bound_ms: float, probes: int = PROBES
) -> tuple[float, list[dict[str, Any]]]:
    """Search the highest rate, and tell what was tried.

    Parameters
    ----------
    probe : callable
        Takes a rate and the probe's number; returns what an open loop measured, and its duration in nanoseconds.
    service_ns : float
        What a request takes by itself: no more than 1 / service_ns can be served, so the search begins at half.
    bound_ms : float
        99 % of a probe's requests must be answered within it, and the server must keep up.
    probes : int
        How many are made.

    Returns
    -------
    float, list of dict
        The highest rate that met the bound (0: none did), and each probe: qps, requests, p99_ms, kept_up, met.
    """
    best, worst = 0.0, float("inf")
    rate, table = 0.5e9 / service_ns, []
    for number in range(probes):
        timed, duration_ns = probe(rate, number)
        found, within = facts(timed, rate, duration_ns), p99_ms(timed)
        met = within <= bound_ms and bool(found["kept_up"])
        asked = {"qps": rate, "requests": found["requests"], "p99_ms": within}
        table.append(asked | {"kept_up": found["kept_up"], "met": met})
        best, worst = (max(best, rate), worst) if met else (best, min(worst, rate))
        if worst <= best:  # chance: a lower rate failed after a higher one had met the bound
            best = max((row["qps"] for row in table if row["met"] and row["qps"] < worst), default=0.0)
        rate = best * 2 if worst == float("inf") else (best + worst) / 2 if best else worst / 2
    return best, table
