"""Is a service level objective met? Measured with arrivals that do not wait for answers, and said with care."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.edge.latency._measure import measure_latency
from core.edge.latency._percentiles import Percentile, needed
from core.edge.latency._report import LatencyReport
from core.edge.latency._settings import LatencySettings, Slo
from core.errors import SettingsError

__all__ = ["SloVerdict", "measure_slo", "slo_duration_s", "verdict"]

_LEAST_S, _MOST_S = 5.0, 600.0


@dataclass(frozen=True)
class SloVerdict:
    """What can be said of an objective.

    Parameters
    ----------
    verdict : str
        met, not met, or not enough samples.
    reason : str
        One sentence.
    percentile : Percentile
        The one that the objective is about.
    kept_up : bool
        Whether the server answered as fast as requests came.
    """

    verdict: str
    reason: str
    percentile: Percentile
    kept_up: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""
        return asdict(self)


def verdict(report: LatencyReport, slo: Slo) -> SloVerdict:
    """Say whether a measurement of the server scenario meets an objective.

    It is met when the server kept up and the percentile's whole interval lies within the bound; not met when the
    server did not keep up, or the interval lies above; anything between takes more samples.

    Raises
    ------
    SettingsError
        When it was measured in another scenario, at a lower rate or with more threads.
    """
    server, asked = report.server, report.settings
    if server is None:
        raise SettingsError(
            f"The scenario '{asked.scenario}' says nothing about a rate of requests.", "Measure the server scenario."
        )
    if server.target_qps < slo.qps or asked.threads > slo.threads:
        raise SettingsError(
            f"It was measured at {server.target_qps:g} requests a second with {asked.threads} thread(s); the objective "
            f"is {slo.qps:g} with {slo.threads}.",
            "Measure it with the objective's own rate and threads: measure_slo does.",
        )
    found = report.percentiles[slo.percentile]
    name, bound = f"p{slo.percentile:g}", f"{slo.bound_ms:g} ms"

    def say(word: str, reason: str) -> SloVerdict:
        return SloVerdict(word, reason, found, server.kept_up)

    if not server.kept_up:
        return say("not met", f"The server did not keep up: {server.queue_at_end:,} requests waited at the end.")
    if found.low is not None and found.low > slo.bound_ms:
        return say("not met", f"{name} is above {bound}: at least {found.low:.3g} ms.")
    if not found.enough:
        return say("not enough samples", f"{name} needs {found.needed:,} samples; there are {found.n:,}.")
    if found.high is not None and found.high <= slo.bound_ms:
        return say("met", f"{name} is within {bound}: at most {found.high:.3g} ms.")
    return say(
        "not enough samples",
        f"{bound} lies within the interval of {name}; four times as many samples ({4 * found.n:,}) halve it.",
    )


def slo_duration_s(slo: Slo) -> float:
    """Return how many seconds bring the samples that an objective takes, and half as many again; 5 to 600.

    Examples
    --------
    >>> slo_duration_s(Slo(bound_ms=10, qps=100)), duration_of(Slo(bound_ms=10, qps=1_000))
    (9.93, 5.0)
    """
    return min(_MOST_S, max(_LEAST_S, 1.5 * needed(slo.percentile) / slo.qps))


def measure_slo(
    path: str | Path, slo: Slo, *, settings: LatencySettings | None = None, **options: Any
) -> tuple[LatencyReport, SloVerdict]:
    """Measure the server scenario at an objective's rate and threads, and judge it.

    Parameters
    ----------
    path : path
        An ONNX file.
    slo : Slo
        The objective.
    settings : LatencySettings, optional
        Everything else. By default the time is what the percentile needs, 5 s to 10 minutes.
    options
        As of `measure_latency`: inputs, include_preprocessing, report, should_stop, limits.

    Raises
    ------
    InputError, LimitError, SettingsError, StoppedError
        As of `measure_latency`.
    """
    given = {"duration_s": slo_duration_s(slo)} if settings is None else settings.model_dump()
    asked = LatencySettings(
        **given
        | {
            "scenario": "server",
            "target_qps": slo.qps,
            "latency_bound_ms": slo.bound_ms,
            "intra_op_threads": slo.threads,
        }
    )
    report = measure_latency(path, asked, **options)
    return report, verdict(report, slo)
