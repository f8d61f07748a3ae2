"""Is a service level objective met? Measured with arrivals that do not wait for answers, and judged by intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import JsonValue

from core.edge.latency.inputs import ModelInputs
from core.edge.latency.measure import measure_latency
from core.edge.latency.percentiles import Percentile, needed
from core.edge.latency.report import LatencyReport
from core.edge.latency.settings import LatencySettings, Limits, Slo
from core.errors import SettingsError
from core.progress import Report
from core.units import latency_text

__all__ = ["SloVerdict", "measure_slo", "slo_duration_s", "verdict"]

_MIN_S, _MAX_S = 5.0, 600.0


@dataclass(frozen=True)
class SloVerdict:
    """Whether an objective is met.

    Parameters
    ----------
    verdict : str
        "met", "not met", or "not enough samples".
    reason : str
        Why, in one sentence.
    percentile : Percentile
        The percentile that the objective is about.
    kept_up : bool
        Whether the server answered as fast as requests came.
    next_step : str, default=""
        Sentence that says what to do next; empty in reports of earlier versions.
    """

    verdict: str
    reason: str
    percentile: Percentile
    kept_up: bool
    next_step: str = ""

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the verdict as JSON-serializable values."""
        return asdict(self)


def verdict(report: LatencyReport, slo: Slo) -> SloVerdict:
    """Say whether a measurement of the server scenario meets an objective.

    The objective is met when the server kept up and the percentile's whole interval lies within the bound, and not met
    when the server did not keep up, or the interval lies above the bound; between the two it needs more samples.

    Parameters
    ----------
    report : LatencyReport
        A measurement of the server scenario.
    slo : Slo
        The objective.

    Raises
    ------
    SettingsError
        When it was measured in another scenario, at a lower rate or with more threads.
    """
    server, settings = report.server, report.settings
    if server is None:
        raise SettingsError(
            f"The scenario '{settings.scenario}' says nothing about a rate of requests.", "Measure the server scenario."
        )
    if server.target_qps < slo.qps or settings.threads > slo.threads:
        raise SettingsError(
            f"The model was measured at {server.target_qps:g} requests per second with {settings.threads} thread(s); "
            f"the objective is {slo.qps:g} with {slo.threads}.",
            "Measure it at the objective's own rate and threads: measure_slo does.",
        )
    percentile = report.percentiles[slo.percentile]
    name, bound = f"p{slo.percentile:g}", latency_text(slo.bound_ms)

    def conclude(word: str, reason: str, next_step: str) -> SloVerdict:
        return SloVerdict(word, reason, percentile, server.kept_up, next_step)

    if not server.kept_up:
        return conclude(
            "not met",
            f"The server did not keep up: {server.queue_at_end:,} requests waited at the end.",
            "Find a smaller variant, give it more threads, or lower the rate.",
        )
    if percentile.low is not None and percentile.low > slo.bound_ms:
        return conclude(
            "not met",
            f"{name} is above {bound}: at least {latency_text(percentile.low)}.",
            "Find a smaller variant, give it more threads, or allow more time.",
        )
    if not percentile.enough:
        seconds = 1.5 * percentile.needed / slo.qps
        return conclude(
            "not enough samples",
            f"{name} needs {percentile.needed:,} samples; there are {percentile.n:,}.",
            f"Measure for {math.ceil(seconds):,} s, or judge a lower percentile.",
        )
    if percentile.high is not None and percentile.high <= slo.bound_ms:
        return conclude(
            "met", f"{name} is within {bound}: at most {latency_text(percentile.high)}.", "Make the bundle."
        )
    return conclude(
        "not enough samples",
        f"{bound} lies within the interval of {name}; four times as many samples ({4 * percentile.n:,}) halve it.",
        f"Measure for {math.ceil(4 * percentile.n / slo.qps):,} s, or find a smaller variant.",
    )


def slo_duration_s(slo: Slo) -> float:
    """Return the seconds, 5 to 600, that yield the samples that an objective needs, and half as many again.

    Examples
    --------
    >>> slo_duration_s(Slo(bound_ms=10, qps=100)), slo_duration_s(Slo(bound_ms=10, qps=1_000))
    (9.93, 5.0)
    """
    return min(_MAX_S, max(_MIN_S, 1.5 * needed(slo.percentile) / slo.qps))


def measure_slo(
    path: str | Path,
    slo: Slo,
    *,
    settings: LatencySettings | None = None,
    inputs: ModelInputs = None,
    include_preprocessing: bool = False,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
    limits: Limits | None = None,
) -> tuple[LatencyReport, SloVerdict]:
    """Measure the server scenario at an objective's rate and threads, and judge the objective.

    Parameters
    ----------
    path : path
        An ONNX file.
    slo : Slo
        The objective.
    settings : LatencySettings, optional
        The other settings. By default the measurement lasts as long as the percentile needs, 5 s to 10 min.
    inputs, include_preprocessing, report, should_stop, limits : optional
        See `measure_latency`.

    Raises
    ------
    InputError, LimitError, SettingsError, StoppedError
        See `measure_latency`.
    """
    given = {"duration_s": slo_duration_s(slo)} if settings is None else settings.model_dump()
    at_rate = LatencySettings(
        **given
        | {
            "scenario": "server",
            "target_qps": slo.qps,
            "latency_bound_ms": slo.bound_ms,
            "intra_op_threads": slo.threads,
        }
    )
    measured = measure_latency(
        path,
        at_rate,
        inputs=inputs,
        include_preprocessing=include_preprocessing,
        report=report,
        should_stop=should_stop,
        limits=limits,
    )
    return measured, verdict(measured, slo)
