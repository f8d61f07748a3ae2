"""Latency of candidates, measured in rounds: all of them briefly, then the contenders in turn, for long."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.edge.latency.facts import Machine
from core.edge.latency.inputs import ModelInputs, Texts
from core.edge.latency.measure import measure_latency
from core.edge.latency.percentiles import Percentile, needed, percentiles
from core.edge.latency.settings import Limits
from core.edge.smallest.report import Candidate
from core.edge.smallest.settings import SmallestSettings
from core.errors import PlumblineError, StoppedError
from core.progress import Event, Report

if TYPE_CHECKING:
    from core.edge.latency.report import LatencyReport
    from core.edge.variants.variants import Rows

__all__ = ["Files", "Timer", "Timing"]

_MOST_S = 60.0  # of one measurement
_SAMPLES = 1.5  # of those that the percentile needs, so that its interval is closed


@dataclass(frozen=True)
class Files:
    """The files of a variant.

    Parameters
    ----------
    model : Path
        The ONNX file.
    tokenizer : Path or None
        Its tokenizer, of a text model.
    """

    model: Path
    tokenizer: Path | None


@dataclass
class Timing:
    """What was measured of one candidate so far.

    Parameters
    ----------
    samples : list of array
        Latencies of the requests by round, milliseconds.
    kept_up : bool, default=True
        Whether the server answered as fast as requests came, in all rounds.
    long : bool, default=False
        Whether it was measured for long.
    error : PlumblineError, optional
        Why it could not be measured.
    """

    samples: list[NDArray[np.float64]] = field(default_factory=list)
    kept_up: bool = True
    long: bool = False
    error: PlumblineError | None = None

    @property
    def is_measured(self) -> bool:
        """Whether there are samples, and no measurement failed."""
        return bool(self.samples) and self.error is None

    def all_ms(self) -> NDArray[np.float64]:
        """Return the latencies of all requests, milliseconds."""
        return np.concatenate(self.samples) if self.samples else np.empty(0)

    def percentile(self, percent: float) -> Percentile:
        """Return a percentile of all requests."""
        return percentiles(self.all_ms())[percent]

    def quantile_ms(self, percent: float) -> float:
        """Return a percentile of all requests, whether or not they are enough."""
        return float(np.quantile(self.all_ms(), percent / 100))

    @property
    def median_ms(self) -> float:
        """The median of all requests."""
        return float(np.median(self.all_ms()))

    @property
    def rounds_ms(self) -> tuple[float, ...]:
        """The median of each round."""
        return tuple(float(np.median(samples)) for samples in self.samples)


class Timer:
    """Measures candidates of one model, one process at a time.

    Parameters
    ----------
    files : mapping of str to Files
        Files by the name of the variant.
    rows : DataFrame, sequence of str or None
        Rows or texts to measure with; None for random inputs.
    max_length : int or None
        Tokens per text that the model reads.
    settings : SmallestSettings
        Settings of the search.
    limits : Limits
        Limits of the measuring process.
    report : callable
        Called with an `Event` before each measurement, its fraction within the search.
    should_stop : callable or None
        Called ten times per second.
    """

    def __init__(
        self,
        files: Mapping[str, Files],
        rows: Rows | None,
        max_length: int | None,
        settings: SmallestSettings,
        limits: Limits,
        report: Report,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self._files, self._rows, self._max_length, self._settings = files, rows, max_length, settings
        self._limits, self._report, self._should_stop = limits, report, should_stop
        self.timings: dict[Candidate, Timing] = {}
        self.machine: Machine | None = None

    def screen(self, candidates: Sequence[Candidate], begin: float, end: float) -> None:
        """Measure all candidates briefly, in random order.

        Parameters
        ----------
        candidates : sequence of Candidate
            The candidates.
        begin, end : float
            Fractions of the search between which this is.
        """
        order = np.random.default_rng(self._settings.seed).permutation(len(candidates))
        for number, index in enumerate(order):
            text = f"Measuring all candidates briefly, {number + 1} of {len(candidates)}: {candidates[index].variant}"
            self._report(Event("screen", begin + (end - begin) * number / len(candidates), text))
            self._measure(candidates[index], self._settings.short_s)

    def contend(self, contenders: Sequence[Candidate], begin: float, end: float) -> None:
        """Measure contenders for long: in each round all of them, so that they share the machine's changes.

        Parameters
        ----------
        contenders : sequence of Candidate
            Candidates that were measured briefly.
        begin, end : float
            Fractions of the search between which this is.
        """
        brief = {candidate: self.timings[candidate] for candidate in contenders}
        contenders = [candidate for candidate in contenders if brief[candidate].error is None]
        seconds = {candidate: self._seconds(brief[candidate]) for candidate in contenders}
        for candidate in contenders:  # what was measured at another time is not mixed in
            self.timings[candidate] = Timing(long=True)
        rounds, done = self._settings.rounds, 0
        try:
            for number in range(rounds):
                for offset in range(len(contenders)):
                    candidate = contenders[(offset + number) % len(contenders)]
                    text = f"Measuring contenders, round {number + 1} of {rounds}: {candidate.variant}"
                    self._report(Event("contend", begin + (end - begin) * done / (rounds * len(contenders)), text))
                    self._measure(candidate, seconds[candidate])
                    done += 1
        finally:  # of a search that is stopped
            self.timings |= {candidate: brief[candidate] for candidate in contenders if self._is_empty(candidate)}

    def _is_empty(self, candidate: Candidate) -> bool:
        timing = self.timings[candidate]
        return not timing.samples and timing.error is None

    def _seconds(self, brief: Timing) -> float:
        """Return the seconds of one round, so that all rounds together have the samples that the percentile needs."""
        settings = self._settings
        request_s = brief.median_ms / 1e3 if settings.target_qps is None else 1 / settings.target_qps
        samples = _SAMPLES * needed(settings.percentile)
        least_s = 3 * request_s  # one run must not take longer than a measurement lasts
        return min(_MOST_S, max(settings.long_s, samples * request_s) / settings.rounds + least_s)

    def _measure(self, candidate: Candidate, duration_s: float) -> None:
        timing = self.timings.setdefault(candidate, Timing())
        if timing.error is not None:
            return
        files, settings = self._files[candidate.variant], self._settings
        try:
            measured = measure_latency(
                files.model,
                settings.latency(candidate.threads, candidate.batch_size, duration_s),
                inputs=self._inputs(files, candidate),
                should_stop=self._should_stop,
                limits=self._limits,
            )
        except StoppedError:
            raise
        except PlumblineError as error:
            timing.error = error
            return
        self._note(timing, measured)

    def _note(self, timing: Timing, measured: LatencyReport) -> None:
        timing.samples.append(measured.samples_ms)
        timing.kept_up = timing.kept_up and (measured.server is None or measured.server.kept_up)
        if self.machine is None or (measured.machine.others_cpu or 0.0) > (self.machine.others_cpu or 0.0):
            self.machine = measured.machine  # the busiest moment

    def _inputs(self, files: Files, candidate: Candidate) -> ModelInputs:
        if self._rows is None or files.tokenizer is None:
            return self._rows
        return Texts(list(self._rows), files.tokenizer, candidate.length or self._max_length or 512)
