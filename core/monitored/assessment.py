"""What a batch says: compared with its reference, and judged within the series of a model's batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.monitored.plan import MonitorSettings
from core.monitored.reference import Reference, with_score
from core.monitoring import DriftReport, LookState, compare, judge_look, sketch

if TYPE_CHECKING:
    import pandas as pd

    from core.monitoring import BatchSketch

__all__ = ["Assessment", "assess"]


@dataclass(frozen=True)
class Assessment:
    """What a batch says.

    Parameters
    ----------
    sketch : BatchSketch
        What is kept of its rows.
    report : DriftReport
        Comparison of all its columns, also the muted ones.
    state : LookState
        State of the batch, by the columns that are not muted.
    muted : tuple of str
        Columns that drifted and are muted.
    """

    sketch: BatchSketch
    report: DriftReport
    state: LookState
    muted: tuple[str, ...]


def assess(
    table: pd.DataFrame,
    score: pd.Series | None,
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
    score : Series or None
        The score of its rows; None where they could not be scored.
    reference : Reference
        What it is compared with.
    settings : MonitorSettings
        How the model is watched.
    look : int
        Number of the look in the series, from 1.
    as_of : float
        Moment of the batch, in seconds since 1970 (UTC).
    """
    import pandas as pd

    rows = table if score is None else with_score(table, score)
    kept = sketch(rows, like=reference.sketch, as_of=pd.Timestamp(as_of, unit="s", tz="UTC"))
    report = compare(
        reference.sketch,
        kept,
        importance=reference.importance,
        alpha=settings.alpha,
        relevance=settings.relevance,
    )
    muted = tuple(name for name in report.drifted_columns if name in settings.muted)
    state = judge_look(_without(report, list(settings.muted)), look=look, alpha=settings.alpha)
    return Assessment(kept, report, state, muted)


def _without(report: DriftReport, muted: Sequence[str]) -> DriftReport:
    """Return a report without what is known of some columns."""
    return replace(
        report,
        results=tuple(result for result in report.results if result.name not in muted),
        data_quality=tuple(finding for finding in report.data_quality if finding.column not in muted),
    )
