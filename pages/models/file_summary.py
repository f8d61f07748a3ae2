"""What a scored file says as a whole: rows to expect, metrics beside the test's, reasons of single rows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from core.evaluation import METRICS
from core.models import FileEvaluation, ScoringReport, StoredEstimate
from core.tasks.score import ScoredFile
from pages._ui import numbers

__all__ = ["show_evaluation", "show_expected", "show_reasons"]

_MAX_LABELS = 6


def show_expected(report: ScoringReport) -> None:
    """Draw how many rows of each class to expect; of two classes the second only."""
    expected = dict(list(report.expected.items())[1:]) if len(report.expected) == 2 else report.expected
    if not expected:
        return
    parts = [
        f"{item.value:,.0f} {numbers.interval(item.low, item.high)} of {item.n:,} rows are **{label}**"
        for label, item in list(expected.items())[:_MAX_LABELS]
        if item.value is not None and item.low is not None and item.high is not None
    ]
    st.markdown(f"Expected: {', '.join(parts)}.", help="Sum of the probabilities, with a 95% interval.")


def show_evaluation(evaluation: FileEvaluation) -> None:
    """Draw the metrics of the file beside those of the test."""
    st.caption(
        f"The file has the target in {evaluation.rows:,} rows"
        + (f"; {evaluation.left_out:,} others have none that the model knows." if evaluation.left_out else ".")
    )
    st.dataframe(
        pd.DataFrame(
            {
                "Metric": [METRICS[name].title if name in METRICS else name for name in evaluation.metrics],
                "This file": [_format(item) for item in evaluation.metrics.values()],
                "Test": [_format(evaluation.test_metrics.get(name)) for name in evaluation.metrics],
            }
        ),
        hide_index=True,
        alt="Metrics of the file beside those of the test",
    )


def _format(estimate: StoredEstimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "–"
    value = numbers.rounded(estimate.value)
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} {numbers.interval(estimate.low, estimate.high)}"


def show_reasons(path: Path, scored: ScoredFile) -> None:
    """Draw the reasons of the first rows."""
    by = "by rank" if scored.ranked_by is not None else "in the order of the file"
    st.caption(f"The columns that move the predictions of the first {scored.reasons:,} rows ({by}) most, and how far.")
    st.dataframe(pd.read_parquet(path), hide_index=True, alt="Reasons of the first rows")
