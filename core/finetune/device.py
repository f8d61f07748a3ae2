"""The device that a training uses, and the precisions that it has."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from core.errors import SettingsError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, TrainingArguments

__all__ = ["device_of", "gpus_for", "in_precision", "on_one_device", "precision_of"]

_PAYS_FROM = 256
"""Width of a model from which bf16 is surely faster on a processor with AMX (`docs/figures.md`)."""


def device_of() -> tuple[str, str]:
    """Return the device that is used: its name for torch, and its title."""
    import torch

    if torch.cuda.is_available():
        return "cuda", f"CUDA: {torch.cuda.get_device_name(0)}"
    if torch.backends.mps.is_available():
        return "mps", "Apple GPU (MPS)"
    return "cpu", "CPU"


def gpus_for(batch_size: int) -> int:
    """Return among how many GPUs of this machine a batch is shared out evenly: 1 without GPUs.

    Parameters
    ----------
    batch_size : int
        Number of rows of a batch.
    """
    import torch

    return next(count for count in range(max(torch.cuda.device_count(), 1), 0, -1) if batch_size % count == 0)


def precision_of(precision: str, device: str, model: PreTrainedModel) -> str:
    """Return float32, bf16 or fp16.

    "auto" is bf16 where a GPU has it, or the processor computes it in hardware (AMX) and the model is wide enough for
    it to pay; else float32.

    Parameters
    ----------
    precision : {"auto", "float32", "bf16", "fp16"}
        The setting.
    device : str
        Name of the device for torch.
    model : PreTrainedModel
        The model to train.

    Raises
    ------
    SettingsError
        When the device does not have this precision.
    """
    import torch

    if precision == "auto":
        if device == "cuda":
            return "bf16" if torch.cuda.is_bf16_supported() else "float32"
        wide = getattr(model.config, "hidden_size", 0) >= _PAYS_FROM
        return "bf16" if device == "cpu" and wide and torch.cpu.get_capabilities().get("amx_bf16") else "float32"
    if (precision == "fp16" and device != "cuda") or (precision == "bf16" and device == "mps"):
        raise SettingsError(f"This device ({device}) cannot train in {precision}.", "Set precision to auto.")
    return precision


def in_precision(precision: str, device: str) -> contextlib.AbstractContextManager[Any]:
    """Return the context in which a model computes in a precision.

    Parameters
    ----------
    precision : {"float32", "bf16", "fp16"}
        The precision.
    device : str
        Name of the device for torch.
    """
    import torch

    if precision == "float32":
        return contextlib.nullcontext()
    context: contextlib.AbstractContextManager[Any] = torch.autocast(
        device, dtype=torch.bfloat16 if precision == "bf16" else torch.float16
    )
    return context


def on_one_device(arguments: TrainingArguments) -> TrainingArguments:
    """Return arguments of a Trainer that uses one GPU, where it would share larger batches out among all of them."""
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1  # as transformers' Trainer itself does for models that it must not copy
    return arguments
