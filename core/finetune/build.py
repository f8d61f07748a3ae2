"""Builds models from a base model: frozen in part or with adapters, and plain again at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingsError
from core.finetune.architecture import frozen_parts, head_name
from core.finetune.base_model import BaseModel
from core.finetune.loading import load_base
from core.finetune.settings import FineTuneSettings
from core.finetune.targets import TargetKind

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from core.finetune.loading import LoadedModel

__all__ = ["Scale", "build", "class_weights", "finish", "number_scale"]

Scale: TypeAlias = tuple[float, float]  # what is taken from the numbers to predict, and what they are divided by
_MOST_WEIGHT = 100.0
_FAR = 3.0  # standard deviations from 0 that a head without a constant can learn


def build(base: BaseModel, kind: TargetKind, labels: list[str] | None, settings: FineTuneSettings) -> LoadedModel:
    """Return a model with a new head, and its tokenizer; the same seed gives the same weights.

    Parameters
    ----------
    base : BaseModel
        The base model.
    kind : TargetKind
        The kind of target.
    labels : list of str or None
        The classes or labels; None for a number.
    settings : FineTuneSettings
        The settings of the training.

    Raises
    ------
    InputError
        When the folder does not hold a model of texts, or its parts do not fit together.
    SettingsError
        When the model has fewer layers than are to be frozen.
    """
    model, tokenizer = load_base(base, ["number"] if labels is None else labels, kind.problem_type, settings.seed)
    if settings.freeze_layers:
        for name in frozen_parts(model, settings.freeze_layers):
            model.get_submodule(name).requires_grad_(False)
    if settings.lora is not None:
        model = _with_adapters(model, settings.lora)
    return model, tokenizer


def _with_adapters(model: PreTrainedModel, rank: int) -> PreTrainedModel:
    import torch
    from peft import LoraConfig, TaskType, get_peft_model
    from transformers.pytorch_utils import Conv1D

    base = model.base_model_prefix
    config = LoraConfig(
        task_type=TaskType.SEQ_CLS,
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=0.05,
        target_modules=[
            name
            for name, part in model.named_modules()
            if isinstance(part, (torch.nn.Linear, Conv1D)) and name.startswith(f"{base}.")
        ],
        # All new layers are trained in full: DistilBERT has two of them, DeBERTa a pooler.
        modules_to_save=[name for name, part in model.named_children() if name != base and list(part.parameters())],
    )
    return get_peft_model(model, config)


def number_scale(model: PreTrainedModel, numbers: NDArray[np.float64], column: str) -> Scale:
    """Return what is taken from the numbers of a training, and what they are divided by then.

    A head with a constant learns standardized numbers. One without, as decoders have, can only learn numbers whose
    zero is that of the column.

    Parameters
    ----------
    model : PreTrainedModel
        The model with its head.
    numbers : array of shape (n,)
        Numbers of the training rows.
    column : str
        Name of their column.

    Raises
    ------
    SettingsError
        When the head has no constant, and the numbers lie far from 0.
    """
    mean, spread = float(numbers.mean()), float(numbers.std()) or 1.0
    if _has_constant(model):
        return mean, spread
    if abs(mean) > _FAR * spread:
        raise SettingsError(
            f"The last layer of a '{model.config.model_type}' model has no constant, and '{column}' lies far from 0 "
            f"(mean {mean:,.4g}, standard deviation {spread:,.4g}): it would be learned badly.",
            f"Subtract {mean:,.4g} from the column, or choose an encoder such as BERT.",
        )
    return 0.0, float(np.sqrt(mean**2 + spread**2))


def _has_constant(model: PreTrainedModel) -> bool:
    return model.get_submodule(head_name(model)).bias is not None


def finish(model: PreTrainedModel, scale: Scale | None) -> PreTrainedModel:
    """Return a plain model: adapters merged, and a number in its own unit."""
    import torch

    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    if scale is not None:
        head = model.get_submodule(head_name(model))
        with torch.no_grad():
            head.weight.mul_(scale[1])
            if head.bias is not None:
                head.bias.mul_(scale[1]).add_(scale[0])
    return model.eval()


def class_weights(y: NDArray[np.generic], classes: int) -> NDArray[np.float64]:
    """Return weights of the classes whose mean over the rows is 1; a class without rows gets 1.

    Where a row may have several labels, they are weights of the rows that have a label: as many of these as of the
    others count then, but none more than 100 times.
    """
    if y.ndim == 2:
        having = y.sum(axis=0, dtype=np.float64)
        return np.where(having > 0, np.clip((len(y) - having) / np.maximum(having, 1), 0.01, _MOST_WEIGHT), 1.0)
    counts = np.bincount(y.astype(np.intp), minlength=classes)
    present = int((counts > 0).sum())
    return np.where(counts > 0, len(y) / (present * np.maximum(counts, 1)), 1.0)
