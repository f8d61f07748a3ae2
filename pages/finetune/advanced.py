"""The settings of a training: the few that matter in sight, the others under Advanced."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalog import Dataset

__all__ = ["show"]

_DEFAULTS: dict[str, tuple[str, Any]] = {
    "ft-batch": ("batch size", 16),
    "ft-length": ("tokens", 128),
    "ft-warmup": ("warm-up", 10),
    "ft-decay": ("weight decay", 0.01),
    "ft-smoothing": ("label smoothing", 0.0),
    "ft-accumulation": ("accumulation", 1),
    "ft-weights": ("class weights", False),
    "ft-freeze": ("frozen layers", 0),
    "ft-lora": ("LoRA", False),
    "ft-patience": ("early end", None),
    "ft-test": ("test share", 20),
    "ft-seed": ("seed", 0),
}


def show(dataset: Dataset, used: list[str], names: list[str]) -> dict[str, Any]:
    """Draw the settings and return them."""
    first, second, third = st.columns(3, gap="large")
    values: dict[str, Any] = {
        "epochs": first.number_input("Epochs", 1, 100, 3, key="ft-epochs", help="Times that all texts are read."),
        "learning_rate": second.number_input(
            "Learning rate", 1e-6, 1e-2, 5e-5, 1e-5, format="%.6f", key="ft-rate",
            help="How far each step goes. 0.00002 to 0.0001 fit most models.",
        ),
        "sensitive_columns": tuple(
            third.multiselect(
                "Sensitive columns",
                [name for name in names if name not in used],
                default=[name for name in dataset.roles.get("sensitive", []) if name in names and name not in used],
                help="Kept with the predictions, to compare results by group.",
                key=f"ft-sensitive-{dataset.id}",
            )
        ),
    }  # fmt: skip
    changed = [label for key, (label, default) in _DEFAULTS.items() if st.session_state.get(key, default) != default]
    label = "Advanced: " + (f"changed {', '.join(changed)}" if changed else "sound defaults")
    with st.expander(label, icon=":material/tune:", key="ft-advanced"):
        left, right = st.columns(2, gap="large")
        with left:
            values |= _steps()
        with right:
            values |= _model()
    return values


def _steps() -> dict[str, Any]:
    st.markdown("**Training**")
    return {
        "train_batch_size": st.number_input("Batch size", 1, 512, 16, key="ft-batch"),
        "gradient_accumulation": st.number_input(
            "Batches a step", 1, 128, 1, key="ft-accumulation", help="Larger batches than memory holds."
        ),
        "warmup_steps": st.number_input("Warm-up (% of the steps)", 0, 50, 10, key="ft-warmup") / 100,
        "weight_decay": st.number_input("Weight decay", 0.0, 1.0, 0.01, 0.01, key="ft-decay"),
        "label_smoothing": st.number_input("Label smoothing", 0.0, 0.5, 0.0, 0.05, key="ft-smoothing"),
        "early_stopping_patience": st.number_input(
            "End early after epochs without gain", 1, 20, None, placeholder="never", key="ft-patience"
        ),
        "class_weights": st.toggle(
            "Weigh classes equally", key="ft-weights", help="Rare classes count as much as common ones."
        ),
    }


def _model() -> dict[str, Any]:
    st.markdown("**Model and evidence**")
    values: dict[str, Any] = {
        "max_length": st.number_input(
            "Tokens read of a text", 8, 512, 128, 8, key="ft-length", help="Longer texts are cut; fewer are faster."
        ),
        "freeze_layers": st.number_input("Layers that stay as they are", 0, 48, 0, key="ft-freeze"),
    }
    lora = st.toggle("Train a small addition only (LoRA)", key="ft-lora", help="Less memory; merged in at the end.")
    values["lora"] = st.number_input("Rank of the addition", 1, 256, 8, key="ft-rank") if lora else None
    values["test_fraction"] = st.slider("Test texts (%)", 5, 50, 20, step=5, key="ft-test") / 100
    values["seed"] = st.number_input("Seed", min_value=0, value=0, key="ft-seed")
    return values
