"""What a measurement records besides latencies: warm-up, machine, queue of the server, tokenization."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from core.edge.latency.percentiles import Percentile, Percentiles

__all__ = ["Machine", "Probe", "Roof", "ServerFacts", "TokenCounts", "Tokenisation", "Warmup"]


@dataclass(frozen=True)
class Warmup:
    """Requests before the measurement.

    Parameters
    ----------
    count : int
        Number of requests.
    samples_ms : tuple of float
        Latencies of the first of them, milliseconds.
    """

    count: int
    samples_ms: tuple[float, ...]


@dataclass(frozen=True)
class Machine:
    """The machine, and what else it was doing.

    Parameters
    ----------
    cpu : str
        Name of the processor.
    cores : int
        Cores of the machine.
    pinned : tuple of int
        Cores that the measuring process was pinned to; empty where the system cannot pin.
    load_before : float or None
        Load average of the last minute, before the measurement.
    others_cpu : float or None
        Cores that other processes (and the hypervisor) used during the measurement; None where it is unknown.
    busy : bool
        Whether that is more than a tenth of a core.
    governor : str or None
        Governor of the processor's frequency, where it can be read.
    onnxruntime : str or None
        Version of ONNX Runtime.
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
class Probe:
    """A rate that the search for the highest one tried.

    Parameters
    ----------
    qps : float
        Requests per second.
    requests : int
        Number of arrivals.
    p99_ms : float
        Latency that 99% of the requests did not exceed, milliseconds.
    kept_up : bool
        Whether the server answered as fast as requests came.
    met : bool
        Whether it kept up, and the latency lies within the bound.
    """

    qps: float
    requests: int
    p99_ms: float
    kept_up: bool
    met: bool


@dataclass(frozen=True)
class Roof:
    """The limits of a machine.

    Parameters
    ----------
    gflops : float
        Products of float32 matrices, 10^9 operations per second (NumPy's BLAS, the best of several sizes).
    read_gb_s : float
        Reading memory, 10^9 bytes per second.
    threads : int
        Threads that it was measured with.
    """

    gflops: float
    read_gb_s: float
    threads: int

    def to_dict(self) -> dict[str, float]:
        """Return the limits as JSON-serializable values."""
        return asdict(self)


@dataclass(frozen=True)
class ServerFacts:
    """What the server scenario records besides latencies.

    Parameters
    ----------
    target_qps, offered_qps, achieved_qps : float
        Requests per second: asked for, arrived, and answered in time.
    requests : int
        Number of arrivals.
    queue_at_end : int
        Requests not answered when the time was up.
    unserved : int
        Requests given up on after as much time again. They count with the time they had waited, so that a percentile
        that falls among them is a lower bound.
    kept_up : bool
        Whether at most 5% of the arrivals (or two) were in the queue at the end.
    service_ms : float
        Median time from the start of a request to its answer, milliseconds.
    utilisation : float
        Share of time with a request at work.
    latency_bound_ms : float, optional
        The bound, milliseconds.
    max_qps : float, optional
        The highest rate that met the bound (0: none did; None: not searched for).
    confirmed : bool, optional
        Whether that rate met the bound again in the measurement itself.
    probes : tuple of Probe, default=()
        Rates that were tried.
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
    probes: tuple[Probe, ...] = ()


@dataclass(frozen=True)
class TokenCounts:
    """Number of tokens of the texts, before padding.

    Parameters
    ----------
    tokens_median, tokens_max : float
        Median, and the largest number.
    """

    tokens_median: float
    tokens_max: float


@dataclass(frozen=True)
class Tokenisation:
    """Tokenization of the texts of a request, timed apart.

    Parameters
    ----------
    percentiles : dict of Percentile
        Milliseconds, by percent.
    tokens_median, tokens_max : float
        Tokens per text before padding: median, and the largest number.
    """

    percentiles: Percentiles
    tokens_median: float
    tokens_max: float

    @property
    def median(self) -> Percentile:
        """The median."""
        return self.percentiles[50]
