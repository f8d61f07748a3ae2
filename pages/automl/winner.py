"""The winner as a picture, from the columns to the prediction, and its members as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.automl import METRICS, WinnerPicture, describe_calibration, describe_final_model, winner_picture
from pages._ui import frame
from pages.automl import feature_engineering, winner_figure

__all__ = ["show"]


def show(record: Mapping[str, Any], *, how: str = "") -> None:
    """Draw the picture, wide or narrow as the screen is, and the table.

    Parameters
    ----------
    record : mapping
        Content of ``result.json``.
    how : str, optional
        Sentences on the training of a model that no search has trained.
    """
    picture = winner_picture(record)
    metric = METRICS[record["metric"]].title
    sentences = [how] if how else [describe_final_model(record["winner"]), describe_calibration(record["winner"])]
    st.caption(frame.plain(" ".join(filter(None, sentences))))
    st.html(
        "<style>@media (max-width: 640px) { .st-key-automl-winner-wide { display: none; } }"
        "@media (min-width: 641px) { .st-key-automl-winner-narrow { display: none; } }</style>"
    )
    for key, narrow in (("automl-winner-wide", False), ("automl-winner-narrow", True)):
        with st.container(key=key):
            st.plotly_chart(
                winner_figure.figure(picture, metric, narrow=narrow),
                key=f"{key}-figure",
                alt=picture.description,
                config={"displayModeBar": False},
            )
    if picture.steps is None:
        st.caption("This search was made by an earlier version, which did not keep the steps that make features.")
    st.markdown("**Members**" if len(picture.members) > 1 else "**Model**")
    _members(picture, metric)
    if picture.steps is not None:
        st.markdown("**Features**")
        _features(picture)
    if not how:
        feature_engineering.show(record)


def _members(picture: WinnerPicture, metric: str) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                "Model": [member.title for member in picture.members],
                "Weight": [100 * member.weight for member in picture.members],
                "Score": [member.score for member in picture.members],
                "Hyperparameters": [
                    ", ".join(f"{name} {winner_figure.short(value)}" for name, value in member.parameters.items())
                    or "default"
                    for member in picture.members
                ],
            }
        ),
        hide_index=True,
        height="content",
        column_config={
            "Weight": st.column_config.NumberColumn("Weight (%)", format="%.0f"),
            "Score": st.column_config.NumberColumn(f"{metric}, CV mean", format="%.4f"),
            "Hyperparameters": st.column_config.TextColumn(width="large"),
        },
        alt="Members of the final model with their weights, scores and hyperparameters",
    )


def _features(picture: WinnerPicture) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                "Step": [step["title"] for step in picture.steps or []],
                "Features": [step["features"] for step in picture.steps or []],
                "Columns": [", ".join(step["columns"]) for step in picture.steps or []],
            }
        ),
        hide_index=True,
        height="content",
        column_config={
            "Features": st.column_config.NumberColumn(format="localized"),
            "Columns": st.column_config.TextColumn(width="large"),
        },
        alt="Steps that make features, with their columns",
    )
