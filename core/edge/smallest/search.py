"""`find_smallest`: the smallest variant of a model that is good enough, measured on this machine in one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from core.edge.export.metadata import Metadata
from core.edge.latency.settings import Limits
from core.edge.smallest.answer import conclude
from core.edge.smallest.ranking import Ranking, with_front
from core.edge.smallest.report import Candidate, RefusedCandidate, SmallestReport
from core.edge.smallest.settings import SmallestSettings
from core.edge.smallest.timing import Files, Timer
from core.edge.variants.compare import METRICS_BY_TASK, VariantComparison, compare_variants
from core.edge.variants.forms import VARIANT_FORMS
from core.edge.variants.modes import FULL_PRECISION
from core.edge.variants.variants import HeldOut, Rows, Variant, make_variants, scores
from core.errors import InputError, SettingsError, StoppedError
from core.progress import Event, Report, silent
from core.resources import usable_cores

__all__ = ["SmallestTarget", "find_smallest"]

_MADE, _JUDGED, _SCREENED = 0.4, 0.45, 0.6  # fractions of the search at the end of its phases


@dataclass(frozen=True)
class SmallestTarget:
    """The model that a search is about.

    Parameters
    ----------
    model : Path
        The exported file, in full precision.
    train : DataFrame or sequence of str, optional
        Rows that it was trained on: some calibrate static quantization, and texts say which tokens are needed.
    held_out : HeldOut, optional
        Rows that it was not trained on, with true values; without them nothing is known of quality.
    rows : DataFrame or sequence of str, optional
        Rows or texts to measure latency with; by default those that were held out, else random inputs.
    tokenizer : Path, optional
        The ``tokenizer.json`` of a text model.
    limits : Limits, default=Limits()
        Limits of the measuring process.
    """

    model: Path
    train: Rows | None = None
    held_out: HeldOut | None = None
    rows: Rows | None = None
    tokenizer: Path | None = None
    limits: Limits = field(default_factory=Limits)


def find_smallest(
    target: SmallestTarget,
    folder: str | Path,
    settings: SmallestSettings | None = None,
    *,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> SmallestReport:
    """Find the smallest variant of a model that meets an objective, and say so with intervals.

    All variants are made and compared with the model on held-out rows. Every candidate (a variant with a number of
    threads, rows per request and tokens per text) is measured briefly; the cheapest ones that may meet the objective
    are then measured for long, in rounds. A candidate meets a limit when the bad end of its 95% interval does; each
    interval is one of its own, whatever the number of candidates.

    Parameters
    ----------
    target : SmallestTarget
        The model and its rows.
    folder : path
        Folder for the files of the variants.
    settings : SmallestSettings, optional
        The objective, and what is tried.
    report : callable, optional
        Called with an `Event` before each step.
    should_stop : callable, optional
        Called ten times per second; the search then ends with what it has measured.

    Returns
    -------
    SmallestReport

    Raises
    ------
    SettingsError
        When the objective does not fit the model.
    InputError
        When the model cannot be measured at all.
    StoppedError
        When it was stopped before anything was measured.

    See Also
    --------
    make_variants : Makes the variants.
    measure_latency : Measures one of them.
    """
    return _Search(target, Path(folder), settings or SmallestSettings(), report or silent, should_stop).run()


class _Search:
    """The state of one search."""

    def __init__(
        self,
        target: SmallestTarget,
        folder: Path,
        settings: SmallestSettings,
        report: Report,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self.target, self.folder, self.settings, self.report = target, folder, settings, report
        self.should_stop = should_stop or (lambda: False)
        self.metadata = Metadata.read(target.model)
        self.metric = self._metric()
        self.lengths = self._lengths()
        self.variants: list[Variant] = []
        self.comparisons: dict[tuple[str, int | None], VariantComparison] = {}

        self.stopped = False

    def run(self) -> SmallestReport:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._make()
            self._compare_lengths()
        except StoppedError as error:
            raise StoppedError(
                "The search was stopped before anything was measured.", "Start it again for a result."
            ) from error
        self.timer = self._timer()
        self.ranking = Ranking(self.settings, self.metric, self.variants, self.comparisons, self.timer.timings)
        candidates = self._candidates()
        try:
            self.timer.screen(candidates, _JUDGED, _SCREENED)
            self._contend(candidates)
        except StoppedError:
            if not any(timing.samples for timing in self.timer.timings.values()):
                raise
            self.stopped = True
        return self._conclude()

    def _metric(self) -> str | None:
        """Return the metric of the quality.

        Raises
        ------
        SettingsError
            When it is not one of this task, or a limit needs rows that are not there.
        """
        held_out, settings = self.target.held_out, self.settings
        if held_out is None:
            if settings.max_loss is not None:
                raise SettingsError(
                    "The loss of quality cannot be limited: no rows with true values were held out.",
                    "Leave the largest loss empty.",
                )
            return None
        choices = METRICS_BY_TASK[held_out.task]
        if settings.metric is not None and settings.metric not in choices:
            raise SettingsError(
                f"The metric '{settings.metric}' does not fit {held_out.task}.", f"Choose {' or '.join(choices)}."
            )
        return settings.metric or choices[0]

    def _lengths(self) -> list[int | None]:
        """Return the numbers of tokens to read at most, None for as many as the model was trained with.

        Raises
        ------
        SettingsError
            When a model of another kind is to read fewer tokens.
        """
        if not self.settings.lengths:
            return [None]
        if self.metadata.kind != "text":
            raise SettingsError("Only a model of texts reads fewer tokens.", "Leave the lengths empty.")
        most = self.metadata.max_length
        return [None, *(length for length in self.settings.lengths if most is None or length < most)]

    def _make(self) -> None:
        forms = self.settings.forms
        if forms is None:
            is_text = self.metadata.kind == "text"
            forms = tuple(name for name, form in VARIANT_FORMS.items() if is_text or not form.prunes_vocabulary)

        def forward(event: Event) -> None:
            self.report(Event("make", _MADE * (event.fraction or 0.0), event.message))

        self.variants = make_variants(
            self.target.model,
            self.folder,
            modes=forms,
            train=self.target.train,
            held_out=self.target.held_out,
            tokenizer=self.target.tokenizer,
            report=forward,
            should_stop=self.should_stop,
        )
        self.comparisons = {
            (variant.name, None): variant.comparison for variant in self.variants if variant.comparison is not None
        }

    def _files(self, variant: Variant) -> Files:
        if variant.name == FULL_PRECISION:
            return Files(self.target.model, self.target.tokenizer)
        assert variant.file is not None
        own = variant.tokenizer
        return Files(self.folder / variant.file, self.target.tokenizer if own is None else self.folder / own)

    @property
    def made(self) -> list[Variant]:
        """The variants that could be made."""
        return [variant for variant in self.variants if variant.file is not None]

    def _compare_lengths(self) -> None:
        """Compare each variant that reads fewer tokens with the model as it was exported."""
        held_out = self.target.held_out
        pairs = [(variant, length) for variant in self.made for length in self.lengths if length is not None]
        if held_out is None or not pairs:
            return
        before: NDArray[Any] = scores(self.target.model, held_out.rows, self.target.tokenizer)
        for number, (variant, length) in enumerate(pairs):
            if self.should_stop():
                raise StoppedError("The search was stopped.", "")
            fraction = _MADE + (_JUDGED - _MADE) * number / len(pairs)
            self.report(Event("compare", fraction, f"Comparing {variant.name} with {length} tokens per text"))
            files = self._files(variant)
            after = scores(files.model, held_out.rows, files.tokenizer, max_length=length)
            self.comparisons[variant.name, length] = compare_variants(held_out.y, before, after, task=held_out.task)

    def _timer(self) -> Timer:
        rows = self.target.rows
        if rows is None and self.target.held_out is not None:
            rows = self.target.held_out.rows
        if self.metadata.kind == "table" and rows is not None:
            rows = rows[[column.name for column in self.metadata.columns]]  # type: ignore[call-overload]
        return Timer(
            {variant.name: self._files(variant) for variant in self.made},
            rows,
            self.metadata.max_length,
            self.settings,
            self.target.limits,
            self.report,
            self.should_stop,
        )

    def _candidates(self) -> list[Candidate]:
        settings = self.settings
        names = [variant.name for variant in self.made]
        grid = product(names, settings.threads, settings.batch_sizes, self.lengths)
        return [Candidate(*combination) for combination in grid]

    def _contend(self, candidates: Sequence[Candidate]) -> None:
        """Measure the cheapest candidates that may meet the objective for long, until one does."""
        timings, size = self.timer.timings, self.settings.contenders
        measured = [candidate for candidate in candidates if timings[candidate].samples]
        if not measured:
            error = next(timing.error for timing in timings.values() if timing.error is not None)
            raise InputError(f"No variant can be measured: {error.message}", error.hint)
        ranking = self.ranking
        possible = [candidate for candidate in measured if ranking.verdict(candidate) != "missed"]
        waiting = sorted(possible, key=ranking.cost) or sorted(measured, key=ranking.distance)[:size]
        begin = _SCREENED
        while waiting:
            batch, waiting = waiting[:size], waiting[size:]
            end = begin + (0.98 - begin) * (0.5 if waiting else 1.0)
            self.timer.contend([*self._references(batch, measured), *batch], begin, end)
            begin = end
            if not possible or any(self._meets(candidate) for candidate in batch):
                return

    def _references(self, batch: Sequence[Candidate], measured: Sequence[Candidate]) -> list[Candidate]:
        """Return full precision on as many threads and rows as the contenders, to compare them with."""
        full = (Candidate(FULL_PRECISION, item.threads, item.batch_size) for item in batch)
        return [item for item in dict.fromkeys(full) if item in measured and item not in batch]

    def _meets(self, candidate: Candidate) -> bool:
        return self.timer.timings[candidate].is_measured and self.ranking.verdict(candidate) == "met"

    def _conclude(self) -> SmallestReport:
        self.report(Event("conclude", 0.99, "Judging all candidates"))
        timings, ranking = self.timer.timings, self.ranking
        ordered = sorted((candidate for candidate, timing in timings.items() if timing.is_measured), key=ranking.cost)
        reports = with_front([ranking.describe(candidate) for candidate in ordered])
        met = [index for index, report in enumerate(reports) if report.verdict == "met"]
        # In the order of costs; what was measured for long first.
        chosen = min(met, key=lambda index: (not reports[index].contender, index), default=None)
        closest = None
        if chosen is None:
            closest = min(range(len(reports)), key=lambda index: ranking.distance(ordered[index]), default=None)
        refused = [RefusedCandidate(item.name, item.reason) for item in self.variants if item.file is None]
        refused += [
            RefusedCandidate(candidate.variant, f"{timing.error.message} {timing.error.hint}".strip(), candidate)
            for candidate, timing in timings.items()
            if timing.error is not None
        ]
        return SmallestReport(
            self.settings,
            self.metric,
            self.variants,
            reports,
            refused,
            chosen,
            closest,
            conclude(reports, chosen, closest, self.settings, self.metric, usable_cores()),
            self.timer.machine,
            self.metadata.max_length,
            self.stopped,
        )
