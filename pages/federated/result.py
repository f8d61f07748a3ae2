"""The result of a study: the verdict first, then what each site gains, then everything that left a site."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import Run
from pages._ui import artifacts, frame, header, lookups, run_actions

__all__ = ["head", "show"]


def head(run: Run) -> None:
    """Draw what every study has, whatever its state: title, way back, actions."""
    dataset = lookups.existing_dataset(run.dataset_id)
    query = {} if dataset is None else {"dataset": dataset.id}
    with header.show_object(run.title, back="New study", query=query):
        run_actions.repeat(run)
        run_actions.log(run.id)


def show(run: Run) -> None:
    """Draw a finished study."""
    record = artifacts.json_of(run, "federated.json")
    st.subheader(frame.plain(record["verdict"]))
    metric = record["metric"]
    rows = [
        {
            "Site": item["site"],
            "Rows": item["train"],
            "Federated": item["metrics"]["federated"][metric]["value"],
            "Gain": None if item["gain"] is None else item["gain"]["value"],
        }
        for item in record["sites"]
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)
