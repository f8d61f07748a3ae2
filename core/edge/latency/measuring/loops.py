"""The loops that time: as little as possible happens between two readings of the clock.

`run` and `items` are arguments: the same loops time ONNX Runtime, a native model, an empty graph, or a test's function.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Run", "Timed", "arrivals", "closed_loop", "garbage_collection_paused", "open_loop"]

Item = TypeVar("Item")
Run = Callable[[Item], object]
"""Answers one request; the answer is dropped."""
_BLOCK = 1 << 16
# A sleep ends up to some hundred microseconds late: the rest of a wait is spent reading the clock.
_SPIN_NS = 300_000


@dataclass(frozen=True)
class Timed:
    """What a loop measured, nanoseconds.

    Parameters
    ----------
    latency : ndarray of shape (n,)
        Time from when each request was due to its answer.
    service : ndarray of shape (n,)
        Time from the start of each request to its answer.
    started : ndarray of shape (n,)
        Start of each request, counted from the start of the loop.
    elapsed_ns : int
        Time from the start of the loop to the last answer.
    cpu_ns : int
        Processor time of all threads in that time, without that of waiting for requests.
    unserved : int, default=0
        Requests given up on; their latency is the time that they had waited.
    in_time : int, default=0
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
def garbage_collection_paused() -> Iterator[None]:
    """Collect garbage first, and not again within the block."""
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def closed_loop(run: Run[Item], items: Sequence[Item], duration_ns: int, max_requests: int | None = None) -> Timed:
    """Run request after request, each as soon as the last one is answered, until the time is up.

    A request that begins in time is measured to its end. One that takes long delays the next ones, and their latency
    does not show it (coordinated omission); with `open_loop` it does.

    Parameters
    ----------
    run : callable
        Answers one item.
    items : sequence
        The requests, taken in turn, again and again.
    duration_ns : int
        No request begins later; one request runs in any case.
    max_requests : int, optional
        Number of requests after which the loop ends.

    See Also
    --------
    open_loop : Requests that arrive whether or not the last one is answered.

    Examples
    --------
    >>> len(closed_loop(abs, [1.0], 10**9, max_requests=5).latency)
    5
    """
    clock, count, index, size = time.perf_counter_ns, 0, 0, len(items)
    blocks, block, capacity = [], np.zeros(_BLOCK, dtype=np.int64), _BLOCK
    cells = block.data  # takes an int faster than an array does
    with garbage_collection_paused():
        cpu = time.process_time_ns()
        begin = now = clock()
        end = begin + duration_ns
        while True:
            item = items[index]
            before = clock()
            run(item)
            now = clock()
            cells[count] = now - before
            count += 1
            index = index + 1 if index + 1 < size else 0
            if now >= end or count == max_requests:
                break
            if count == capacity:  # another block, between two requests
                blocks.append(block)
                block, count = np.zeros(_BLOCK, dtype=np.int64), 0
                max_requests = None if max_requests is None else max_requests - capacity
                cells = block.data
        cpu = time.process_time_ns() - cpu
    latency = np.concatenate([*blocks, block[:count]])
    started = np.cumsum(latency) - latency
    return Timed(latency, latency, started, now - begin, cpu, in_time=len(latency))


def arrivals(rate: float, duration_s: float, seed: int) -> NDArray[np.int64]:
    """Return when the requests of a Poisson process are due, nanoseconds in rising order; at least one.

    The gaps are exponential with mean 1 / rate, as in MLPerf's server scenario.

    Parameters
    ----------
    rate : float
        Requests per second.
    duration_s : float
        Seconds within which they are due.
    seed : int
        Seed of the random number generator that draws the gaps.

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


def open_loop(run: Run[Item], items: Sequence[Item], due: NDArray[np.int64], duration_ns: int) -> Timed:
    """Run requests when they are due, first come, first served; latency counts from when each request was due.

    Requests that wait when the time is up are still served, for as much time again; the rest is given up on.

    Parameters
    ----------
    run, items : callable, sequence
        See `closed_loop`.
    due : ndarray of shape (n,)
        Moments at which requests are due, nanoseconds from the start in rising order.
    duration_ns : int
        The time that arrivals were drawn for.

    See Also
    --------
    arrivals : When requests of a Poisson process are due.
    closed_loop : The next request waits for the last answer.

    Examples
    --------
    >>> timed = open_loop(abs, [1.0], np.array([0, 1_000_000]), 2_000_000)
    >>> len(timed.latency), timed.unserved
    (2, 0)
    """
    clock, sleep, size = time.perf_counter_ns, time.sleep, len(items)
    begins, ends = np.zeros(len(due), dtype=np.int64), np.zeros(len(due), dtype=np.int64)
    begin_cells, end_cells, served = begins.data, ends.data, 0
    with garbage_collection_paused():
        cpu, own = time.process_time_ns(), time.thread_time_ns()
        begin = now = clock()
        give_up = begin + 2 * duration_ns
        for index, gap in enumerate(due.tolist()):
            due_at, item = begin + gap, items[index % size]
            now = clock()
            if now < due_at:
                if due_at - now > 2 * _SPIN_NS:
                    sleep((due_at - now - _SPIN_NS) / 1e9)
                while now < due_at:
                    now = clock()
            elif now > give_up:
                break
            begin_cells[index] = now - begin
            run(item)
            now = clock()
            end_cells[index] = now - begin
            served += 1
        cpu, own = time.process_time_ns() - cpu, time.thread_time_ns() - own
    elapsed = now - begin
    ends[served:] = elapsed
    service = (ends - begins)[:served]
    # This thread also spends time reading the clock: no more of its time counts than its requests took.
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
