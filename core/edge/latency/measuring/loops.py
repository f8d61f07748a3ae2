"""The loops that time: as little as possible happens between two readings of the clock.

`run` and `items` are handed in: the same loops time ONNX Runtime, a native model, an empty graph, or a test's function.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Run", "Timed", "arrivals", "closed_loop", "open_loop", "undisturbed"]

Run = Callable[[Any], Any]
_ROOM = 1 << 16
# A sleep ends up to some hundred microseconds late: the rest of a wait is spent looking at the clock.
_SPIN_NS = 300_000


@dataclass(frozen=True)
class Timed:
    """What a loop measured, nanoseconds.

    Parameters
    ----------
    latency, service, started : ndarray of shape (n,)
        Of each request: from when it was due to its answer; from its start to its answer; its start, counted from
        the loop's.
    elapsed_ns : int
        From the loop's start to the last answer.
    cpu_ns : int
        Processor time of all threads meanwhile, without that of waiting for requests.
    unserved : int
        Requests given up on; their latency is what they had waited.
    in_time : int
        Requests answered before the time was up.
    """

    latency: NDArray[np.int64]
    service: NDArray[np.int64]
    started: NDArray[np.int64]
    elapsed_ns: int
    cpu_ns: int
    unserved: int = 0
    in_time: int = 0


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Keep Python's garbage collector away."""
    gc.collect()
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def closed_loop(run: Run, items: Sequence[Any], duration_ns: int, most: int | None = None) -> Timed:
    """Run request after request, each as soon as the last one is done, until the time is up.

    What begins in time is measured to its end. A request that takes long delays the next ones without their latency
    showing it (coordinated omission): that is what `open_loop` is for.

    Parameters
    ----------
    run : callable
        Takes an item; its answer is dropped.
    items : sequence
        Taken in turn, again and again.
    duration_ns : int
        Nothing begins later; one request runs in any case.
    most : int, optional
        End after so many requests.

    Examples
    --------
    >>> len(closed_loop(abs, [1.0], 10**9, most=5).latency)
    5
    """
    clock, count, place, size = time.perf_counter_ns, 0, 0, len(items)
    blocks, block, room = [], np.zeros(_ROOM, dtype=np.int64), _ROOM
    cells = block.data  # takes an int faster than an array does
    with undisturbed():
        cpu = time.process_time_ns()
        begin = now = clock()
        end = begin + duration_ns
        while True:
            item = items[place]
            before = clock()
            run(item)
            now = clock()
            cells[count] = now - before
            count += 1
            place = place + 1 if place + 1 < size else 0
            if now >= end or count == most:
                break
            if count == room:  # another block, between two requests
                blocks.append(block)
                block, count, most = np.zeros(_ROOM, dtype=np.int64), 0, None if most is None else most - room
                cells = block.data
        cpu = time.process_time_ns() - cpu
    latency = np.concatenate([*blocks, block[:count]])
    started = np.cumsum(latency) - latency
    return Timed(latency, latency, started, now - begin, cpu, in_time=len(latency))


def arrivals(rate: float, duration_s: float, seed: int) -> NDArray[np.int64]:
    """Return when requests of a Poisson process are due within the time, nanoseconds, rising; at least one.

    The gaps are exponential with mean 1 / rate, as in MLPerf's server scenario.

    Examples
    --------
    >>> abs(len(arrivals(1_000, 10, seed=0)) - 10_000) < 400
    True
    """
    random, mean = np.random.default_rng(seed), 1e9 / rate
    due: NDArray[np.float64] = np.empty(0)
    while not len(due) or due[-1] < duration_s * 1e9:
        more = np.cumsum(random.exponential(mean, size=int(rate * duration_s * 1.1) + 16))
        due = np.concatenate([due, more + (due[-1] if len(due) else 0)])
    return due[: max(1, int(np.searchsorted(due, duration_s * 1e9)))].astype(np.int64)


def open_loop(run: Run, items: Sequence[Any], due: NDArray[np.int64], duration_ns: int) -> Timed:
    """Run requests when they are due, first come, first served; latency counts from when each was due.

    What waits when the time is up is still served, for as much time again; the rest is given up on.

    Parameters
    ----------
    run, items : callable, sequence
        As of `closed_loop`.
    due : ndarray of shape (n,)
        Nanoseconds from the start, rising.
    duration_ns : int
        The time that arrivals were made for.

    Examples
    --------
    >>> timed = open_loop(abs, [1.0], np.array([0, 1_000_000]), 2_000_000)
    >>> len(timed.latency), timed.unserved
    (2, 0)
    """
    clock, sleep, size = time.perf_counter_ns, time.sleep, len(items)
    begins, ends = np.zeros(len(due), dtype=np.int64), np.zeros(len(due), dtype=np.int64)
    begin_cells, end_cells, served = begins.data, ends.data, 0
    with undisturbed():
        cpu, own = time.process_time_ns(), time.thread_time_ns()
        begin = now = clock()
        give_up = begin + 2 * duration_ns
        for place, gap in enumerate(due.tolist()):
            at, item = begin + gap, items[place % size]
            now = clock()
            if now < at:
                if at - now > 2 * _SPIN_NS:
                    sleep((at - now - _SPIN_NS) / 1e9)
                while now < at:
                    now = clock()
            elif now > give_up:
                break
            begin_cells[place] = now - begin
            run(item)
            now = clock()
            end_cells[place] = now - begin
            served += 1
        cpu, own = time.process_time_ns() - cpu, time.thread_time_ns() - own
    elapsed = now - begin
    ends[served:] = elapsed
    service = (ends - begins)[:served]
    # This thread also spends time looking at the clock: of its own, no more counts than its requests took.
    cpu -= max(0, own - int(service.sum()))
    return Timed(
        latency=np.maximum(ends - due, 0),
        service=service,
        started=begins[:served],
        elapsed_ns=elapsed,
        cpu_ns=cpu,
        unserved=len(due) - served,
        in_time=int(np.count_nonzero(ends[:served] <= duration_ns)),
    )
