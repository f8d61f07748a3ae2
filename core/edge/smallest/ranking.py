"""Candidates judged and ordered, from what is known of them so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.edge.latency.analyses.sweep import pareto
from core.edge.smallest.judging import Judgment, Verdict, combine, judge_latency, judge_loss, judge_size
from core.edge.smallest.report import Candidate, CandidateReport
from core.edge.smallest.settings import SmallestSettings
from core.edge.smallest.timing import Timing
from core.edge.variants.compare import VariantComparison
from core.edge.variants.modes import FULL_PRECISION
from core.edge.variants.variants import Variant
from core.evaluation import Estimate

__all__ = ["Ranking", "with_front"]


@dataclass(frozen=True)
class Ranking:
    """Judges and orders candidates.

    Parameters
    ----------
    settings : SmallestSettings
        The objective.
    metric : str or None
        The metric of the quality; None without held-out rows.
    variants : sequence of Variant
        The variants; the first is the model as it was exported.
    comparisons : mapping
        Comparison with that model by variant and number of tokens.
    timings : mapping of Candidate to Timing
        Measurements, which change as the search proceeds.
    """

    settings: SmallestSettings
    metric: str | None
    variants: Sequence[Variant]
    comparisons: Mapping[tuple[str, int | None], VariantComparison]
    timings: Mapping[Candidate, Timing]

    def cost(self, candidate: Candidate) -> tuple[float, ...]:
        """Return what candidates are ordered by, the cheapest first."""
        row_ms = self.timings[candidate].median_ms / candidate.batch_size
        if self.settings.minimize == "latency":
            return (row_ms, self._size(candidate), candidate.threads)
        return (self._size(candidate), candidate.threads, row_ms)

    def distance(self, candidate: Candidate) -> tuple[float, ...]:
        """Return how far a candidate is from the objective, then its cost."""
        judgments = self.judgments(candidate)
        missed = sum(judgment.verdict == "missed" for judgment in judgments.values())
        excess = sum(judgment.excess for judgment in judgments.values())
        return (float(missed > 0), missed, excess, *self.cost(candidate))

    def verdict(self, candidate: Candidate) -> Verdict:
        """Return whether a candidate meets the objective."""
        return combine(self.judgments(candidate).values())

    def judgments(self, candidate: Candidate) -> dict[str, Judgment]:
        """Return the judgment by limit."""
        settings, timing = self.settings, self.timings[candidate]
        judgments: dict[str, Judgment] = {}
        if settings.latency_ms is not None:
            percentile = timing.percentile(settings.percentile)
            judgments["latency"] = judge_latency(
                percentile, settings.percentile, settings.latency_ms, kept_up=timing.kept_up
            )
        if settings.size_mb is not None:
            judgments["size"] = judge_size(self._size(candidate), settings.size_mb)
        if settings.max_loss is not None and self.metric is not None:
            full = self.variants[0].metrics.get(self.metric)
            scale = 1.0 if full is None else full.value
            judgments["loss"] = judge_loss(self.loss(candidate), settings.max_loss, self.metric, scale)
        return judgments

    def loss(self, candidate: Candidate) -> Estimate | None:
        """Return the loss of a candidate against the model as it was exported; None where it is not known."""
        if self.metric is None:
            return None
        if (candidate.variant, candidate.length) == (FULL_PRECISION, None):
            full = self.variants[0].metrics.get(self.metric)
            return None if full is None else Estimate(0.0, 0.0, 0.0, full.n)
        comparison = self.comparisons.get((candidate.variant, candidate.length))
        gain = None if comparison is None else comparison.gains.get(self.metric)
        if gain is None:
            return None
        low, high = (None if bound is None else 0.0 - bound for bound in (gain.high, gain.low))
        return replace(gain, value=0.0 - gain.value, low=low, high=high)

    def describe(self, candidate: Candidate) -> CandidateReport:
        """Return everything that is known of a candidate."""
        timing = self.timings[candidate]
        return CandidateReport(
            candidate,
            self._size(candidate),
            timing.percentile(self.settings.percentile),
            timing.quantile_ms(self.settings.percentile),
            timing.median_ms,
            timing.rounds_ms,
            len(timing.all_ms()),
            timing.long,
            self.loss(candidate),
            self._quality(candidate),
            self.judgments(candidate),
        )

    def _size(self, candidate: Candidate) -> int:
        return {variant.name: variant.size_bytes or 0 for variant in self.variants}[candidate.variant]

    def _quality(self, candidate: Candidate) -> Estimate | None:
        if self.metric is None:
            return None
        if (candidate.variant, candidate.length) == (FULL_PRECISION, None):
            return self.variants[0].metrics.get(self.metric)
        comparison = self.comparisons.get((candidate.variant, candidate.length))
        return None if comparison is None else comparison.after.get(self.metric)


def with_front(reports: Sequence[CandidateReport]) -> list[CandidateReport]:
    """Mark the candidates that no other one equals or beats in size, latency per row and loss, and beats in one.

    Parameters
    ----------
    reports : sequence of CandidateReport
        The candidates.
    """
    import pandas as pd

    table = pd.DataFrame(
        {
            "size": [report.size_bytes for report in reports],
            "row_ms": [report.row_ms for report in reports],
            "loss": [None if report.loss is None else report.loss.value for report in reports],
        }
    ).astype(float)
    columns = ["size", "row_ms"] if table["loss"].isna().all() else ["size", "row_ms", "loss"]
    front = pareto(table, minimize=columns, maximize=())
    return [replace(report, pareto=bool(on_front)) for report, on_front in zip(reports, front, strict=True)]
