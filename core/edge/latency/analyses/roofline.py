"""The roofline of a model: how fast this machine could run its graph at best (Williams, Waterman, Patterson 2009)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.edge.latency.facts import Roof
from core.edge.latency.messages import Job
from core.edge.latency.process import run_in_child
from core.edge.latency.report import LatencyReport
from core.edge.latency.settings import LatencySettings, Limits
from core.errors import InputError
from core.progress import Report

if TYPE_CHECKING:
    from core.edge.inspection.graph import Graph

__all__ = ["Roof", "Roofline", "machine_roof", "roofline"]


@dataclass(frozen=True)
class Roofline:
    """A measurement compared with the limits of the machine.

    Parameters
    ----------
    flop : int
        Operations of one request.
    bytes_least : int
        Bytes that any implementation has to move for one request.
    intensity : float
        Operations per byte.
    gflops : float
        Operations that were reached, 10^9 per second.
    roof_ms : float
        Milliseconds of a request at the limit.
    share : float
        Share of the limit that was reached. More than 1 for quantized models: the limit is that of float32.
    bound : str
        The limit: "compute" or "memory".
    """

    flop: int
    bytes_least: int
    intensity: float
    gflops: float
    roof_ms: float
    share: float
    bound: str

    def to_dict(self) -> dict[str, float | str]:
        """Return the comparison as JSON-serializable values."""
        return asdict(self)


def machine_roof(
    threads: int = 1, *, report: Report | None = None, should_stop: Callable[[], bool] | None = None
) -> Roof:
    """Measure the limits of this machine, in a process of its own; takes about two seconds.

    Parameters
    ----------
    threads : int, default=1
        Threads, and cores that the process is pinned to.
    report, should_stop : callable, optional
        See `measure_latency`.

    Raises
    ------
    SettingsError
        When `threads` is less than 1.
    """
    settings = LatencySettings(intra_op_threads=threads)
    with tempfile.TemporaryDirectory(prefix="plumbline-roof-") as name:
        roof, _ = run_in_child(
            Job("roof", settings),
            Path(name),
            Roof,
            library_threads=threads,
            duration_s=3.0,
            limits=Limits(),
            report=report,
            should_stop=should_stop,
        )
    return roof


def roofline(report: LatencyReport, graph: Graph, roof: Roof) -> Roofline:
    """Compare a measurement with the limits of the machine: the longer of computing and reading is the limit.

    Parameters
    ----------
    report : LatencyReport
        The measurement; its median is compared, for a server the time of a request itself.
    graph : Graph
        The graph of the same file, described with inputs of the same shape.
    roof : Roof
        Limits of the machine, with as many threads.

    Raises
    ------
    InputError
        When the graph's work was not counted, or it has no operations on matrices (trees only compare).

    Examples
    --------
    >>> from types import SimpleNamespace as Namespace
    >>> graph = Namespace(work=Namespace(flop=100_000_000, bytes_least=1_000_000))
    >>> line = roofline(Namespace(server=None, median_ms=2.0), graph, Roof(100.0, 10.0, 1))
    >>> line.roof_ms, line.share, line.bound
    (1.0, 0.5, 'compute')
    """
    work = graph.work
    if work is None:
        raise InputError("The graph's work was not counted.", "Describe the graph with inputs (feeds).")
    if work.flop == 0:
        raise InputError(
            "The graph has no operations on matrices.", "A roofline is for neural networks; trees only compare."
        )
    took_ms = report.median_ms if report.server is None else report.server.service_ms
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
