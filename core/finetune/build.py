"""Builds models from a base model: frozen in part or with adapters, and plain again at the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, SettingsError
from core.finetune.base_model import BaseModel
from core.finetune.settings import FineTuneSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    LoadedModel: TypeAlias = tuple[PreTrainedModel, PreTrainedTokenizerBase]

__all__ = ["Scale", "build", "class_weights", "device_of", "finish", "freeze", "load_text_model", "precision_of"]

Scale: TypeAlias = tuple[float, float]  # mean and standard deviation of the numbers to predict


def build(base: BaseModel, labels: list[str] | None, settings: FineTuneSettings) -> LoadedModel:
    """Return a model with a new head, and its tokenizer; the same seed gives the same weights.

    Parameters
    ----------
    base : BaseModel
        The base model.
    labels : list of str or None
        The classes; None for a number.
    settings : FineTuneSettings
        The settings of the training.

    Raises
    ------
    InputError
        When the folder does not hold a model of texts.
    SettingsError
        When the model has fewer layers than are to be frozen.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, set_seed

    names = labels if labels is not None else ["number"]
    try:
        tokenizer = AutoTokenizer.from_pretrained(base.path, local_files_only=True, trust_remote_code=False)
        set_seed(settings.seed)  # before the model is built: the weights of the head are drawn here
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


def freeze(model: PreTrainedModel, layers: int) -> None:
    """Freeze the embeddings and the first layers.

    Raises
    ------
    SettingsError
        When the model has fewer layers, or its layers are not known.
    """
    base = model.base_model
    # BERT, RoBERTa and DeBERTa call their stack "encoder", DistilBERT "transformer".
    stack = getattr(getattr(base, "encoder", None) or getattr(base, "transformer", None), "layer", None)
    if stack is None or not hasattr(base, "embeddings"):
        raise SettingsError(
            f"The layers of a '{model.config.model_type}' model cannot be frozen.", "Set freeze_layers to 0."
        )
    if layers > len(stack):
        raise SettingsError(
            f"freeze_layers is {layers}; the base model has {len(stack)} layers.", f"Set it to {len(stack)} or less."
        )
    for part in (base.embeddings, *stack[:layers]):
        part.requires_grad_(False)


def _with_adapters(model: PreTrainedModel, rank: int) -> PreTrainedModel:
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
        # All new layers are trained in full: DistilBERT has two of them, DeBERTa a pooler.
        modules_to_save=[name for name, part in model.named_children() if name != base and list(part.parameters())],
    )
    return get_peft_model(model, config)


def finish(model: PreTrainedModel, scale: Scale | None) -> PreTrainedModel:
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


def load_text_model(folder: str | Path) -> LoadedModel:
    """Return a trained model and its tokenizer, on the best device there is.

    Parameters
    ----------
    folder : path
        Folder with model.safetensors, config.json and tokenizer.json.
    """
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
    """Return the device that is used: its name for torch, and its title."""
    import torch

    if torch.cuda.is_available():
        return "cuda", f"CUDA: {torch.cuda.get_device_name(0)}"
    if torch.backends.mps.is_available():
        return "mps", "Apple GPU (MPS)"
    return "cpu", "CPU"


def precision_of(precision: str, device: str) -> str:
    """Return float32, bf16 or fp16.

    Parameters
    ----------
    precision : {"auto", "float32", "bf16", "fp16"}
        The setting.
    device : str
        Name of the device for torch.

    Raises
    ------
    SettingsError
        When the device does not have this precision.
    """
    import torch

    bf16 = device == "cuda" and torch.cuda.is_bf16_supported()
    if precision == "auto":
        return "bf16" if bf16 else "float32"
    if (precision == "fp16" and device != "cuda") or (precision == "bf16" and device == "mps"):
        raise SettingsError(f"This device ({device}) cannot train in {precision}.", "Set precision to auto.")
    return precision
