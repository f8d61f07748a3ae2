"""The settings of a training: the most important ones, and the others under Advanced."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalog import Dataset
from core.finetune import FineTuneSettings
from pages._ui.model_fields import default, limits

__all__ = ["fill", "show"]

# By widget: the name of a change, and the default. The session state holds the values, so that the settings of an
# earlier training can be put there.
_DEFAULTS: dict[str, tuple[str, Any]] = {
    "finetune-batch": ("batch size", default(FineTuneSettings, "train_batch_size")),
    "finetune-length": ("maximum length", default(FineTuneSettings, "max_length")),
    "finetune-warmup": ("warm-up", round(100 * default(FineTuneSettings, "warmup_steps"))),
    "finetune-decay": ("weight decay", default(FineTuneSettings, "weight_decay")),
    "finetune-smoothing": ("label smoothing", default(FineTuneSettings, "label_smoothing")),
    "finetune-accumulation": ("gradient accumulation", default(FineTuneSettings, "gradient_accumulation")),
    "finetune-weights": ("class weights", default(FineTuneSettings, "class_weights")),
    "finetune-freeze": ("frozen layers", default(FineTuneSettings, "freeze_layers")),
    "finetune-lora": ("LoRA", False),
    "finetune-patience": ("early stopping", default(FineTuneSettings, "early_stopping_patience")),
    "finetune-test": ("test fraction", round(100 * default(FineTuneSettings, "test_fraction"))),
    "finetune-seed": ("seed", default(FineTuneSettings, "seed")),
    "finetune-adaptation": ("adaptation", default(FineTuneSettings, "adaptation_epochs")),
    "finetune-few": ("pairs of few texts", default(FineTuneSettings, "few_shot")),
}
_RANK = 8  # of LoRA, once it is switched on
_OTHERS: dict[str, Any] = {
    "finetune-epochs": default(FineTuneSettings, "epochs"),
    "finetune-rate": default(FineTuneSettings, "learning_rate"),
    "finetune-rank": _RANK,
}


def fill(settings: FineTuneSettings, dataset_id: str) -> None:
    """Put the settings of an earlier training into the form."""
    share = settings.warmup_steps if settings.warmup_steps < 1 else 0.1
    st.session_state.update(
        {
            f"finetune-sensitive-{dataset_id}": list(settings.sensitive_columns),
            "finetune-epochs": settings.epochs,
            "finetune-rate": settings.learning_rate,
            "finetune-batch": settings.train_batch_size,
            "finetune-length": settings.max_length,
            "finetune-warmup": round(100 * share),
            "finetune-decay": settings.weight_decay,
            "finetune-smoothing": settings.label_smoothing,
            "finetune-accumulation": settings.gradient_accumulation,
            "finetune-weights": settings.class_weights,
            "finetune-freeze": settings.freeze_layers,
            "finetune-lora": settings.lora is not None,
            "finetune-rank": settings.lora or _RANK,
            "finetune-patience": settings.early_stopping_patience,
            "finetune-test": round(100 * settings.test_fraction),
            "finetune-seed": settings.seed,
            "finetune-adaptation": settings.adaptation_epochs,
            "finetune-few": settings.few_shot,
        }
    )


def show(dataset: Dataset, used: list[str], names: list[str]) -> dict[str, Any]:
    """Draw the settings and return them."""
    for key, value in (_OTHERS | {key: initial for key, (_, initial) in _DEFAULTS.items()}).items():
        st.session_state.setdefault(key, value)
    others = [name for name in names if name not in used]
    sensitive = f"finetune-sensitive-{dataset.id}"
    marked = st.session_state.get(sensitive, dataset.roles.get("sensitive", []))
    st.session_state[sensitive] = [name for name in marked if name in others]
    first, second, third = st.columns(3, gap="medium")
    values: dict[str, Any] = {
        "epochs": first.number_input(
            "Epochs", **limits(FineTuneSettings, "epochs"), key="finetune-epochs", help="Times that all texts are read."
        ),
        "learning_rate": second.number_input(
            "Learning rate",
            1e-6,
            1e-2,
            step=1e-5,
            format="%.6f",
            key="finetune-rate",
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
    changed = [label for key, (label, initial) in _DEFAULTS.items() if st.session_state[key] != initial]
    label = "Advanced: " + (f"changed {', '.join(changed)}" if changed else "sound defaults")
    with st.expander(label, icon=":material/tune:", key="finetune-advanced"):
        left, right = st.columns(2, gap="medium")
        with left:
            values |= _steps()
        with right:
            values |= _model()
    return values


def _steps() -> dict[str, Any]:
    st.markdown("**Training**")
    return {
        "train_batch_size": st.number_input(
            "Batch size", **limits(FineTuneSettings, "train_batch_size"), key="finetune-batch"
        ),
        "gradient_accumulation": st.number_input(
            "Gradient accumulation steps",
            **limits(FineTuneSettings, "gradient_accumulation"),
            key="finetune-accumulation",
            help="Batches whose gradients make one step: larger batches than memory holds.",
        ),
        "warmup_steps": st.number_input("Warm-up (% of the steps)", 0, 50, key="finetune-warmup") / 100,
        "weight_decay": st.number_input(
            "Weight decay", **limits(FineTuneSettings, "weight_decay"), step=0.01, key="finetune-decay"
        ),
        "label_smoothing": st.number_input("Label smoothing", 0.0, 0.5, step=0.05, key="finetune-smoothing"),
        "early_stopping_patience": st.number_input(
            "Stop after epochs without progress",
            **limits(FineTuneSettings, "early_stopping_patience"),
            value=None,
            placeholder="never",
            key="finetune-patience",
        ),
        "class_weights": st.toggle(
            "Balance class weights", key="finetune-weights", help="Rare classes count as much as frequent ones."
        ),
    }


def _model() -> dict[str, Any]:
    st.markdown("**Model and test**")
    values: dict[str, Any] = {
        "max_length": st.number_input(
            "Maximum length (tokens)",
            **limits(FineTuneSettings, "max_length"),
            step=8,
            key="finetune-length",
            help="Longer texts are cut off; a smaller maximum is faster.",
        ),
        "freeze_layers": st.number_input(
            "Frozen layers", **limits(FineTuneSettings, "freeze_layers"), key="finetune-freeze"
        ),
    }
    lora = st.toggle(
        "LoRA adapter only",
        key="finetune-lora",
        help="Trains a small addition in place of all weights: less memory. It is merged at the end.",
    )
    values["lora"] = (
        st.number_input("Rank of the adapter", **limits(FineTuneSettings, "lora"), key="finetune-rank")
        if lora
        else None
    )
    values["adaptation_epochs"] = st.number_input(
        "Adaptation (passes over all texts)",
        **limits(FineTuneSettings, "adaptation_epochs"),
        key="finetune-adaptation",
        help="Before the training, the base model learns to guess masked words of your texts, also of those without a "
        "label. It may help where they have words of their own. It takes as long as training that many epochs.",
    )
    values["few_shot"] = st.toggle(
        "Learn from pairs of few texts",
        key="finetune-few",
        help="For classes with fewer than about 20 texts: texts of a class learn to be alike, then a linear head is "
        "fitted. Epochs do not count then.",
    )
    values["test_fraction"] = st.slider("Test texts (%)", 5, 50, step=5, key="finetune-test") / 100
    values["seed"] = st.number_input("Seed", **limits(FineTuneSettings, "seed"), key="finetune-seed")
    return values
