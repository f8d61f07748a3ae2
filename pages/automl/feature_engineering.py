"""What feature engineering made of the columns, and what it brought."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.automl import METRICS, learner_title

if TYPE_CHECKING:
    from core.automl import FeatureReport

__all__ = ["show"]

_KINDS = {
    "target_means": "Target mean",
    "arithmetic": "Arithmetic",
    "group_differences": "Difference from a group",
}
_FAMILIES = {
    "target_means": "Target means",
    "arithmetic": "Arithmetic, group differences",
    "all": "All",
}


def show(record: Mapping[str, Any]) -> None:
    """Draw what was made; a sentence where nothing was."""
    st.markdown("**Feature engineering**")
    report: FeatureReport | None = record.get("feature_engineering")
    if report is None:
        switched_off = record["settings"].get("feature_engineering") is False
        st.caption("Switched off in the settings." if switched_off else "No further features were tried.")
        return
    st.caption(_sentence(report))
    if report["gains"]:
        _gains(report, METRICS[record["metric"]].title)
    if report["features"]:
        _made(report)


def _sentence(report: FeatureReport) -> str:
    models, engineered, count = report["models"], report["engineered"], len(report["features"])
    if not engineered:
        return "Further features were tried, and the final model does without them."
    given = f"given features that were made of the columns, {count} different ones."
    if models == 1:
        return f"The final model is {given}"
    which = f"All {models} models" if engineered == models else f"{engineered} of the {models} models"
    return f"{which} of the final one are {given} Each chose its own."


def _gains(report: FeatureReport, metric: str) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                "Learner": [learner_title(gain["learner"]) for gain in report["gains"]],
                "Made": [_FAMILIES[gain["families"]] for gain in report["gains"]],
                "Without": [gain["plain_score"] for gain in report["gains"]],
                "With": [gain["score"] for gain in report["gains"]],
                "Gain": [_signed(gain["gain"], gain["error"]) for gain in report["gains"]],
            }
        ),
        hide_index=True,
        height="content",
        column_config={
            "Without": st.column_config.NumberColumn(format="%.4f", help=f"{metric}, CV mean"),
            "With": st.column_config.NumberColumn(format="%.4f", help=f"{metric}, CV mean"),
            "Gain": st.column_config.TextColumn(
                help="How much better the trial with the features is than the same trial without, over the folds, and "
                "its standard error."
            ),
        },
        alt="What the features brought, by learner",
    )


def _signed(gain: float, error: float | None) -> str:
    text = f"{gain:+.4f}".replace("-", "−")
    return text if error is None else f"{text} ± {error:.4f}"


def _made(report: FeatureReport) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                "Feature": [feature["title"] for feature in report["features"]],
                "Type": [_KINDS[feature["kind"]] for feature in report["features"]],
                "Models": [feature["models"] for feature in report["features"]],
            }
        ),
        hide_index=True,
        height=280 if len(report["features"]) > 7 else "content",
        column_config={
            "Feature": st.column_config.TextColumn(width="large"),
            "Models": st.column_config.NumberColumn(
                help=f"Number of the {report['engineered']} models with features that are given this one."
            ),
        },
        alt="Features that were made of the columns",
    )
