"""Studies of texts: the form of a federated fine-tuning."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalog import Dataset
from core.federated import FederatedTextSettings
from core.finetune import base_models
from core.tasks import federated_texts
from pages._ui import address, frame, lookups, needs_form, tables

__all__ = ["form"]


def form(by_id: dict[str, Dataset]) -> None:
    """Draw the form; Start submits the run and opens it."""
    linked = st.query_params.get("dataset")
    left, right = st.columns(2, gap="large")
    with left:
        chosen = st.selectbox(
            "Dataset",
            list(by_id),
            index=list(by_id).index(linked) if linked in by_id else 0,
            format_func=lambda item: lookups.dataset_title(by_id[item]),
            key="federated-text-dataset",
        )
        dataset = by_id[chosen]
        names = tables.column_names(dataset)
        text = st.selectbox("Texts", names, index=None, key=f"federated-text-column-{chosen}")
        target = st.selectbox("Labels", names, index=None, key=f"federated-text-target-{chosen}")
        sites = st.selectbox("Sites", names, index=None, key=f"federated-text-sites-{chosen}")
    with right:
        offered = [model.name for model in base_models()]
        base = st.selectbox("Base model", offered, key="federated-text-base")
        rounds = st.number_input("Rounds", min_value=1, max_value=1_000, value=5, key="federated-text-rounds")
        rank = st.number_input("LoRA rank", min_value=1, max_value=256, value=8, key="federated-text-rank")
        rate = st.number_input(
            "Learning rate",
            min_value=1e-6,
            max_value=1.0,
            value=1e-3,
            format="%.6f",
            key="federated-text-rate",
        )
    columns = [text, target, sites]
    if None in columns or len(set(columns)) < len(columns):
        st.caption("Choose three different columns: the texts, their labels, and the sites.")
        return
    values: dict[str, Any] = {
        "text_column": text,
        "target": target,
        "site_column": sites,
        "base_model": base,
        "rounds": int(rounds),
        "lora": int(rank),
        "learning_rate": rate,
    }
    needs = needs_form.show("federated_texts", values, dataset)
    if st.button("Start", type="primary", icon=":material/play_arrow:", key="federated-text-start"):
        settings = FederatedTextSettings(**values)
        address.go(run=federated_texts.submit(dataset, settings, needs=needs, access=frame.access()))
