"""What a batch says: compared with its reference, and judged within the series of a model's batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.errors import PlumblineError
from core.monitored.plan import MonitorSettings
from core.monitored.reference import SCORE_COLUMN, Reference, with_score
from core.monitoring import (
    DriftReport,
    LabelBook,
    LookState,
    MeasuredPerformance,
    PerformanceEstimate,
    batch_group_rates,
    compare,
    estimate_performance,
    judge_gap,
    judge_look,
    judge_performance,
    measure_performance,
    sketch,
)

if TYPE_CHECKING:
    import pandas as pd

    from core.monitoring import BatchSketch

__all__ = ["Assessment", "assess", "judge_measured"]

_RATE_TITLES = {"selection_rate": "Selection rate"}
_MOST_GROUPS = 50


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
    gaps : dict of str to tuple of float
        Gap of the selection rates with its interval, by the column of groups.
    """

    sketch: BatchSketch
    report: DriftReport
    states: dict[str, LookState]
    muted: tuple[str, ...]
    performance: PerformanceEstimate | None
    gaps: dict[str, tuple[float, float | None, float | None]]


def assess(
    table: pd.DataFrame,
    scores: pd.DataFrame | None,
    groups: pd.DataFrame,
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
    groups : DataFrame
        Columns of groups, of the same rows.
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
    states = {"drift": judge_look(_without(report, list(settings.muted)), look=look, alpha=settings.alpha)}
    performance, gaps = None, {}
    if scores is not None:
        performance = _estimate(table, scores, reference, settings)
        states["performance"] = _judge(performance, look, settings)
        gaps = _gaps(scores, groups, reference)
        if settings.largest_gap is not None:
            states |= {
                f"gap of {name}": judge_gap(
                    f"Selection rate by {name}", *gap, bound=settings.largest_gap, look=look, alpha=settings.alpha
                )
                for name, gap in gaps.items()
            }
    return Assessment(kept, report, states, muted, performance, gaps)


def judge_measured(
    rows: pd.DataFrame,
    labels: LabelBook,
    reference: Reference,
    estimate: PerformanceEstimate | None,
    settings: MonitorSettings,
    *,
    look: int,
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

    Raises
    ------
    InputError
        When no row has a label.
    """
    metric = estimate.metric if estimate is not None else _metric(reference, settings)
    measured = measure_performance(
        rows, labels, metric=metric, estimate=estimate, positive_label=_positive_value(reference)
    )
    return measured, _judge(measured, look, settings)


def _metric(reference: Reference, settings: MonitorSettings) -> str:
    return reference.metric if settings.metric == "auto" else settings.metric


def _positive_value(reference: Reference) -> object:
    """Return the positive label as the reference's rows have it."""
    if reference.positive is None:
        return None
    values = reference.rows["y_true"].dropna().unique()
    return next((value for value in values if str(value) == reference.positive), reference.positive)


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
            reference.rows, rows, metric=metric, positive_label=_positive_value(reference), columns=columns
        )
    except PlumblineError as error:
        return PerformanceEstimate(metric, None, None, None, len(scores), refused=error.message)


def _judge(performance: PerformanceEstimate | MeasuredPerformance, look: int, settings: MonitorSettings) -> LookState:
    return judge_performance(performance, look=look, alpha=settings.alpha, bound=settings.bound)


def _gaps(
    scores: pd.DataFrame, groups: pd.DataFrame, reference: Reference
) -> dict[str, tuple[float, float | None, float | None]]:
    """Return the gap of the selection rates of each column of groups, for two labels."""
    import math

    if reference.positive is None:
        return {}
    chosen = (scores["y_score"] >= 0.5).astype(int).to_numpy()
    gaps = {}
    for name in groups.columns:
        if 1 < groups[name].nunique() <= _MOST_GROUPS:
            rates = batch_group_rates(chosen, groups[name].astype(object), positive_label=1)
            if "selection_rate" in rates.gaps.index:
                row = rates.gaps.loc["selection_rate"]
                ends = [None if math.isnan(row[end]) else float(row[end]) for end in ("low", "high")]
                gaps[str(name)] = (float(row["gap"]), ends[0], ends[1])
    return gaps


def _without(report: DriftReport, muted: Sequence[str]) -> DriftReport:
    """Return a report without what is known of some columns."""
    return replace(
        report,
        results=tuple(result for result in report.results if result.name not in muted),
        data_quality=tuple(finding for finding in report.data_quality if finding.column not in muted),
    )
