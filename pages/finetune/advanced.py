"""The settings of a training: the few that matter in sight, the others under Advanced."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalog import Dataset
from core.finetune import FineTuneSettings

__all__ = ["fill", "show"]

# By widget: what its change is called, its default. The state of the session holds the values, so that an earlier
# training's settings can be put there.
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
_OTHERS: dict[str, Any] = {"ft-epochs": 3, "ft-rate": 5e-5, "ft-rank": 8}


def fill(settings: FineTuneSettings, dataset_id: str) -> None:
    """Put the settings of an earlier training into the form."""
    share = settings.warmup_steps if settings.warmup_steps < 1 else 0.1
    st.session_state.update(
        {
            f"ft-text-{dataset_id}": settings.text_column,
            f"ft-label-{dataset_id}": settings.label_column,
            f"ft-sensitive-{dataset_id}": list(settings.sensitive_columns),
            "ft-epochs": settings.epochs,
            "ft-rate": settings.learning_rate,
            "ft-batch": settings.train_batch_size,
            "ft-length": settings.max_length,
            "ft-warmup": round(100 * share),
            "ft-decay": settings.weight_decay,
            "ft-smoothing": settings.label_smoothing,
            "ft-accumulation": settings.gradient_accumulation,
            "ft-weights": settings.class_weights,
            "ft-freeze": settings.freeze_layers,
            "ft-lora": settings.lora is not None,
            "ft-rank": settings.lora or 8,
            "ft-patience": settings.early_stopping_patience,
            "ft-test": round(100 * settings.test_fraction),
            "ft-seed": settings.seed,
        }
    )


def show(dataset: Dataset, used: list[str], names: list[str]) -> dict[str, Any]:
    """Draw the settings and return them."""
    for key, default in (_OTHERS | {key: default for key, (_, default) in _DEFAULTS.items()}).items():
        st.session_state.setdefault(key, default)
    others = [name for name in names if name not in used]
    sensitive = f"ft-sensitive-{dataset.id}"
    marked = st.session_state.get(sensitive, dataset.roles.get("sensitive", []))
    st.session_state[sensitive] = [name for name in marked if name in others]
    first, second, third = st.columns(3, gap="medium")
    values: dict[str, Any] = {
        "epochs": first.number_input("Epochs", 1, 100, key="ft-epochs", help="Times that all texts are read."),
        "learning_rate": second.number_input(
            "Learning rate",
            1e-6,
            1e-2,
            step=1e-5,
            format="%.6f",
            key="ft-rate",
            help="How far each step goes. 0.00002 to 0.0001 fit most models.",
        ),
        "sensitive_columns": tuple(
            third.multiselect(
                "Sensitive columns",
                others,
                key=sensitive,
                help="Kept with the predictions, to compare results by group.",
            )
        ),
    }
    changed = [label for key, (label, default) in _DEFAULTS.items() if st.session_state[key] != default]
    label = "Advanced: " + (f"changed {', '.join(changed)}" if changed else "sound defaults")
    with st.expander(label, icon=":material/tune:", key="ft-advanced"):
        left, right = st.columns(2, gap="medium")
        with left:
            values |= _steps()
        with right:
            values |= _model()
    return values


def _steps() -> dict[str, Any]:
    st.markdown("**Training**")
    return {
        "train_batch_size": st.number_input("Batch size", 1, 512, key="ft-batch"),
        "gradient_accumulation": st.number_input(
            "Batches a step", 1, 128, key="ft-accumulation", help="Larger batches than memory holds."
        ),
        "warmup_steps": st.number_input("Warm-up (% of the steps)", 0, 50, key="ft-warmup") / 100,
        "weight_decay": st.number_input("Weight decay", 0.0, 1.0, step=0.01, key="ft-decay"),
        "label_smoothing": st.number_input("Label smoothing", 0.0, 0.5, step=0.05, key="ft-smoothing"),
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
            "Tokens read of a text", 8, 512, step=8, key="ft-length", help="Longer texts are cut; fewer are faster."
        ),
        "freeze_layers": st.number_input("Layers that stay as they are", 0, 48, key="ft-freeze"),
    }
    lora = st.toggle("Train a small addition only (LoRA)", key="ft-lora", help="Less memory; merged in at the end.")
    values["lora"] = st.number_input("Rank of the addition", 1, 256, key="ft-rank") if lora else None
    values["test_fraction"] = st.slider("Test texts (%)", 5, 50, step=5, key="ft-test") / 100
    values["seed"] = st.number_input("Seed", min_value=0, key="ft-seed")
    return values
