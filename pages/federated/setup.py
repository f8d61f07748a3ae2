"""The setup of a study: the sites, the target, the algorithm, the privacy, Start."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalog import Dataset
from core.federated import ALGORITHMS, FederatedSettings
from core.tasks import federated
from pages._ui import address, frame, lookups, needs_form, tables

__all__ = ["show"]


def show(by_id: dict[str, Dataset]) -> None:
    """Draw the form; Start submits the run and opens it."""
    linked = st.query_params.get("dataset")
    chosen = st.selectbox(
        "Dataset",
        list(by_id),
        index=list(by_id).index(linked) if linked in by_id else 0,
        format_func=lambda item: lookups.dataset_title(by_id[item]),
        key="federated-dataset",
    )
    dataset = by_id[chosen]
    names = tables.column_names(dataset)
    target = st.selectbox("Target", names, key=f"federated-target-{chosen}")
    sites = st.selectbox("Sites", [name for name in names if name != target], key=f"federated-sites-{chosen}")
    algorithm = st.selectbox(
        "Algorithm",
        list(ALGORITHMS),
        format_func=lambda name: ALGORITHMS[name].title,
        key="federated-algorithm",
    )
    values: dict[str, Any] = {"target": target, "site_column": sites, "algorithm": algorithm}
    needs = needs_form.show("federated", values, dataset)
    if st.button("Start", type="primary", icon=":material/play_arrow:", key="federated-start"):
        address.go(run=federated.submit(dataset, FederatedSettings(**values), needs=needs, access=frame.access()))
