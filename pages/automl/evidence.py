"""The model on the test rows: confusion and curves of classes, residuals of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.automl import METRICS, learner_title
from pages._ui import charts, frame, numbers
from pages.automl import charts as own_charts

__all__ = ["show"]

_BASELINES = ("linear", "prior")


def show(record: Mapping[str, Any]) -> None:
    """Draw the charts of a finished search, and its metrics with those of the baselines."""
    if not record["test_metrics"]:
        st.caption("No rows were held out, so there is nothing to test on. Set a test share under Advanced.")
        return
    _against_baselines(record)
    if record["task"] == "regression":
        _number(record)
    else:
        _classes(record)


def _classes(record: Mapping[str, Any]) -> None:
    labels = [str(label) for label in record["labels"]]
    by_class = record["curves"]["classes"]
    metrics = record["test_metrics"]
    shown = next(iter(by_class), None)
    if len(by_class) > 1:
        shown = st.selectbox("Class of the curves", list(by_class), key="automl-curve-class")
        if record["curves"]["left_out"]:
            st.caption(f"{record['curves']['left_out']:,} rare classes have no curve.")
    first, second = st.columns(2, gap="medium")
    with first:
        accuracy = metrics["accuracy"]
        charts.confusion(
            labels,
            record["confusion"],
            f"{accuracy['value']:.1%} of {accuracy['n']:,} test rows are predicted correctly",
        )
    if shown is None:
        return
    curves = by_class[shown]
    subject = frame.plain(shown)
    with second:
        charts.calibration(pd.DataFrame(curves["calibration"]), _calibration_title(curves["calibration"], str(shown)))
    first, second = st.columns(2, gap="medium")  # row by row, even where they are below each other
    with first:
        auc = metrics["roc_auc"]
        title = f"ROC AUC {numbers.estimate(auc['value'], auc['low'], auc['high'])}" if len(by_class) == 1 else "ROC"
        charts.curve(
            curves["roc"]["fpr"],
            curves["roc"]["tpr"],
            x_title="False positive rate",
            y_title="True positive rate",
            title=f"{title}; dashed: chance",
            chance="diagonal",
        )
    with second:
        charts.curve(
            curves["pr"]["recall"],
            curves["pr"]["precision"],
            x_title="Recall",
            y_title="Precision",
            title=f"Precision and recall; dashed: always predicting {shown}",
            chance=curves["share"],
        )
    first, second = st.columns(2, gap="medium")
    with first:
        own_charts.gains(curves["roc"], curves["share"], str(shown))
    with second:
        own_charts.lift(curves["roc"], curves["share"], str(shown))
    if "threshold" in curves:
        own_charts.thresholds(pd.DataFrame(curves["threshold"]), str(shown))
    st.caption(f"Curves and calibration are about the class {subject}: {curves['share']:.1%} of the test rows.")


def _calibration_title(points: list[dict[str, float]], name: str) -> str:
    inside = sum(point["low"] <= point["predicted"] <= point["high"] for point in points)
    return f"Probabilities of {name} agree with the observed share in {inside} of {len(points)} bins"


def _number(record: Mapping[str, Any]) -> None:
    points = pd.DataFrame({"predicted": record["curves"]["predicted"], "actual": record["curves"]["actual"]})
    error = record["test_metrics"]["mae"]
    first, second = st.columns(2, gap="medium")
    with first:
        typical = numbers.estimate(error["value"], error["low"], error["high"])
        own_charts.residuals(points, f"Predictions are off by {typical} on average")
    with second:
        own_charts.errors(points, "Errors should lie evenly around zero")
    if error["n"] > len(points):
        st.caption(f"{len(points):,} of {error['n']:,} test rows, drawn at random.")


def _against_baselines(record: Mapping[str, Any]) -> None:
    models = {"This model": record["test_metrics"]} | {
        learner_title(name): record["baseline_metrics"][name]
        for name in _BASELINES
        if name in record["baseline_metrics"]
    }
    own = METRICS[record["metric"]]
    charts.intervals(
        {title: metrics[record["metric"]] for title, metrics in models.items()},
        own.title + ("" if own.larger_is_better else " (smaller is better)"),
    )

    def estimate(item: Mapping[str, Any]) -> str:
        value = numbers.estimate(item["value"], item["low"], item["high"])
        return f"{value} {numbers.interval(item['low'], item['high'])}"

    whose = " of the model and the baselines" if len(models) > 1 else ""
    with st.expander(f"All metrics{whose}, with 95% intervals", icon=":material/table:"):
        table = pd.DataFrame(
            {title: [estimate(item) for item in metrics.values()] for title, metrics in models.items()},
            index=[METRICS[name].title for name in record["test_metrics"]],
        )
        st.table(table, border="horizontal")
