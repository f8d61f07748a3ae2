"""What a measurement notes besides latencies: its warm-up, the machine, the server's queue, tokenisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.edge.latency._percentiles import Percentile

__all__ = ["Machine", "ServerFacts", "Tokenisation", "Warmup"]


@dataclass(frozen=True)
class Warmup:
    """Requests before the measurement: how many, and the first of them, milliseconds."""

    count: int
    samples_ms: tuple[float, ...]


@dataclass(frozen=True)
class Machine:
    """Where it was measured, and what else went on there.

    Parameters
    ----------
    cpu : str
        The processor's name.
    cores : int
        Cores of the machine.
    pinned : tuple of int
        Cores that the measuring process was kept on; empty where the system has no such thing.
    load_before : float or None
        Load average of the last minute, before.
    others_cpu : float or None
        Cores that other processes (and the hypervisor) took meanwhile; None where it cannot be told.
    busy : bool
        Whether that is more than a tenth of a core.
    governor : str or None
        Of the processor's frequency, where it can be read.
    onnxruntime : str or None
        Its version.
    provider : str
        The execution provider.
    platform : str
        The system and its version.
    """

    cpu: str
    cores: int
    pinned: tuple[int, ...]
    load_before: float | None
    others_cpu: float | None
    busy: bool
    governor: str | None
    onnxruntime: str | None
    provider: str
    platform: str


@dataclass(frozen=True)
class ServerFacts:
    """What the server scenario found besides latencies.

    Parameters
    ----------
    target_qps, offered_qps, achieved_qps : float
        Requests a second that were asked for, that arrived, and that were answered in time.
    requests : int
        Arrivals.
    queue_at_end, unserved : int
        Requests not yet answered when the time was up, and those given up on after as much time again. The latter
        count with the time they had waited, so that a percentile that falls among them is a lower bound.
    kept_up : bool
        Whether at most 5 % of the arrivals (or two) were in the queue at the end.
    service_ms, utilisation : float
        Median of a request's own time, and the share of time with a request at work.
    latency_bound_ms, max_qps : float or None
        The bound, and the highest rate that met it (0: none did; None: not searched).
    confirmed : bool or None
        Whether that rate met it again in the measurement itself.
    probes : tuple of dict
        Rates tried: qps, requests, p99_ms, kept_up, met.
    """

    target_qps: float
    offered_qps: float
    achieved_qps: float
    requests: int
    queue_at_end: int
    unserved: int
    kept_up: bool
    service_ms: float
    utilisation: float
    latency_bound_ms: float | None = None
    max_qps: float | None = None
    confirmed: bool | None = None
    probes: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Tokenisation:
    """Tokenisation of a request's texts, timed apart.

    Parameters
    ----------
    percentiles : dict of Percentile
        Milliseconds.
    tokens_median, tokens_max : float
        Tokens of a text, before padding.
    """

    percentiles: dict[float, Percentile]
    tokens_median: float
    tokens_max: float
