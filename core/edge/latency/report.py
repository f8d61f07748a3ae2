"""`LatencyReport`: the result of a measurement, and everything that says how far to trust it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, JsonValue, PlainSerializer, PlainValidator, TypeAdapter

from core.edge.latency.facts import Machine, ServerFacts, Tokenisation, Warmup
from core.edge.latency.percentiles import Percentile, Percentiles
from core.edge.latency.scenarios import SCENARIOS
from core.edge.latency.settings import LatencySettings

__all__ = ["LatencyReport", "describe_shortening"]

_OFFICIAL_S = 600  # of MLPerf Inference Rules, for every scenario


@dataclass(frozen=True)
class LatencyReport:
    """The result of a measurement.

    Parameters
    ----------
    settings : LatencySettings
        The settings that were measured with.
    name : str
        Name of the file.
    kind : str
        The kind of model: "onnx", "automl" or "text" (the last two as they were trained).
    size_bytes : int
        Size of the file, or of the native model's files.
    percentiles : dict of Percentile
        Percentiles by 50, 90, 95, 99 and 99.9.
    mean_ms, min_ms, max_ms : float
        Mean, smallest and largest latency.
    throughput : float
        Rows per second.
    requests : int
        Number of samples.
    elapsed_s : float
        Seconds that they took.
    load_ms, first_ms : float
        Milliseconds to load the model, and of its first run: neither is among the samples.
    warmup : Warmup
        The requests before the measurement; they are not among the samples.
    windows_ms : tuple
        Medians of three equal parts of the time (of requests' own time, without waiting).
    stable : bool or None
        Whether they lie within 10%; None with too few samples to say.
    cpu_s_per_inference : float
        Processor time of all threads per row, seconds.
    rss_before_mb, peak_rss_mb : float
        Resident memory before the model was loaded, and the peak.
    harness_floor_us : float
        Microseconds that an empty graph takes in the same loop with the same options: what measuring itself costs.
    preprocessing : bool
        Whether tokenization, or the building of inputs from a row, is included in the samples.
    applied : dict
        Options that were read back from the session.
    shortened : bool
        Whether the run is shorter than MLPerf's rules ask for.
    shortened_text : str
        A sentence that says by how much.
    server : ServerFacts or None
        Facts of the server scenario.
    tokenisation : Tokenisation or None
        Tokenization of the texts.
    curve : tuple
        (percent, milliseconds) pairs to draw.
    samples_ms : ndarray of shape (requests,)
        Latencies in the order of the requests; empty when read from JSON.
    """

    settings: Annotated[
        LatencySettings, PlainValidator(LatencySettings.from_stored), PlainSerializer(LatencySettings.to_stored)
    ]
    name: str
    kind: str
    size_bytes: int
    percentiles: Percentiles
    mean_ms: float
    min_ms: float
    max_ms: float
    throughput: float
    requests: int
    elapsed_s: float
    load_ms: float
    first_ms: float
    warmup: Warmup
    windows_ms: tuple[float | None, ...]
    stable: bool | None
    cpu_s_per_inference: float
    rss_before_mb: float
    peak_rss_mb: float
    harness_floor_us: float
    preprocessing: bool
    applied: dict[str, bool | int | str | list[str]]
    machine: Machine
    shortened: bool
    shortened_text: str
    server: ServerFacts | None
    tokenisation: Tokenisation | None
    curve: tuple[tuple[int | float, float], ...]
    samples_ms: Annotated[NDArray[np.float64], PlainValidator(np.asarray), Field(exclude=True)] = field(
        repr=False, compare=False, default_factory=lambda: np.empty(0)
    )

    @property
    def median(self) -> Percentile:
        """The median of the latency."""
        return self.percentiles[50]

    @property
    def median_ms(self) -> float:
        """The median of the latency, milliseconds; with too few samples for one, the mean."""
        return self.mean_ms if self.median.value is None else self.median.value

    def to_dict(self) -> dict[str, JsonValue]:
        """Return everything but the samples as JSON-serializable values."""
        return dict(_adapter().dump_python(self, mode="json"))

    @classmethod
    def from_dict(cls, values: Mapping[str, JsonValue]) -> LatencyReport:
        """Read what `to_dict` wrote; the samples are not included."""
        return _adapter().validate_python(dict(values))


@cache
def _adapter() -> TypeAdapter[LatencyReport]:
    return TypeAdapter(LatencyReport)


def describe_shortening(scenario: str, elapsed_s: float, queries: int) -> str:
    """Say by how much a run is shorter than MLPerf's rules ask for; empty when it is not.

    Examples
    --------
    >>> describe_shortening("server", 5, 500)
    'Shortened run: 5 s of 600 s, 500 of 662 requests.'
    >>> describe_shortening("server", 601, 5_000)
    ''
    """
    min_queries = SCENARIOS[scenario].min_queries
    parts = [f"{elapsed_s:.3g} s of {_OFFICIAL_S} s"] if elapsed_s < _OFFICIAL_S else []
    parts += [f"{queries:,} of {min_queries:,} requests"] if queries < min_queries else []
    return f"Shortened run: {', '.join(parts)}." if parts else ""
