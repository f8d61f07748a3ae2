"""Models: built from a base, frozen in part or given adapters, and made plain again at the end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, SettingsError
from core.finetune._base import BaseModel
from core.finetune._settings import FineTuneSettings

__all__ = ["Scale", "build", "class_weights", "device_of", "finish", "freeze", "load_text_model", "precision_of"]

Scale = tuple[float, float]  # mean and standard deviation of the numbers to predict


def build(base: BaseModel, labels: list[str] | None, settings: FineTuneSettings) -> tuple[Any, Any]:
    """Return a model with a new head, and its tokenizer; the same seed gives the same weights.

    Raises
    ------
    InputError
        When the folder holds no model that reads texts.
    SettingsError
        When it has fewer layers than are to be frozen.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, set_seed

    names = labels if labels is not None else ["number"]
    try:
        tokenizer = AutoTokenizer.from_pretrained(base.path, local_files_only=True, trust_remote_code=False)
        set_seed(settings.seed)  # before the model is built: the head is drawn here
        model = AutoModelForSequenceClassification.from_pretrained(
            base.path,
            num_labels=len(names),
            id2label=dict(enumerate(names)),
            label2id={name: code for code, name in enumerate(names)},
            problem_type="regression" if labels is None else "single_label_classification",
            ignore_mismatched_sizes=True,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise InputError(
            f"'{base.name}' cannot be loaded as a model of texts ({str(error).splitlines()[0][:200]}).",
            "Choose another base model.",
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
        model.config.pad_token_id = tokenizer.pad_token_id
    if settings.freeze_layers:
        freeze(model, settings.freeze_layers)
    if settings.lora is not None:
        model = _with_adapters(model, settings.lora)
    return model, tokenizer


def freeze(model: Any, layers: int) -> None:
    """Keep the embeddings and the first layers as they are.

    Raises
    ------
    SettingsError
        When the model has fewer layers, or they cannot be told.
    """
    base = model.base_model
    # BERT, RoBERTa and DeBERTa call their stack "encoder", DistilBERT "transformer".
    stack = getattr(getattr(base, "encoder", None) or getattr(base, "transformer", None), "layer", None)
    if stack is None or not hasattr(base, "embeddings"):
        raise SettingsError(
            f"The layers of a '{model.config.model_type}' model cannot be told apart.", "Set freeze_layers to 0."
        )
    if layers > len(stack):
        raise SettingsError(
            f"freeze_layers is {layers}; the base model has {len(stack)} layers.", f"Set it to {len(stack)} or less."
        )
    for part in (base.embeddings, *stack[:layers]):
        part.requires_grad_(False)


def _with_adapters(model: Any, rank: int) -> Any:
    import torch
    from peft import LoraConfig, TaskType, get_peft_model

    base = model.base_model_prefix
    config = LoraConfig(
        task_type=TaskType.SEQ_CLS,
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=0.05,
        target_modules=[
            name
            for name, part in model.named_modules()
            if isinstance(part, torch.nn.Linear) and name.startswith(f"{base}.")
        ],
        # All that is new is trained whole: DistilBERT has two layers there, DeBERTa a pooler.
        modules_to_save=[name for name, part in model.named_children() if name != base and list(part.parameters())],
    )
    return get_peft_model(model, config)


def finish(model: Any, scale: Scale | None) -> Any:
    """Return a plain model: adapters merged, and a number in its own unit."""
    import torch

    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    if scale is not None:
        head = [part for _, part in model.named_modules() if isinstance(part, torch.nn.Linear)][-1]
        with torch.no_grad():
            head.weight.mul_(scale[1])
            head.bias.mul_(scale[1]).add_(scale[0])
    return model.eval()


def load_text_model(folder: Any) -> tuple[Any, Any]:
    """Return a trained model and its tokenizer, on the best device there is."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return model.to(device_of()[0]).eval(), tokenizer


def class_weights(y: NDArray[np.intp], classes: int) -> NDArray[np.float64]:
    """Return weights of the classes whose mean over the rows is 1; a class without rows gets 1."""
    counts = np.bincount(y, minlength=classes)
    present = int((counts > 0).sum())
    return np.where(counts > 0, len(y) / (present * np.maximum(counts, 1)), 1.0)


def device_of() -> tuple[str, str]:
    """Return the device that is used: for torch, and in words."""
    import torch

    if torch.cuda.is_available():
        return "cuda", f"CUDA: {torch.cuda.get_device_name(0)}"
    if torch.backends.mps.is_available():
        return "mps", "Apple GPU (MPS)"
    return "cpu", "CPU"


def precision_of(asked: str, device: str) -> str:
    """Return float32, bf16 or fp16.

    Raises
    ------
    SettingsError
        When the device has no such precision.
    """
    import torch

    bf16 = device == "cuda" and torch.cuda.is_bf16_supported()
    if asked == "auto":
        return "bf16" if bf16 else "float32"
    if (asked == "fp16" and device != "cuda") or (asked == "bf16" and device == "mps"):
        raise SettingsError(f"This device ({device}) does not train in {asked}.", "Set precision to auto.")
    return asked
