"""What the model does on the test rows, drawn: classes by confusion and curves, numbers by their residuals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.automl import METRICS
from pages._ui import frame, numbers
from pages.automl import charts

__all__ = ["show"]


def show(found: Mapping[str, Any]) -> None:
    """Draw the charts of a finished search, and all metrics beside the baselines."""
    if not found["test_metrics"]:
        st.caption("No rows were held out, so there is nothing to test on. Set a test share under Advanced.")
        return
    if found["task"] == "regression":
        _number(found)
    else:
        _classes(found)
    _all_metrics(found)


def _classes(found: Mapping[str, Any]) -> None:
    labels = [str(label) for label in found["labels"]]
    by_class = found["curves"]["classes"]
    metrics = found["test_metrics"]
    shown = next(iter(by_class), None)
    if len(by_class) > 1:
        shown = st.selectbox("Class of the curves", list(by_class), key="curve-class")
        if found["curves"]["left_out"]:
            st.caption(f"{found['curves']['left_out']:,} rare classes have no curve.")
    first, second = st.columns(2, gap="large")
    with first:
        accuracy = metrics["accuracy"]
        charts.confusion(
            labels, found["confusion"], f"{accuracy['value']:.1%} of {accuracy['n']:,} test rows are predicted right"
        )
    if shown is None:
        return
    curves = by_class[shown]
    subject = frame.plain(shown)
    with second:
        charts.calibration(pd.DataFrame(curves["calibration"]), _calibration_title(curves["calibration"], str(shown)))
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
            title=f"Precision and recall; dashed: always saying {shown}",
            chance=curves["share"],
        )
    st.caption(f"Curves and calibration are about the class {subject}: {curves['share']:.1%} of the test rows.")


def _calibration_title(points: list[dict[str, float]], name: str) -> str:
    inside = sum(point["low"] <= point["predicted"] <= point["high"] for point in points)
    return f"Probabilities of {name} agree with what happened in {inside} of {len(points)} bins"


def _number(found: Mapping[str, Any]) -> None:
    points = pd.DataFrame({"predicted": found["curves"]["predicted"], "actual": found["curves"]["actual"]})
    error = found["test_metrics"]["mae"]
    first, second = st.columns(2, gap="large")
    with first:
        typical = numbers.estimate(error["value"], error["low"], error["high"])
        charts.residuals(points, f"Predictions are off by {typical} on average")
    with second:
        charts.errors(points, "Errors should lie evenly around zero")
    if error["n"] > len(points):
        st.caption(f"{len(points):,} of {error['n']:,} test rows, drawn at random.")


def _all_metrics(found: Mapping[str, Any]) -> None:
    def told(item: Mapping[str, Any] | None) -> str:
        if item is None:
            return "–"
        value = numbers.estimate(item["value"], item["low"], item["high"])
        return f"{value} {numbers.interval(item['low'], item['high'])}"

    st.markdown("**All metrics, with 95 % intervals**")
    baselines = found["baseline_metrics"]
    st.table(
        pd.DataFrame(
            {
                "Metric": [METRICS[name].title for name in found["test_metrics"]],
                "This model": [told(item) for item in found["test_metrics"].values()],
                "Linear model": [told(baselines.get("linear", {}).get(name)) for name in found["test_metrics"]],
                "Guessing": [told(baselines.get("prior", {}).get(name)) for name in found["test_metrics"]],
            }
        ).set_index("Metric"),
        border="horizontal",
    )
