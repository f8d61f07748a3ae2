"""How sure the numbers are: intervals, sample sizes, and the comparison with simple models."""

from __future__ import annotations

from core import known_columns
from core.charts import StaticChart
from core.evaluation import METRICS
from core.models import BASELINE_TITLES, ModelCard, RunEvidence, StoredEstimate
from core.summary.document import SummarySection, SummaryTable
from core.summary.wording import format_estimate, format_interval

__all__ = ["certainty_section"]

_TITLE = "How sure this is"
_MAX_METRICS = 5


def certainty_section(evidence: RunEvidence, card: ModelCard) -> SummarySection:
    """Return the section."""
    result = evidence.result
    if not result.test_rows or not result.test_metrics:
        return SummarySection("certainty", _TITLE, missing="No rows were held out for a test, so nothing is measured.")
    own = result.metric
    noun = "texts" if evidence.reads_text else "rows"
    first = result.test_metrics[own]
    groups = result.rows.get("test_groups")
    rarest = ""
    if first.rarest is not None:
        of_groups = f"{first.rarest:,} groups have the rarest class"
        rarest = f", {of_groups if groups else f'{first.rarest:,} of them of the rarest class'}"
    in_groups = f" in {groups:,} groups" if groups else ""
    text = [
        result.verdict,
        f"Measured on {result.test_rows:,} {noun}{in_groups} that the model never saw{rarest}.",
        "Intervals hold the value with 95% confidence. They cover the choice of the test rows, not another training.",
    ]
    if caveat := known_columns.caveat(evidence.run, access=evidence.access):
        text.insert(1, caveat)
    if first.reason:
        text.append(f"{METRICS[own].title}: {first.reason}.")
    names = [own, *(name for name in result.test_metrics if name != own)][:_MAX_METRICS]
    compared = {BASELINE_TITLES.get(name, name): metrics for name, metrics in result.baseline_metrics.items()}
    rows = tuple(
        (
            METRICS[name].title + ("" if METRICS[name].larger_is_better else " (smaller is better)"),
            _value(result.test_metrics[name]),
            _interval(result.test_metrics[name]),
            *(_value(metrics[name]) if name in metrics else "n/a" for metrics in compared.values()),
        )
        for name in names
    )
    titles = ("Metric", "This model", "95% interval", *compared)
    table = SummaryTable(titles, rows, numeric=tuple(range(1, len(titles))))
    charts = tuple(StaticChart.of(figure) for figure in card["evaluation"].figures if figure.key == "baselines")
    return SummarySection("certainty", _TITLE, tuple(text), (table,), charts)


def _value(estimate: StoredEstimate) -> str:
    return format_estimate(estimate.value, estimate.low, estimate.high)


def _interval(estimate: StoredEstimate) -> str:
    return format_interval(estimate.low, estimate.high) if not estimate.reason else estimate.reason
