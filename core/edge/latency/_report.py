"""What a measurement found: figures, and all that says how far to trust them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.edge.latency._facts import Machine, ServerFacts, Tokenisation, Warmup
from core.edge.latency._percentiles import Percentile
from core.edge.latency._settings import LatencySettings

__all__ = ["LatencyReport", "shortened"]

# MLPerf Inference Rules, "Scenarios" and "Early Stopping Criterion"; loadgen/mlperf.conf. Up to version 1.0 the rules
# asked for 1,024 (single stream) and 270,336 queries (server) instead; early stopping took the place of that.
_OFFICIAL_S = 600
_OFFICIAL_QUERIES = {"single_stream": 64, "server": 662, "offline": 24_576}


@dataclass(frozen=True)
class LatencyReport:
    """The result of a measurement.

    Parameters
    ----------
    name, kind : str
        The file, and what was measured: onnx, automl or text (the native models).
    size_bytes : int
        Of the file, or of the native model's files.
    percentiles : dict of Percentile
        By 50, 90, 95, 99 and 99.9.
    mean_ms, min_ms, max_ms : float
        Of the samples.
    throughput : float
        Rows a second.
    requests, elapsed_s : int, float
        Samples, and the seconds they took.
    load_ms, first_ms : float
        Loading the model, and its first run: neither is in the samples.
    warmup : Warmup
        What came before; not in the samples.
    windows_ms : tuple
        Medians of three equal parts of the time (of requests' own time, without waiting).
    stable : bool or None
        Whether they lie within 10 %; None with too few samples to tell.
    cpu_s_per_inference : float
        Processor time of all threads, a row.
    rss_before_mb, peak_rss_mb : float
        Resident memory before the model was loaded, and the most there was.
    harness_floor_us : float
        Microseconds that an empty graph takes in the same loop with the same options: what measuring itself costs.
    preprocessing : bool
        Whether tokenising, or the building of inputs from a row, is in the samples.
    applied : dict
        Options read back from the session.
    shortened, shortened_text : bool, str
        Whether the run is shorter than MLPerf's rules ask for, and how.
    server : ServerFacts or None
        Of the server scenario.
    tokenisation : Tokenisation or None
        Of texts.
    curve : tuple
        (percent, milliseconds) pairs to draw.
    samples_ms : ndarray of shape (requests,)
        Latencies in the order of the requests; empty when read from JSON.
    """

    settings: LatencySettings
    name: str
    kind: str
    size_bytes: int
    percentiles: dict[float, Percentile]
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
    applied: dict[str, Any]
    machine: Machine
    shortened: bool
    shortened_text: str
    server: ServerFacts | None
    tokenisation: Tokenisation | None
    curve: tuple[tuple[float, float], ...]
    samples_ms: NDArray[np.float64] = field(repr=False, compare=False, default_factory=lambda: np.empty(0))

    def to_dict(self) -> dict[str, Any]:
        """Return all but the samples as JSON-serialisable values."""
        found = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "samples_ms"}
        found["settings"] = self.settings.model_dump(mode="json")
        found["percentiles"] = _written(self.percentiles)
        for name in ("warmup", "machine", "server"):
            found[name] = None if found[name] is None else _listed(asdict(found[name]))
        if self.tokenisation is not None:
            found["tokenisation"] = asdict(self.tokenisation) | {"percentiles": _written(self.tokenisation.percentiles)}
        return _listed(found)

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> LatencyReport:
        """Read what `to_dict` wrote; the samples are not there."""
        server, tokens = found["server"], found["tokenisation"]
        values = dict(found) | {
            "settings": LatencySettings(**found["settings"]),
            "percentiles": _read(found["percentiles"]),
            "warmup": Warmup(found["warmup"]["count"], tuple(found["warmup"]["samples_ms"])),
            "machine": Machine(**found["machine"] | {"pinned": tuple(found["machine"]["pinned"])}),
            "server": None if server is None else ServerFacts(**server | {"probes": tuple(server["probes"])}),
            "tokenisation": (
                None if tokens is None else Tokenisation(**tokens | {"percentiles": _read(tokens["percentiles"])})
            ),
            "windows_ms": tuple(found["windows_ms"]),
            "curve": tuple((percent, value) for percent, value in found["curve"]),
        }
        return cls(**values)


def shortened(scenario: str, elapsed_s: float, queries: int) -> str:
    """Say by how much a run is shorter than MLPerf's rules ask for; nothing when it is not.

    Examples
    --------
    >>> shortened("server", 5, 500)
    'Shortened run: 5 s of 600 s, 500 of 662 requests.'
    >>> shortened("server", 601, 5_000)
    ''
    """
    asked = _OFFICIAL_QUERIES[scenario]
    parts = [f"{elapsed_s:.3g} s of {_OFFICIAL_S} s"] if elapsed_s < _OFFICIAL_S else []
    parts += [f"{queries:,} of {asked:,} requests"] if queries < asked else []
    return f"Shortened run: {', '.join(parts)}." if parts else ""


def _written(percentiles: Mapping[float, Percentile]) -> dict[str, Any]:
    return {f"{percent:g}": value.to_dict() for percent, value in percentiles.items()}


def _read(found: Mapping[str, Any]) -> dict[float, Percentile]:
    return {float(name) if "." in name else int(name): Percentile(**value) for name, value in found.items()}


def _listed(found: dict[str, Any]) -> dict[str, Any]:
    """Return tuples as lists, so that a dictionary is equal to what JSON makes of it."""

    def plain(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [plain(item) for item in value]
        if isinstance(value, dict):
            return {name: plain(item) for name, item in value.items()}
        return value

    return {name: plain(value) for name, value in found.items()}
