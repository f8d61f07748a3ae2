"""Warm-up, the empty graph, and the measurement itself, whatever is measured. Measuring process only."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.edge.latency.facts import ServerFacts, TokenCounts, Warmup
from core.edge.latency.measuring.loops import Item, Run, Timed, arrivals, closed_loop, open_loop
from core.edge.latency.measuring.model_errors import model_errors
from core.edge.latency.measuring.rate_search import PROBES, highest_rate, p99_ms, server_facts
from core.edge.latency.measuring.usage import Others, peak_mb
from core.edge.latency.messages import Emit, Step, Timing
from core.edge.latency.scenarios import SCENARIOS
from core.edge.latency.settings import LatencySettings
from core.errors import LimitError

if TYPE_CHECKING:
    from core.finetune import Text

__all__ = ["first_run", "measure", "tokenize"]

Encoded = TypeVar("Encoded")

_FLOOR_NS = 75_000_000
_SHOWN = 200


class Engine(Protocol):
    """Runs requests: a loop of ours, or MLPerf's load generator."""

    def back_to_back(
        self, run: Run[Item], items: Sequence[Item], duration_ns: int, expected_ns: float, scenario: str
    ) -> Timed:
        """Run requests one after the other."""
        ...

    def at_rate(self, run: Run[Item], items: Sequence[Item], settings: LatencySettings, duration_ns: int) -> Timed:
        """Run requests that arrive at the rate of the settings."""
        ...


class _Loop:
    """Our own loops."""

    def back_to_back(
        self, run: Run[Item], items: Sequence[Item], duration_ns: int, expected_ns: float, scenario: str
    ) -> Timed:
        """Run a closed loop."""
        return closed_loop(run, items, duration_ns)

    def at_rate(self, run: Run[Item], items: Sequence[Item], settings: LatencySettings, duration_ns: int) -> Timed:
        """Run an open loop."""
        assert settings.target_qps is not None
        due = arrivals(settings.target_qps, settings.duration_s, settings.seed)
        return open_loop(run, items, due, duration_ns)


def first_run(run: Run[Item], item: Item, settings: LatencySettings, emit: Emit) -> int:
    """Return the time of the first run, nanoseconds.

    Raises
    ------
    InputError
        When the model cannot be run.
    LimitError
        When it, and the next one, take longer than the whole measurement may.
    """
    emit(Step("first", 0.0))
    with model_errors():
        first = closed_loop(run, [item], 0).elapsed_ns
        # The first may be slow for its own reasons.
        steady = closed_loop(run, [item], 0).elapsed_ns if first > settings.duration_s * 1e9 else first
    if steady > settings.duration_s * 1e9:
        raise LimitError(
            f"One run takes {steady / 1e9:.2g} s, longer than the measurement lasts ({settings.duration_s:g} s).",
            "Raise duration_s to some hundred times that.",
        )
    return first


