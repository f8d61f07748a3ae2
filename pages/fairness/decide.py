"""The Decide tab of a table with scores of its own: a threshold with what it does and costs."""

from __future__ import annotations

import streamlit as st

from core.decisions import LabeledScores
from pages._ui import frame
from pages.decide import panel
from pages.decide.source import DecisionSource
from pages.fairness.analysis import Analysis, Predictions

__all__ = ["applies", "show"]


def applies(analysis: Analysis) -> bool:
    """Return whether these are rows of a table with scores; a model has the tab on its own page."""
    return analysis.run is None and analysis.positive is not None and analysis.calibration is not None


def show(analysis: Analysis) -> None:
    """Draw the tab."""
    assert analysis.calibration is not None
    source = DecisionSource(
        f"{analysis.key}/decide",
        None,
        analysis.positive,
        _rows(analysis.calibration),
        _rows(analysis.check),
        "rows, half of the table drawn at random",
        analysis.weight,
        sample=analysis.sample,
    )
    st.fragment(frame.guarded(panel.show_rows))(source)


def _rows(predictions: Predictions) -> LabeledScores:
    assert predictions.score is not None
    return LabeledScores(predictions.truth, predictions.score, predictions.weight)
