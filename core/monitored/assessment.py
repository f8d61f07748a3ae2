"""What a batch says: compared with its reference, and judged within the series of a model's batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.datasets import Finding
from core.errors import InputError, PlumblineError
from core.monitored.plan import MonitorSettings
from core.monitored.reference import SCORE_COLUMN, Reference, with_score
from core.monitored.subgroups import SELECTION_RATE, RowParts, Subgroups, subgroups_of
from core.monitoring import (
    DriftReport,
    LabelBook,
    LookState,
    MeasuredPerformance,
    PerformanceEstimate,
    compare,
    compare_labels,
    estimate_performance,
    find_surprising_errors,
    judge_gap,
    judge_look,
    judge_performance,
    labeled_rows,
    measure_performance,
    sketch,
)

if TYPE_CHECKING:
    import pandas as pd

    from core.monitoring import BatchSketch

__all__ = ["Assessment", "assess", "judge_measured"]

_MOST_SEARCHED = 50_000


@dataclass(frozen=True)
class Assessment:
    """What a batch says.

    Parameters
    ----------
    sketch : BatchSketch
        Sketch of its rows.
    report : DriftReport
        Comparison of all its columns, also the muted ones.
    states : dict of str to LookState
        States by what was judged: "drift", "performance", and gaps by the column of groups.
    muted : tuple of str
        Columns that drifted and are muted.
    performance : PerformanceEstimate or None
        Performance as it is estimated; None where the rows could not be scored.
    subgroups : Subgroups
        Groups and saved cohorts.
    members : DataFrame or None
        Groups and cohorts of each row, as `RowParts.memberships` returns them; None where the rows could not be scored.
    """

    sketch: BatchSketch
    report: DriftReport
    states: dict[str, LookState]
    muted: tuple[str, ...]
    performance: PerformanceEstimate | None
    subgroups: Subgroups
    members: pd.DataFrame | None


def assess(
    table: pd.DataFrame,
    scores: pd.DataFrame | None,
    parts: RowParts,
    reference: Reference,
    settings: MonitorSettings,
    *,
    look: int,
    as_of: float,
) -> Assessment:
    """Compare a batch with the reference, and judge it.

    Parameters
    ----------
    table : DataFrame
        The columns of the batch.
    scores : DataFrame or None
        Scores of its rows, as `Reference.scores_of` returns them; None where they could not be scored.
    parts : RowParts
        Groups and cohorts of its rows.
    reference : Reference
        Evidence that it is compared with.
    settings : MonitorSettings
        Rules by which the model is watched.
    look : int
        Number of the look in the series, from 1.
    as_of : float
        Moment of the batch, in seconds since 1970 (UTC).
    """
    import pandas as pd

    rows = table if scores is None else with_score(table, scores)
    kept = sketch(rows, like=reference.sketch, as_of=pd.Timestamp(as_of, unit="s", tz="UTC"))
    report = compare(
        reference.sketch,
        kept,
        importance=reference.importance,
        alpha=settings.alpha,
        relevance=settings.relevance,
    )
    if scores is None:  # that the score lacks is said where the rows could not be scored
        report = _without(report, [SCORE_COLUMN])
    muted = tuple(name for name in report.drifted_columns if name in settings.muted)
    alpha = _share(reference, settings)
    states = {"drift": judge_look(_without(report, list(settings.muted)), look=look, alpha=alpha)}
    performance, subgroups, members = None, Subgroups(), None
    if scores is not None:
        performance = _estimate(table, scores, reference, settings)
        states["performance"] = judge_performance(performance, look=look, alpha=alpha, bound=settings.bound)
        members = parts.memberships(scores)
        subgroups = subgroups_of(members, parts, reference)
        if settings.largest_gap is not None:
            states |= {
                f"gap of {name}": judge_gap(
                    f"Selection rate by {name}", *gap, bound=settings.largest_gap, look=look, alpha=alpha
                )
                for name, gap in subgroups.gaps.get(SELECTION_RATE, {}).items()
            }
    return Assessment(kept, report, states, muted, performance, subgroups, members)


def judge_measured(
    rows: pd.DataFrame,
    labels: LabelBook,
    reference: Reference,
    estimate: PerformanceEstimate | None,
    settings: MonitorSettings,
    *,
    look: int,
    columns: pd.DataFrame | None = None,
) -> tuple[MeasuredPerformance, LookState]:
    """Measure a batch on the labels that are known, and judge it by that.

    Parameters
    ----------
    rows : DataFrame
        row_id and scores of the batch.
    labels : LabelBook
        The labels.
    reference : Reference
        Evidence that the batch is compared with.
    estimate : PerformanceEstimate or None
        Estimate from before.
    settings : MonitorSettings
        Rules by which the model is watched.
    look : int
        Number of the look in the series.
    columns : DataFrame, optional
        Columns of the same rows, by which groups with surprisingly many errors are looked for.

    Raises
    ------
    InputError
        When no row has a label.
    """
    metric = estimate.metric if estimate is not None else _metric(reference, settings)
    measured = measure_performance(
        rows, labels, metric=metric, estimate=estimate, positive_label=reference.positive_value
    )
    further = [*_changed_labels(labels, reference, settings), *_surprising(rows, labels, columns, reference)]
    measured = replace(measured, findings=(*measured.findings, *further))
    alpha = _share(reference, settings)
    return measured, judge_performance(measured, look=look, alpha=alpha, bound=settings.bound)


def _share(reference: Reference, settings: MonitorSettings) -> float:
    """Return the part of the error rate of the series that each of the things has that a batch is judged by.

    They are drift, performance as it is estimated and as it is measured, and the gap of each column of groups.
    """
    gaps = settings.largest_gap is not None and reference.positive is not None
    return settings.alpha / (3 + (len(reference.evidence.result.sensitive_columns) if gaps else 0))


def _changed_labels(labels: LabelBook, reference: Reference, settings: MonitorSettings) -> Iterator[Finding]:
    """Yield whether the labels are distributed in another way than those of the reference."""
    drift = compare_labels(reference.rows["y_true"], labels, alpha=settings.alpha, relevance=settings.relevance)
    if drift.drifted:
        message = f"The labels are distributed in another way than before: {drift.reason}."
        yield Finding("target_drift", "notice", None, message, "Look at the columns that drifted, then train again.")


def _surprising(
    rows: pd.DataFrame, labels: LabelBook, columns: pd.DataFrame | None, reference: Reference
) -> tuple[Finding, ...]:
    """Return groups of rows where more decisions are wrong than the scores let expect, for two labels."""
    if reference.positive is None or columns is None or columns.empty:
        return ()
    labeled = labeled_rows(rows.reset_index(drop=True).join(columns.reset_index(drop=True)), labels)
    if len(labeled) > _MOST_SEARCHED:
        labeled = labeled.sample(_MOST_SEARCHED, random_state=0)
    try:
        _, findings = find_surprising_errors(
            reference.rows, labeled, columns=list(columns), positive_label=reference.positive_value
        )
    except InputError:  # too few rows to look for groups in
        return ()
    return findings


def _metric(reference: Reference, settings: MonitorSettings) -> str:
    return reference.metric if settings.metric == "auto" else settings.metric


def _estimate(
    table: pd.DataFrame, scores: pd.DataFrame, reference: Reference, settings: MonitorSettings
) -> PerformanceEstimate:
    import pandas as pd

    metric = _metric(reference, settings)
    rows, columns = scores.reset_index(drop=True), None
    if reference.evidence.labels is None:
        columns = [name for name in reference.evidence.features if name in table and name in reference.rows]
        rows = pd.concat([rows, table[columns].reset_index(drop=True)], axis=1)
    try:
        return estimate_performance(
            reference.rows, rows, metric=metric, positive_label=reference.positive_value, columns=columns
        )
    except PlumblineError as error:
        return PerformanceEstimate(metric, None, None, None, len(scores), refused=error.message)


def _without(report: DriftReport, muted: Sequence[str]) -> DriftReport:
    """Return a report without what is known of some columns."""
    return replace(
        report,
        results=tuple(result for result in report.results if result.name not in muted),
        data_quality=tuple(finding for finding in report.data_quality if finding.column not in muted),
    )
