"""The scenarios of a measurement, by MLPerf's names: how requests arrive, and what is reported first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.registry import Registry

__all__ = ["SCENARIOS", "Scenario"]


@dataclass(frozen=True)
class Scenario:
    """One scenario.

    Parameters
    ----------
    name : str
        The value of ``LatencySettings.scenario``; it is stored and never changes.
    title : str
        Its name on pages.
    help : str
        One sentence that says what it measures.
    loop : str
        "closed": the next request waits for the last answer. "open": requests arrive at random (Poisson) whether or
        not the last one is answered, so that waiting counts.
    loadgen : str
        The name of the same scenario in MLPerf's load generator (``mlperf_loadgen.TestScenario``).
    min_queries : int
        Requests that MLPerf's rules ask for.
    settings : tuple of str
        The settings that this scenario is about; forms ask for these.
    headline : str, default="latency"
        The measure that leads a result: "latency" or "throughput".
    percentile : float, default=50
        The percentile of the latency that leads.
    batch_size : int, default=1
        The batch size that forms begin with.
    """

    name: str
    title: str
    help: str
    loop: Literal["closed", "open"]
    loadgen: str
    min_queries: int
    settings: tuple[str, ...]
    headline: Literal["latency", "throughput"] = "latency"
    percentile: float = 50
    batch_size: int = 1


# The numbers of requests are those of MLPerf Inference Rules, "Scenarios" and "Early Stopping Criterion", and of
# loadgen/mlperf.conf. Up to version 1.0 the rules asked for 1,024 (single stream) and 270,336 (server) instead; early
# stopping took the place of that.
SCENARIOS = Registry(
    "scenario",
    [
        Scenario(
            "single_stream",
            "Single stream",
            "The next request waits for the last answer: the time of one request.",
            loop="closed",
            loadgen="SingleStream",
            min_queries=64,
            settings=("batch_size",),
        ),
        Scenario(
            "server",
            "Server",
            "Requests arrive at random and queue: what users of a service wait for.",
            loop="open",
            loadgen="Server",
            min_queries=662,
            settings=("target_qps", "latency_bound_ms"),
        ),
        Scenario(
            "offline",
            "Offline",
            "All rows are there at once, in batches: throughput.",
            loop="closed",
            loadgen="Offline",
            min_queries=24_576,
            settings=("batch_size",),
            headline="throughput",
            batch_size=32,
        ),
    ],
)
"""All scenarios by name."""
