"""Measures the limits of the machine: products of matrices, and reading memory. Measuring process only."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from core.edge.latency.facts import Roof
from core.edge.latency.messages import Emit, Job, Step

__all__ = ["work"]

_SECONDS = 0.4  # per test
_SIZES = (384, 768, 1_536)  # that of small language models, and larger ones that fill the caches
_READ_MB = 256  # beyond any cache


def work(job: Job, folder: Path, emit: Emit) -> Roof:
    """Measure float32 products, and reading."""
    emit(Step("roof", _SECONDS * (len(_SIZES) + 1)))
    gflops = 0.0
    for size in _SIZES:
        a, b, out = (np.full((size, size), value, dtype=np.float32) for value in (1.0, 0.5, 0.0))
        gflops = max(gflops, 2 * size**3 / _shortest_ns(partial(np.matmul, a, b, out=out)))
    threads = job.settings.threads
    parts = np.array_split(np.ones(_READ_MB * 2**20 // 8), threads)
    with ThreadPoolExecutor(threads) as pool:
        read = sum(part.nbytes for part in parts) / _shortest_ns(lambda: list(pool.map(np.max, parts)))
    return Roof(gflops, read, threads)


def _shortest_ns(function: Callable[[], object]) -> int:
    """Return the time of the shortest of several runs, nanoseconds: the one that nothing disturbed."""
    shortest, end = 2**62, time.perf_counter() + _SECONDS
    while time.perf_counter() < end:
        began = time.perf_counter_ns()
        function()
        shortest = min(shortest, time.perf_counter_ns() - began)
    return shortest
