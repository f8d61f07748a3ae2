"""Measures what the machine can do at best: products of matrices, and reading memory. Measuring process only."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from core.edge.latency.measuring.main import Say

__all__ = ["work"]

_EACH_S = 0.4
_SIZES = (384, 768, 1_536)  # that of small language models, and larger ones that fill the caches
_READ_MB = 256  # beyond any cache


def work(job: dict[str, Any], folder: Path, say: Say) -> dict[str, Any]:
    """Return GFLOP/s of float32 products, and GB/s read."""
    say(phase="roof", seconds=_EACH_S * (len(_SIZES) + 1))
    gflops = 0.0
    for size in _SIZES:
        a, b, out = (np.full((size, size), value, dtype=np.float32) for value in (1.0, 0.5, 0.0))
        gflops = max(gflops, 2 * size**3 / _best(lambda a=a, b=b, out=out: np.matmul(a, b, out=out)))  # type: ignore[misc]
    threads = int(job["threads"])
    parts = np.array_split(np.ones(_READ_MB * 2**20 // 8), threads)
    with ThreadPoolExecutor(threads) as pool:
        read = sum(part.nbytes for part in parts) / _best(lambda: list(pool.map(np.max, parts)))
    return {"gflops": gflops, "read_gb_s": read}


def _best(function: Callable[[], Any]) -> int:
    """Return the shortest of several runs, nanoseconds: the one that nothing disturbed."""
    best, end = 2**62, time.perf_counter() + _EACH_S
    while time.perf_counter() < end:
        began = time.perf_counter_ns()
        function()
        best = min(best, time.perf_counter_ns() - began)
    return best
