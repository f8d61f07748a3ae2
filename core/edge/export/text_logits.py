"""A text model as a module of plain tensors, with operators that ONNX Runtime has, whatever its family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import PreTrainedModel

from core.finetune import last_token_head

__all__ = ["logits_module"]


class _Logits(torch.nn.Module):
    """Returns a model's logits, shape (n, labels), from its inputs in their order.

    Parameters
    ----------
    model : PreTrainedModel
        The model.
    names : sequence of str
        Names of its inputs.
    """

    def __init__(self, model: PreTrainedModel, names: Sequence[str]) -> None:
        super().__init__()
        self.model = model
        self.names = list(names)

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        return self.answer(dict(zip(self.names, tensors, strict=True)))

    def answer(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        logits: torch.Tensor = self.model(**inputs).logits
        return logits


class _RealMaskLogits(_Logits):
    """The same of XLNet, which calculates with its mask in a way that torch exports for numbers with decimals only."""

    def answer(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        return super().answer(inputs | {"attention_mask": inputs["attention_mask"].to(torch.float32)})


class _LastTokenLogits(_Logits):
    """The same of a decoder, which answers from the last token that is not padding.

    transformers finds that token by an ArgMax of integers, which ONNX Runtime does not have; the largest of the
    positions that are not padding is the same one.
    """

    def answer(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        ids = inputs["input_ids"]
        hidden = self.model.base_model(**inputs, use_cache=False)[0]
        present = ids != self.model.config.get_text_config().pad_token_id
        score: Any = self.model.score
        logits: torch.Tensor = score(_at_last(hidden, present))
        return logits


class _LastEndLogits(_Logits):
    """The same of an encoder with a decoder, which answers from the last token that ends a text."""

    def answer(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        ids = inputs["input_ids"]
        shift: Any = getattr(self.model, "_shift_right", None)  # T5 leaves this to its head
        decoder = {} if shift is None else {"decoder_input_ids": shift(ids)}
        hidden = self.model.base_model(**inputs, **decoder, use_cache=False)[0]
        head: Any = self.model.classification_head
        logits: torch.Tensor = head(_at_last(hidden, ids == self.model.config.eos_token_id))
        return logits


def _at_last(hidden: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Return of each row, shape (n, width), what is at the last position that is wanted."""
    positions = torch.arange(wanted.shape[1], device=wanted.device)
    last = (positions * wanted.to(positions.dtype)).amax(dim=1)
    index = last.reshape(-1, 1, 1).expand(-1, 1, hidden.shape[-1])
    return hidden.gather(1, index).squeeze(1)


def logits_module(model: PreTrainedModel, names: Sequence[str]) -> torch.nn.Module:
    """Return the module that is exported.

    Parameters
    ----------
    model : PreTrainedModel
        A text model.
    names : sequence of str
        Names of the inputs that its tokenizer makes.
    """
    if last_token_head(model):
        return _LastTokenLogits(model, names).eval()
    if model.config.is_encoder_decoder and hasattr(model, "classification_head"):
        return _LastEndLogits(model, names).eval()
    if model.config.model_type == "xlnet":
        return _RealMaskLogits(model, names).eval()
    return _Logits(model, names).eval()
