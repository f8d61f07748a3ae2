"""Warm-up, the empty graph, and the measurement itself, whatever is measured. Measuring process only."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.edge.latency._settings import LatencySettings
from core.edge.latency.measuring.loops import Run, Timed, arrivals, closed_loop, open_loop
from core.edge.latency.measuring.main import Say
from core.edge.latency.measuring.rate_search import PROBES, facts, highest_rate, p99_ms
from core.edge.latency.measuring.usage import Others, peak_mb
from core.errors import LimitError

__all__ = ["first_run", "measure", "tokenise"]

_FLOOR_NS = 75_000_000
_SHOWN = 200


def first_run(run: Run, item: Any, settings: LatencySettings, say: Say) -> int:
    """Return what the first run takes, nanoseconds.

    Raises
    ------
    LimitError
        When it, and the next one, take longer than the whole measurement may.
    """
    say(phase="first", seconds=0.0)
    taken = closed_loop(run, [item], 0).elapsed_ns
    if taken > settings.duration_s * 1e9:  # the first may be slow for its own reasons
        again = closed_loop(run, [item], 0).elapsed_ns
        if again > settings.duration_s * 1e9:
            raise LimitError(
                f"One run takes {again / 1e9:.2g} s, longer than the measurement lasts ({settings.duration_s:g} s).",
                "Raise duration_s to some hundred times that.",
            )
    return taken


def measure(
    run: Run, items: Sequence[Any], empty: Run, settings: LatencySettings, folder: Path, say: Say
) -> dict[str, Any]:
    """Warm up, measure, and return the figures; samples go to ``samples.npz`` in the folder.

    Parameters
    ----------
    run, items : callable, sequence
        What is measured.
    empty : callable
        The empty graph with the same options; it takes any item.
    """
    say(phase="floor", seconds=_FLOOR_NS / 1e9)
    engine = _engine(settings, folder)
    warm_floor = closed_loop(empty, [None], _FLOOR_NS // 3)
    floor = np.median(engine(empty, [None], _FLOOR_NS, float(np.median(warm_floor.latency)), "floor").latency)
    say(phase="warmup", seconds=settings.warmup_s)
    warmup = closed_loop(run, items, int(settings.warmup_s * 1e9))
    expected = float(np.median(warmup.latency[len(warmup.latency) // 2 :]))
    others = Others()
    if settings.scenario == "server":
        timed, server = _server(run, items, expected, settings, engine, say)
    else:
        say(phase="measure", seconds=settings.duration_s)
        timed, server = engine(run, items, int(settings.duration_s * 1e9), expected, settings.scenario), None
    taken = others.cores()
    np.savez(folder / "samples.npz", latency=timed.latency, service=timed.service, started=timed.started)
    served = len(timed.service)
    return {
        "warmup": {"count": len(warmup.latency), "samples_ms": (warmup.latency[:_SHOWN] / 1e6).tolist()},
        "floor_us": float(floor) / 1e3,
        "elapsed_s": timed.elapsed_ns / 1e9,
        "served": served,
        "cpu_s": timed.cpu_ns / 1e9,
        "others_cpu": taken,
        "peak_rss_mb": peak_mb(),
        "server": server,
    }


def _engine(settings: LatencySettings, folder: Path) -> Any:
    """Return what runs requests back to back: the loop, or MLPerf's load generator."""
    if settings.engine == "loadgen":
        from core.edge.latency.measuring.loadgen import LoadGen

        return LoadGen(folder)

    def loop(run: Run, items: Sequence[Any], duration_ns: int, expected_ns: float, kind: str) -> Timed:
        return closed_loop(run, items, duration_ns)

    return loop


def _server(
    run: Run, items: Sequence[Any], expected_ns: float, settings: LatencySettings, engine: Any, say: Say
) -> tuple[Timed, dict[str, Any]]:
    """Measure at the rate that was asked for; or spend half of the time to search one, the other half to measure it."""
    if settings.target_qps is not None:
        duration = int(settings.duration_s * 1e9)
        say(phase="measure", seconds=settings.duration_s)
        if settings.engine == "loadgen":
            timed = engine.server(run, items, settings, duration)
        else:
            due = arrivals(settings.target_qps, settings.duration_s, settings.seed)
            timed = open_loop(run, items, due, duration)
        return timed, facts(timed, settings.target_qps, duration) | {"latency_bound_ms": settings.latency_bound_ms}
    assert settings.latency_bound_ms is not None
    part = settings.duration_s / 2 / PROBES

    def probe(rate: float, number: int) -> tuple[Timed, int]:
        say(phase="search", seconds=part, number=number, probes=PROBES, qps=rate)
        due = arrivals(rate, part, settings.seed + 1 + number)
        return open_loop(run, items, due, int(part * 1e9)), int(part * 1e9)

    best, table = highest_rate(probe, expected_ns, settings.latency_bound_ms)
    rate, duration = best or table[-1]["qps"], int(settings.duration_s * 1e9) // 2
    say(phase="measure", seconds=duration / 1e9)
    timed = open_loop(run, items, arrivals(rate, duration / 1e9, settings.seed), duration)
    found = facts(timed, rate, duration)
    return timed, found | {
        "latency_bound_ms": settings.latency_bound_ms,
        "max_qps": best,
        "confirmed": bool(best and p99_ms(timed) <= settings.latency_bound_ms and found["kept_up"]),
        "probes": table,
    }


def tokenise(
    encode: Any, lengths: Any, texts: Sequence[list[str]], folder: Path, say: Say
) -> tuple[list[Any], dict[str, float]]:
    """Tokenise all batches, each timed; return the tensors, and how many tokens the texts have.

    The times go to ``tokenisation.npz`` in the folder.
    """
    say(phase="tokenise", seconds=1.0)
    for batch in texts[:20]:  # the first ones build caches
        encode(batch)
    made, times = [], np.zeros(len(texts), dtype=np.int64)
    for place, batch in enumerate(texts):
        before = time.perf_counter_ns()
        tensors = encode(batch)
        times[place] = time.perf_counter_ns() - before
        made.append(tensors)
    np.savez(folder / "tokenisation.npz", times=times)
    tokens: NDArray[np.int64] = np.array([count for batch in texts for count in lengths(batch)], dtype=np.int64)
    return made, {"tokens_median": float(np.median(tokens)), "tokens_max": float(tokens.max())}
