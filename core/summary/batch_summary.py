"""The report of a batch of a watched model."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from core.charts import Figure, StaticChart, two_distributions_chart
from core.models import code_version
from core.monitored import KEPT_OUT, SCORE_COLUMN, SELECTION_RATE, Batch
from core.monitoring import ESTIMATED_METRICS, LOOK_STATES, BatchSketch, ColumnDrift, DriftReport, distribution_table
from core.summary.document import ResultSummary, SummarySection, SummaryTable

__all__ = ["summarize_batch"]

_MOST_CHARTS = 3
_MOST_COLUMNS = 50


def summarize_batch(
    model: str, batch: Batch, report: DriftReport, reference: BatchSketch, current: BatchSketch
) -> ResultSummary:
    """Return the report of a batch.

    Parameters
    ----------
    model : str
        Name of the model.
    batch : Batch
        The batch.
    report : DriftReport
        Comparison of the batch with its reference.
    reference, current : BatchSketch
        Sketches of both.

    See Also
    --------
    render_html : The report as a file.
    """
    state = batch.state
    software = code_version()
    return ResultSummary(
        kind="Report of a batch",
        title=f"{model}: {batch.name}",
        question="Are the rows that the model scores still like those that it was tested on?",
        answer=f"{LOOK_STATES[state.state]}. {state.reasons[0]}",
        sections=(
            SummarySection(
                "why", "Why", text=(*state.reasons, *filter(None, [state.caveat, batch.problem]), *batch.notes)
            ),
            _performance(batch),
            _columns(report, reference, current),
            SummarySection(
                "data",
                "The batch as data",
                text=tuple(finding.message for finding in report.data_quality),
                missing="" if report.data_quality else "Nothing was found.",
            ),
        ),
        facts=(
            ("Model", f"{model}, version {batch.version}"),
            ("Batch", f"{batch.rows:,} rows, {datetime.fromtimestamp(batch.at, UTC):%-d %B %Y}"),
            (
                "Compared with",
                f"{report.reference_rows:,} rows of the batch {batch.reference}"
                if batch.reference
                else f"{report.reference_rows:,} {KEPT_OUT}",
            ),
            ("Look", f"{batch.look:,} of the series; level of the series {report.alpha:g}"),
            ("Smallest change that matters", f"{report.relevance:g}"),
            ("Plumbline", f"{software['version']} (source {software['source'][:12]})"),
        ),
    )


def _performance(batch: Batch) -> SummarySection:
    estimate, labels = batch.performance, batch.labels
    rows = []
    if estimate is not None and estimate.reference is not None:
        rows.append(("Reference, measured", _value(estimate.reference), "", f"{estimate.reference_n:,}"))
    if estimate is not None and estimate.value is not None:
        ends = _ends(estimate.low, estimate.high)
        rows.append(("Batch, estimated without labels", _value(estimate.value), ends, f"{estimate.n:,}"))
    if labels is not None:
        measured = labels.measured.measured
        ends = _ends(measured.low, measured.high)
        rows.append(("Batch, measured", _value(measured.value), ends, f"{labels.measured.labeled:,}"))
    metric = labels.measured.metric if labels is not None else estimate.metric if estimate is not None else ""
    title = ESTIMATED_METRICS[metric].title if metric else "Metric"
    table = SummaryTable(("", title, "95% interval", "Rows"), tuple(rows), numeric=(1, 2, 3))
    gaps = tuple(
        f"Selection rates by {name} differ by {100 * gap:.1f} points{_points(low, high)}."
        for name, (gap, low, high) in batch.subgroups.gaps.get(SELECTION_RATE, {}).items()
    )
    refused = "" if estimate is None or estimate.refused is None else f"Not estimated: {estimate.refused}"
    notes = () if estimate is None else (*estimate.notes, estimate.caveat)
    return SummarySection(
        "performance",
        "Performance",
        text=(*gaps, *notes),
        tables=(table,) if rows else (),
        missing=refused or ("" if rows else "The rows could not be scored."),
    )


def _value(value: float) -> str:
    return f"{value:.4g}"


def _ends(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"[{low:.4g}, {high:.4g}]"


def _points(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" [{100 * low:.1f}, {100 * high:.1f}]"


def _columns(report: DriftReport, reference: BatchSketch, current: BatchSketch) -> SummarySection:
    results = sorted(report.results, key=lambda result: not result.drifted)
    if report.score is not None:
        results.insert(0, report.score)
    rows = tuple(
        (
            _title(result),
            "drifted" if result.drifted else result.state,
            result.reason,
            "" if result.effect is None else f"{result.effect:.2f}",
            "" if result.p_adjusted is None else f"{result.p_adjusted:.2g}",
        )
        for result in results[:_MOST_COLUMNS]
    )
    table = SummaryTable(("Column", "State", "What changed", "Change", "Adjusted p"), rows, numeric=(3, 4))
    more = len(results) - len(rows)
    return SummarySection(
        "columns",
        f"{len(report.drifted_columns):,} of {len(report.results):,} columns drifted",
        text=(
            *(f"{_title(result)}: {result.reason}." for result in results if result.drifted),
            *([f"The table has the first {len(rows):,} columns; {more:,} more are not in it."] if more > 0 else []),
        ),
        tables=(table,),
        charts=tuple(
            chart
            for result in [result for result in results if result.drifted][:_MOST_CHARTS]
            for chart in _charts(result, reference, current)
        ),
    )


def _charts(result: ColumnDrift, reference: BatchSketch, current: BatchSketch) -> list[StaticChart]:
    if result.name not in current.columns or result.state == "not compared":
        return []
    table = distribution_table(reference, current, result.name)
    build = partial(two_distributions_chart, table, _title(result), dates=result.type == "date")
    return [StaticChart.of(Figure("distribution", lambda palette: build(palette=palette)))]


def _title(result: ColumnDrift) -> str:
    return "The model's score" if result.name == SCORE_COLUMN else result.name
