"""The roof over a model: how fast this machine could run its graph at best (Williams, Waterman, Patterson 2009)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.edge.latency._process import in_child
from core.edge.latency._report import LatencyReport
from core.edge.latency._settings import LatencySettings, Limits
from core.errors import InputError
from core.progress import Report

if TYPE_CHECKING:
    from core.edge.inspection.graph import Graph

__all__ = ["Roof", "Roofline", "machine_roof", "roofline"]


@dataclass(frozen=True)
class Roof:
    """What a machine can do at best.

    Parameters
    ----------
    gflops : float
        Products of float32 matrices, 10^9 operations a second (NumPy's BLAS, the best of several sizes).
    read_gb_s : float
        Reading memory, 10^9 bytes a second.
    threads : int
        With so many.
    """

    gflops: float
    read_gb_s: float
    threads: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""
        return asdict(self)


@dataclass(frozen=True)
class Roofline:
    """A measurement under the roof.

    Parameters
    ----------
    flop, bytes_least : int
        Of one request: operations, and bytes that must be moved at least.
    intensity : float
        Operations a byte.
    gflops : float
        Operations that were reached, 10^9 a second.
    roof_ms : float
        Milliseconds of a request at the roof.
    share : float
        Of the roof that was reached. More than 1 for quantised models: the roof is that of float32.
    bound : str
        compute or memory: which of the two the roof is.
    """

    flop: int
    bytes_least: int
    intensity: float
    gflops: float
    roof_ms: float
    share: float
    bound: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""
        return asdict(self)


def machine_roof(
    threads: int = 1, *, report: Report | None = None, should_stop: Callable[[], bool] | None = None
) -> Roof:
    """Measure this machine's roof, in a process of its own on as many cores as threads; takes about two seconds.

    Raises
    ------
    SettingsError
        When `threads` is none.
    """
    threads = LatencySettings(intra_op_threads=threads).threads
    with tempfile.TemporaryDirectory(prefix="plumbline-roof-") as name:
        found, _ = in_child(
            {"operation": "roof", "threads": threads},
            Path(name),
            threads=threads,
            library_threads=threads,
            duration_s=3.0,
            limits=Limits(),
            report=report,
            should_stop=should_stop,
        )
    return Roof(found["gflops"], found["read_gb_s"], threads)


def roofline(report: LatencyReport, graph: Graph, roof: Roof) -> Roofline:
    """Compare a measurement with the roof: time at the roof is the longer of computing and reading.

    Parameters
    ----------
    report : LatencyReport
        Its median is taken; of a server, a request's own time.
    graph : Graph
        Of the same file, described with inputs of the same shape as was measured.
    roof : Roof
        With as many threads.

    Raises
    ------
    InputError
        When the graph's work was not counted, or it has no such operations (trees compare).

    Examples
    --------
    >>> from types import SimpleNamespace as Any
    >>> measured = Any(percentiles={50: Any(value=2.0)}, server=None, mean_ms=2.0)
    >>> found = roofline(measured, Any(work=Any(flop=100_000_000, bytes_least=1_000_000)), Roof(100.0, 10.0, 1))
    >>> found.roof_ms, found.share, found.bound
    (1.0, 0.5, 'compute')
    """
    work = graph.work
    if work is None:
        raise InputError("The graph's work was not counted.", "Describe the graph with inputs (feeds).")
    if work.flop == 0:
        raise InputError("The graph has no operations on matrices.", "A roof is for neural networks; trees compare.")
    median = report.percentiles[50].value
    took_ms = report.server.service_ms if report.server is not None else median or report.mean_ms
    compute_ms, memory_ms = work.flop / roof.gflops / 1e6, work.bytes_least / roof.read_gb_s / 1e6
    roof_ms = max(compute_ms, memory_ms)
    return Roofline(
        work.flop,
        work.bytes_least,
        work.flop / max(work.bytes_least, 1),
        work.flop / took_ms / 1e6,
        roof_ms,
        roof_ms / took_ms,
        "compute" if compute_ms >= memory_ms else "memory",
    )
