"""The conclusion above the tabs: the finding in people, what else has to be known, and tiles."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import policies
from core.fairness import Conclusion, GroupMetrics, metric_record, repeat_finding
from pages._ui import frame, numbers
from pages.fairness.analysis import Analysis

__all__ = ["EVIDENCE_ROWS", "show"]

EVIDENCE_ROWS = {
    "automl": "out-of-fold predictions",
    "federated": "out-of-fold predictions",
    "finetune": "validation texts",
    "federated_texts": "validation texts",
}
"""Rows besides the test that a run keeps predictions of, by its kind."""

_NUMBER_TILES = ("mae", "mean_error", "rmse", "r2")
_DECISION_TILES = ("selection_rate", "accuracy")


def show(analysis: Analysis, metrics: GroupMetrics, conclusion: Conclusion, others: GroupMetrics | None) -> None:
    """Draw the finding with its notes and tiles; `others` are the metrics of further rows with predictions."""
    st.subheader(frame.plain(conclusion.finding))
    sentences = [*conclusion.notes, *further_evidence(analysis, conclusion, others)]
    if sentences:
        st.markdown("\n".join(f"- {frame.plain(sentence)}" for sentence in sentences))
    st.caption(" · ".join(_facts(analysis, metrics)))
    with st.container(horizontal=True):
        names = _NUMBER_TILES if analysis.positive is None else _DECISION_TILES
        _overall_tiles(metrics, tuple(name for name in names if name in metrics.metrics))
        if analysis.positive is not None:
            _disparity_tiles(conclusion)


def further_evidence(analysis: Analysis, conclusion: Conclusion, others: GroupMetrics | None) -> list[str]:
    """Return what other rows that a run keeps predictions of say about the finding."""
    if others is None or analysis.run is None or analysis.calibration is None:
        return []
    said = repeat_finding(conclusion, others)
    rows = f"{len(analysis.calibration.truth):,} {EVIDENCE_ROWS[analysis.run.task]}"
    return [] if said is None else [f"On {rows}: {said}"]


def _facts(analysis: Analysis, metrics: GroupMetrics) -> list[str]:
    count = len(analysis.test.truth)
    facts = [f"{count:,} {'test rows' if analysis.run else 'rows'}", f"{len(metrics.labels):,} groups"]
    if analysis.positive is not None:
        facts.append(f"favorable outcome: {frame.plain(analysis.positive)}")
        facts.append("intervals and p-values of the finding hold for all pairs of groups and all criteria together")
    facts += map(frame.plain, analysis.notes)
    if analysis.weight is not None:
        facts.append(f"rows count by their weight in {frame.plain(analysis.weight)}")
    if analysis.run is not None:
        facts.append(f"test rows used {policies.describe_reads(analysis.run, access=frame.access())} so far")
    return facts


def _tile(label: str, value: str, note: str, help_text: str | None = None) -> None:
    st.metric(label, value, note, delta_color="off", delta_arrow="off", border=True, help=help_text)


def _overall_tiles(metrics: GroupMetrics, names: tuple[str, ...]) -> None:
    for name in names:
        record = metric_record(name)
        scale, unit = (100.0, "%") if record.unit == "share" else (1.0, "")
        value, low, high = (scale * metrics.overall_intervals.loc[name, part] for part in ("value", "low", "high"))
        text = numbers.estimate(value, low, high) + unit
        _tile(f"{record.title}, all", text, numbers.interval(low, high), record.help)


def _disparity_tiles(conclusion: Conclusion) -> None:
    p, ratio = conclusion.p_value, conclusion.ratio
    pair = "Between the two groups of the finding, whose gap is surest. A wider gap of a small group may be chance."
    _tile(
        f"Difference in {metric_record(conclusion.metric).phrase}",
        "n/a" if conclusion.gap is None else f"{100 * conclusion.gap:.1f} points",
        "no test" if p is None or pd.isna(p) else f"p {'<' if p < 0.001 else '='} {max(p, 0.001):.3f}",
        pair,
    )
    rule = "n/a" if ratio is None else ("at least" if ratio >= 0.8 else "below") + " four fifths"
    _tile("Ratio of these two", "n/a" if ratio is None else f"{ratio:.2f}", rule, pair)