def measure(
    run: Run[Item],
    items: Sequence[Item],
    empty: Run[None],
    settings: LatencySettings,
    folder: Path,
    emit: Emit,
) -> Timing:
    """Warm up and measure; the samples are written to ``samples.npz`` in the folder.

    Parameters
    ----------
    run : callable
        Answers one item.
    items : sequence
        The requests.
    empty : callable
        The empty graph with the same options.
    settings : LatencySettings
        Settings of the measurement.
    folder : Path
        Folder for the samples.
    emit : callable
        Announces each step.
    """
    emit(Step("floor", _FLOOR_NS / 1e9))
    engine = _engine(settings, folder)
    warm_floor = closed_loop(empty, [None], _FLOOR_NS // 3)
    expected = float(np.median(warm_floor.latency))
    floor = engine.back_to_back(empty, [None], _FLOOR_NS, expected, "single_stream")
    with model_errors():
        emit(Step("warmup", settings.warmup_s))
        warmup = closed_loop(run, items, int(settings.warmup_s * 1e9))
        expected = float(np.median(warmup.latency[len(warmup.latency) // 2 :]))
        others = Others()
        if SCENARIOS[settings.scenario].loop == "open":
            timed, server = _serve(run, items, expected, settings, engine, emit)
        else:
            emit(Step("measure", settings.duration_s))
            duration_ns, server = int(settings.duration_s * 1e9), None
            timed = engine.back_to_back(run, items, duration_ns, expected, settings.scenario)
        others_cpu = others.cores()
    np.savez(folder / "samples.npz", latency=timed.latency, service=timed.service, started=timed.started)
    return Timing(
        warmup=Warmup(len(warmup.latency), tuple((warmup.latency[:_SHOWN] / 1e6).tolist())),
        floor_us=float(np.median(floor.latency)) / 1e3,
        elapsed_s=timed.elapsed_ns / 1e9,
        served=len(timed.service),
        cpu_s=timed.cpu_ns / 1e9,
        others_cpu=others_cpu,
        peak_rss_mb=peak_mb(),
        server=server,
    )


def _engine(settings: LatencySettings, folder: Path) -> Engine:
    if settings.engine == "loadgen":
        from core.edge.latency.measuring.loadgen import LoadGen

        return LoadGen(folder)
    return _Loop()


def _serve(
    run: Run[Item],
    items: Sequence[Item],
    expected_ns: float,
    settings: LatencySettings,
    engine: Engine,
    emit: Emit,
) -> tuple[Timed, ServerFacts]:
    """Measure at the given rate; or spend half of the time to search for the highest one, and half to measure it."""
    if settings.target_qps is not None:
        duration_ns = int(settings.duration_s * 1e9)
        emit(Step("measure", settings.duration_s))
        timed = engine.at_rate(run, items, settings, duration_ns)
        facts = server_facts(timed, settings.target_qps, duration_ns)
        return timed, replace(facts, latency_bound_ms=settings.latency_bound_ms)
    assert settings.latency_bound_ms is not None
    part_s = settings.duration_s / 2 / PROBES

    def probe(rate: float, number: int) -> tuple[Timed, int]:
        emit(Step("search", part_s, number=number, probes=PROBES, qps=rate))
        due = arrivals(rate, part_s, settings.seed + 1 + number)
        return open_loop(run, items, due, int(part_s * 1e9)), int(part_s * 1e9)

    best, tried = highest_rate(probe, expected_ns, settings.latency_bound_ms)
    rate, duration_ns = best or tried[-1].qps, int(settings.duration_s * 1e9) // 2
    emit(Step("measure", duration_ns / 1e9))
    timed = open_loop(run, items, arrivals(rate, duration_ns / 1e9, settings.seed), duration_ns)
    facts = server_facts(timed, rate, duration_ns)
    return timed, replace(
        facts,
        latency_bound_ms=settings.latency_bound_ms,
        max_qps=best,
        confirmed=bool(best and p99_ms(timed) <= settings.latency_bound_ms and facts.kept_up),
        probes=tuple(tried),
    )


def tokenize(
    encode: Callable[[list[Text]], Encoded],
    lengths: Callable[[list[Text]], list[int]],
    batches: Sequence[list[Text]],
    folder: Path,
    emit: Emit,
) -> tuple[list[Encoded], TokenCounts]:
    """Tokenize and time all batches; the times are written to ``tokenisation.npz`` in the folder.

    Parameters
    ----------
    encode : callable
        Returns the tensors of a batch of texts.
    lengths : callable
        Returns the number of tokens of each text of a batch.
    batches : sequence of list of str or of (str, str)
        The texts.
    folder : Path
        Folder for the times.
    emit : callable
        Announces each step.

    Returns
    -------
    encoded : list
        The tensors of each batch.
    counts : TokenCounts
        How many tokens the texts have.
    """
    emit(Step("tokenise", 1.0))
    for batch in batches[:20]:  # the first ones fill caches
        encode(batch)
    encoded, times = [], np.zeros(len(batches), dtype=np.int64)
    for index, batch in enumerate(batches):
        before = time.perf_counter_ns()
        tensors = encode(batch)
        times[index] = time.perf_counter_ns() - before
        encoded.append(tensors)
    np.savez(folder / "tokenisation.npz", times=times)
    tokens: NDArray[np.int64] = np.array([count for batch in batches for count in lengths(batch)], dtype=np.int64)
    return encoded, TokenCounts(float(np.median(tokens)), float(tokens.max()))
