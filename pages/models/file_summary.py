"""What a scored file says as a whole: rows to expect, metrics beside the test's, reasons of single rows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from core.evaluation import METRICS
from core.models import FileEvaluation, ScoringReport, StoredEstimate, TrainingOverlap
from core.tasks.score import ScoredFile
from pages._ui import artifacts, frame, numbers
from pages.models.metrics import format_estimate

__all__ = ["show_evaluation", "show_expected", "show_reasons"]

_MAX_LABELS = 6
_REASONS = 1_000


def show_expected(report: ScoringReport) -> None:
    """Draw how many rows of each class to expect; of two classes the second only."""
    expected = dict(list(report.expected.items())[1:]) if len(report.expected) == 2 else report.expected
    if not expected:
        return
    parts = [
        f"{item.value:,.0f} {numbers.interval(item.low, item.high)} of {item.n:,} rows are **{frame.plain(label)}**"
        for label, item in list(expected.items())[:_MAX_LABELS]
        if item.value is not None and item.low is not None and item.high is not None
    ]
    st.markdown(f"Expected: {', '.join(parts)}.", help="Sum of the probabilities, with a 95% interval.")


def show_evaluation(evaluation: FileEvaluation) -> None:
    """Draw the metrics of the file beside those of the test, and whether its rows are those of training."""
    if evaluation.overlap is not None:
        _overlap(evaluation.overlap)
    known = evaluation.known or evaluation.rows
    text = f"{_rows(known)} of the file {'has' if known == 1 else 'have'} the target"
    if evaluation.rows < known:
        text += f"; {evaluation.rows:,} of them, at equal distances, were evaluated"
    if evaluation.left_out:
        text += f"; {_rows(evaluation.left_out)} without a value that the model knows "
        text += "is left out" if evaluation.left_out == 1 else "are left out"
    if evaluation.weight is not None:
        text += f". Rows count by {frame.plain(evaluation.weight)}, as the test rows do"
    if evaluation.unweighted is not None:
        text += (
            f". The test rows count by {frame.plain(evaluation.unweighted)}, which the file does not have: "
            "its own rows count the same each"
        )
    st.caption(f"{text}.")
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


def _overlap(overlap: TrainingOverlap) -> None:
    """Say how many rows the model was trained on."""
    if overlap.reason:
        st.info(
            f"Whether the model was trained on these rows cannot be checked: {frame.plain(overlap.reason)}. "
            "Metrics of rows that it was trained on flatter it.",
            icon=":material/help:",
        )
    elif overlap.may_be_chance:
        st.info(
            f"{overlap.shared:,} of {_rows(overlap.rows)} {_are(overlap.shared)} equal to a training row, and so are "
            f"{overlap.share_by_chance:.0%} of the test rows, which the model has not seen: few different rows are "
            "possible in this table.",
            icon=":material/info:",
        )
    elif overlap.shared:
        st.warning(
            f"{overlap.shared:,} of {_rows(overlap.rows)} {_are(overlap.shared)} also in the training data: these "
            "metrics flatter the model. The test metrics say how good it is on rows that it has not seen.",
            icon=":material/warning:",
        )
    else:
        st.caption(f"None of the {_rows(overlap.rows)} with the target is in the training data.")


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _format(estimate: StoredEstimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "–"
    return format_estimate(estimate)


def show_reasons(path: Path, scored: ScoredFile) -> None:
    """Draw the reasons of the first rows."""
    by = "by rank" if scored.ranked_by is not None else "in the order of the file"
    st.caption(f"The columns that move the predictions of the first {scored.reasons:,} rows ({by}) most, and how far.")
    st.dataframe(artifacts.first_rows(path, _REASONS).frame, hide_index=True, alt="Reasons of the first rows")
