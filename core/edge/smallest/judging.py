"""Whether a candidate meets an objective: each limit is judged by the bad end of an interval, not by an estimate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from core.edge.latency.percentiles import Percentile
from core.evaluation import METRICS, Estimate
from core.units import latency_text, size_text

__all__ = ["LIMITS", "Judgment", "Verdict", "combine", "judge_latency", "judge_loss", "judge_size", "loss_text"]

Verdict = Literal["met", "missed", "unsure"]
LIMITS = {"latency": "Latency", "size": "Size", "loss": "Loss of quality"}
"""What an objective can limit, with titles."""
_POINTS = ("accuracy",)


@dataclass(frozen=True)
class Judgment:
    """Whether a candidate keeps one limit.

    Parameters
    ----------
    verdict : {"met", "missed", "unsure"}
        "met" when the whole interval lies within the limit, "missed" when all of it lies beyond, "unsure" between the
        two, or where too little is known for an interval.
    reason : str
        Why, in one sentence.
    excess : float, default=0.0
        Share of the limit by which the bad end of the interval is beyond it; 0 where it is met.
    allowed : float, optional
        Limit that would be met: in the limit's own unit; None where that is not known.
    """

    verdict: Verdict
    reason: str
    excess: float = 0.0
    allowed: float | None = None


def judge_latency(percentile: Percentile, percent: float, limit_ms: float, *, kept_up: bool = True) -> Judgment:
    """Judge a percentile of the latency.

    Parameters
    ----------
    percentile : Percentile
        The percentile that was measured.
    percent : float
        Its percent, for the sentence.
    limit_ms : float
        The limit, milliseconds.
    kept_up : bool, default=True
        Whether the server answered as fast as requests came.

    Examples
    --------
    >>> judge_latency(Percentile(5.0, 4.8, 5.3, 500, 64, True), 90, 6.0).verdict
    'met'
    >>> judge_latency(Percentile(5.0, 4.8, 5.3, 500, 64, True), 90, 5.1).verdict
    'unsure'
    """
    name, limit = f"p{percent:g}", latency_text(limit_ms)
    known = percentile.high if percentile.high is not None else percentile.value
    excess = 0.0 if known is None else max(0.0, known / limit_ms - 1)
    if not kept_up:
        return Judgment("missed", "Requests came faster than they were answered.", max(excess, 1.0))
    if percentile.low is not None and percentile.low > limit_ms:
        return Judgment("missed", f"{name} is at least {latency_text(percentile.low)}.", excess, percentile.high)
    if not percentile.enough or percentile.high is None:
        needed = max(percentile.needed, percentile.n + 1)
        return Judgment("unsure", f"{name} needs more samples than {percentile.n:,}: about {2 * needed:,}.", excess)
    if percentile.high <= limit_ms:
        return Judgment("met", f"{name} is at most {latency_text(percentile.high)}.")
    return Judgment(
        "unsure",
        f"{name} may be up to {latency_text(percentile.high)}, more than {limit}.",
        excess,
        percentile.high,
    )


def judge_size(size_bytes: int, limit_mb: float) -> Judgment:
    """Judge the size of a file, which is known exactly.

    Examples
    --------
    >>> judge_size(7_000_000, 5).reason
    'The file has 7.0 MB.'
    """
    reason = f"The file has {size_text(size_bytes)}."
    size_mb = size_bytes / 1e6
    if size_mb <= limit_mb:
        return Judgment("met", reason)
    return Judgment("missed", reason, size_mb / limit_mb - 1, size_mb)


def judge_loss(loss: Estimate | None, limit: float, metric: str, scale: float) -> Judgment:
    """Judge a loss of quality.

    Parameters
    ----------
    loss : Estimate or None
        Loss against the model in full precision, positive where the candidate is worse; None where it is not known.
    limit : float
        Largest loss.
    metric : str
        Name of the metric, for the sentence.
    scale : float
        Value of the metric in full precision: a hundredth of it is the smallest unit of an excess.

    Examples
    --------
    >>> judge_loss(Estimate(0.004, -0.003, 0.011, 400), 0.01, "accuracy", 0.9).reason
    'It may lose up to 1.1 points of accuracy on 400 held-out rows.'
    """
    if loss is None:
        return Judgment("unsure", "Its loss is not known without held-out rows.", 1.0)
    name = METRICS[metric].title
    name = name if name.isupper() else name.lower()
    rows = f"on {loss.n:,} held-out rows"
    if loss.low is None or loss.high is None:
        return Judgment("unsure", f"Its loss of {name} has no interval {rows}: {loss.reason or 'too few rows'}.", 1.0)
    unit = max(limit, abs(scale) / 100)
    excess = max(0.0, (loss.high - limit) / unit)
    if loss.high <= limit:
        return Judgment("met", f"It loses at most {loss_text(max(loss.high, 0.0), metric)} of {name} {rows}.")
    if loss.low > limit:
        return Judgment(
            "missed", f"It loses at least {loss_text(loss.low, metric)} of {name} {rows}.", excess, loss.high
        )
    return Judgment("unsure", f"It may lose up to {loss_text(loss.high, metric)} of {name} {rows}.", excess, loss.high)


def loss_text(value: float, metric: str) -> str:
    """Write a loss, or its limit: accuracy in percentage points, other metrics in their own unit.

    Examples
    --------
    >>> loss_text(0.0123, "accuracy"), loss_text(-0.002, "r2")
    ('1.2 points', '−0.002')
    """
    if metric in _POINTS:
        return f"{100 * value:.1f} points".replace("-0.0", "0.0").replace("-", "−")
    return f"{value:.3g}".replace("-", "−")


def combine(judgments: Iterable[Judgment]) -> Verdict:
    """Return whether all limits are met, one is missed, or some are unsure.

    Examples
    --------
    >>> combine([Judgment("met", ""), Judgment("unsure", "")]), combine([])
    ('unsure', 'met')
    """
    verdicts = {judgment.verdict for judgment in judgments}
    return "missed" if "missed" in verdicts else "unsure" if "unsure" in verdicts else "met"
