"""The answer of a search in words: the smallest variant that is good enough, or what is closest and what to change."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence

from core.edge.smallest.judging import Judgment, loss_text
from core.edge.smallest.report import Answer, Candidate, CandidateReport
from core.edge.smallest.settings import SmallestSettings
from core.edge.variants.forms import VARIANT_FORMS
from core.edge.variants.modes import FULL_PRECISION
from core.evaluation import METRICS
from core.units import latency_text, latency_with_interval, size_text

__all__ = ["conclude", "describe_candidate"]

_MOST_ROWS = 20  # times as many held-out rows as there are: more are no advice
_SUPERLATIVES = {"size": "smallest", "latency": "fastest"}


def conclude(
    candidates: Sequence[CandidateReport],
    chosen: int | None,
    closest: int | None,
    settings: SmallestSettings,
    metric: str | None,
    cores: int,
) -> Answer:
    """Put the result into words.

    Parameters
    ----------
    candidates : sequence of CandidateReport
        All candidates.
    chosen, closest : int or None
        Position of the answer, or of the candidate that comes closest.
    settings : SmallestSettings
        The objective.
    metric : str or None
        The metric of the quality.
    cores : int
        Cores of the machine: more threads than these do not help.
    """
    if chosen is not None:
        sentence = _finding(candidates, candidates[chosen], settings, metric)
        return Answer(sentence, _cheaper(candidates, candidates[chosen], settings, metric))
    if closest is None:
        return Answer("No variant could be measured.", ("Look at the reasons, and export the model again.",))
    nearest = candidates[closest]
    open_limits = {name: item for name, item in nearest.judgments.items() if item.verdict != "met"}
    reasons = " ".join(item.reason for item in open_limits.values())
    title = _title(nearest.candidate)
    if nearest.verdict == "unsure":
        sentence = f"No variant surely meets the objective; {title} may. {reasons}"
    else:
        sentence = f"No variant meets the objective; {title} comes closest. {reasons}"
    steps = [step for name, item in open_limits.items() for step in _steps(name, item, nearest, settings, metric)]
    steps += _other_trials(open_limits, candidates, settings, cores)
    return Answer(sentence, tuple(dict.fromkeys(steps)))


def _finding(
    candidates: Sequence[CandidateReport], choice: CandidateReport, settings: SmallestSettings, metric: str | None
) -> str:
    size = size_text(choice.size_bytes)
    full = next((other for other in candidates if _is_full(other, choice)), None)
    text = (
        f"{_title(choice.candidate, first=True)} is the {_SUPERLATIVES[settings.minimize]} that is good enough: {size}"
    )
    is_full = choice.candidate.variant == FULL_PRECISION
    if full is not None and not is_full:
        text += f", {full.size_bytes / choice.size_bytes:.1f} times smaller than {FULL_PRECISION}"
    latency = choice.latency
    if latency.value is not None:
        text += f"; p{settings.percentile:g} is {latency_with_interval(latency.value, latency.low, latency.high)}"
    else:
        text += f"; the median latency is {latency_text(choice.median_ms)}"
    if full is not None and not is_full:
        ratio = full.median_ms / choice.median_ms
        faster = ratio >= 1
        text += f", {ratio if faster else 1 / ratio:.1f} times {'faster' if faster else 'slower'}"
    loss = choice.loss
    if loss is not None and metric is not None and (not is_full or choice.candidate.length is not None):
        title = METRICS[metric].title
        name = title if title.isupper() else title.lower()
        text += f"; the loss of {name} is {loss_text(loss.value, metric)}"
        if loss.low is not None and loss.high is not None:
            low, high = (loss_text(bound, metric).removesuffix(" points") for bound in (loss.low, loss.high))
            text += f" [{low}, {high}] on {loss.n:,} held-out rows"
    return f"{text}."


def _cheaper(
    candidates: Sequence[CandidateReport], choice: CandidateReport, settings: SmallestSettings, metric: str | None
) -> tuple[str, ...]:
    """Return what would make sure of a smaller file, or a faster candidate, where one may be good enough."""
    value = operator.attrgetter("row_ms" if settings.minimize == "latency" else "size_bytes")
    unsure = [item for item in candidates if item.verdict == "unsure" and value(item) < value(choice)]
    if not unsure:
        return ()
    item = unsure[0]
    open_limits = {name: judgment for name, judgment in item.judgments.items() if judgment.verdict != "met"}
    reasons = " ".join(judgment.reason for judgment in open_limits.values())
    title, word = _title(item.candidate, first=True), "faster" if settings.minimize == "latency" else "smaller"
    steps = [step for name, judgment in open_limits.items() for step in _steps(name, judgment, item, settings, metric)]
    size = size_text(item.size_bytes)
    return (f"{title} is {word} still, {size}, but not surely good enough. {reasons} {' Or: '.join(steps)}",)


def _is_full(other: CandidateReport, choice: CandidateReport) -> bool:
    """Return whether a candidate is full precision as it was trained, on as many threads and rows as the choice."""
    mine, theirs = choice.candidate, other.candidate
    return (theirs.variant, theirs.threads, theirs.batch_size, theirs.length) == (
        FULL_PRECISION,
        mine.threads,
        mine.batch_size,
        None,
    )


def _title(candidate: Candidate, *, first: bool = False) -> str:
    """Return what a candidate is called within a sentence, or at its beginning."""
    form = VARIANT_FORMS.get(candidate.variant)
    title = candidate.variant if form is None else form.title
    if not first and title[:1].isupper() and not title.isupper():
        title = title[:1].lower() + title[1:]
    return f"{title} ({describe_candidate(candidate)})"


def describe_candidate(candidate: Candidate) -> str:
    """Return how a candidate is run.

    Examples
    --------
    >>> describe_candidate(Candidate("fp32", 2, 8, 64))
    '2 threads, 8 rows per request, 64 tokens per text'
    """
    parts = [f"{candidate.threads} thread{'s' * (candidate.threads > 1)}"]
    if candidate.batch_size > 1:
        parts.append(f"{candidate.batch_size:,} rows per request")
    if candidate.length is not None:
        parts.append(f"{candidate.length:,} tokens per text")
    return ", ".join(parts)


def _steps(
    name: str, judgment: Judgment, nearest: CandidateReport, settings: SmallestSettings, metric: str | None
) -> list[str]:
    """Return what would make the closest candidate keep one limit."""
    if name == "latency":
        if judgment.allowed is None:
            return [f"Measure for longer than {settings.long_s:g} s: the percentile needs more samples."]
        steps = [f"Allow {latency_text(_rounded_up(judgment.allowed))}."]
        if judgment.verdict == "unsure":
            steps.insert(0, f"Measure for longer than {settings.long_s:g} s, on a quiet machine.")
        return steps
    if name == "size":
        return [] if judgment.allowed is None else [f"Allow {_rounded_up(judgment.allowed):g} MB."]
    loss, limit = nearest.loss, settings.max_loss
    if judgment.allowed is None or loss is None or metric is None or limit is None:
        return ["Leave the largest loss empty, or hold out rows with true values."]
    steps = [f"Allow a loss of {loss_text(_rounded_up(judgment.allowed, metric), metric)}."]
    if loss.high is not None and loss.value < limit:
        rows = loss.n * ((loss.high - loss.value) / (limit - loss.value)) ** 2  # its width falls with the root
        if rows <= _MOST_ROWS * loss.n:
            text = f"Hold out about {_round_count(rows):,} rows instead of {loss.n:,}: the interval gets narrower."
            steps.insert(0, text)
    return steps


def _other_trials(
    open_limits: dict[str, Judgment],
    candidates: Sequence[CandidateReport],
    settings: SmallestSettings,
    cores: int,
) -> list[str]:
    """Return what else to try: threads and lengths that were not."""
    steps = []
    tried = max(settings.threads)
    if "latency" in open_limits and tried < cores:
        steps.append(f"Try more threads: the machine has {cores} cores.")
    is_text = any(report.candidate.length is not None for report in candidates) or any(
        VARIANT_FORMS[report.candidate.variant].prunes_vocabulary
        for report in candidates
        if report.candidate.variant in VARIANT_FORMS
    )
    if "latency" in open_limits and is_text and not settings.lengths:
        steps.append("Try shorter texts: fewer tokens are read faster.")
    if settings.forms is not None and len(settings.forms) < len(VARIANT_FORMS):
        steps.append("Try all variants.")
    return steps


def _rounded_up(value: float, metric: str | None = None) -> float:
    """Round a limit up to two digits; accuracy to a tenth of a point.

    Examples
    --------
    >>> _rounded_up(5.21), _rounded_up(0.0123, "accuracy")
    (5.3, 0.013)
    """
    digits = 3 if metric == "accuracy" else 1 - math.floor(math.log10(abs(value))) if value else 0
    factor = 10.0**digits
    return round(math.ceil(value * factor - 1e-9) / factor, max(digits, 0))


def _round_count(value: float) -> int:
    """Round a number of rows up to two digits.

    Examples
    --------
    >>> _round_count(1234.0)
    1300
    """
    step = 10 ** max(0, math.floor(math.log10(max(value, 1))) - 1)
    return int(math.ceil(value / step) * step)
