"""What is tried before a training begins, so that what cannot work is refused within seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.datasets import Finding
from core.errors import InputError, SettingsError
from core.finetune.architecture import max_tokens
from core.finetune.encode import Text, encode_for_training, text_length, tokenize

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["reads_padding", "try_model"]

_TEXTS = 1_000
_MOST_UNKNOWN = 0.5
_MANY_UNKNOWN = 0.1
_SAME = 1e-4


def try_model(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[Text],
    *,
    max_length: int,
    column: str,
) -> list[Finding]:
    """Let a model read texts of the training, a short one and one of the full length, before it is trained.

    Parameters
    ----------
    model : PreTrainedModel
        The model, with its new head.
    tokenizer : PreTrainedTokenizerBase
        Its tokenizer.
    texts : sequence of str or of (str, str)
        Texts of the training, or pairs of them.
    max_length : int
        Maximum number of tokens of a text.
    column : str
        Name of the column of texts.

    Returns
    -------
    list of Finding
        Tokens that are not known; answers that depend on the texts of the same batch.

    Raises
    ------
    InputError
        When most tokens are unknown, or the model cannot read a batch of texts.
    SettingsError
        When the model reads fewer tokens than `max_length`.
    """
    limit = max_tokens(tokenizer, model)
    if max_length > limit:
        raise SettingsError(
            f"max_length is {max_length}; the base model reads at most {limit} tokens.", f"Set it to {limit} or less."
        )
    findings = _unknown(tokenizer, texts[:_TEXTS], max_length, column)
    name = model.config.model_type
    try:
        alone, beside = _alone_and_beside(model, tokenizer, texts, max_length)
    except Exception as error:  # whatever a family's own code stumbles over
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise InputError(
            f"This '{name}' model cannot read a batch of texts of {max_length} tokens ({reason}).",
            "Choose a smaller maximum length, or another base model.",
        ) from error
    if beside.shape != (2, model.config.num_labels) or not bool(beside.isfinite().all()):
        raise InputError(
            f"This '{name}' model does not answer with {model.config.num_labels} numbers for a text.",
            "Choose another base model.",
        )
    if _differ(alone, beside):
        findings.append(
            Finding(
                "answers_depend_on_batch",
                "alert",
                column,
                f"A '{name}' model reads the padding of short texts: its answer to a text depends on the texts that "
                "are scored together with it. It can be trained, but not exported: the playground and bundles need "
                "the export.",
                "Choose a family that ignores padding, such as BERT.",
            )
        )
    return findings


def reads_padding(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[Text], max_length: int
) -> bool:
    """Return whether a model's answer to a short text changes when it is scored beside a long one.

    Parameters
    ----------
    model : PreTrainedModel
        A text model.
    tokenizer : PreTrainedTokenizerBase
        Its tokenizer.
    texts : sequence of str or of (str, str)
        Some texts, or pairs of them.
    max_length : int
        Maximum number of tokens of a text.
    """
    return _differ(*_alone_and_beside(model, tokenizer, texts, max_length))


def _alone_and_beside(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[Text], max_length: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the answers to the shortest text: alone, and in a batch with a text of the full length."""
    shortest = min(texts, key=text_length)
    some = [*texts[: max_length + 1], *[shortest] * max_length]
    longest: Text = " ".join(text for text in some if isinstance(text, str))
    if not isinstance(shortest, str):
        pairs = [text for text in some if not isinstance(text, str)]
        longest = " ".join(first for first, _ in pairs), " ".join(second for _, second in pairs)
    encoded = encode_for_training(model, tokenizer, [shortest, longest], max_length)
    alone, beside = (_outputs(model, tokenizer.pad(part, return_tensors="pt")) for part in (encoded[:1], encoded))
    return alone, beside


def _differ(alone: torch.Tensor, beside: torch.Tensor) -> bool:
    return float((alone[0] - beside[0]).abs().max()) > _SAME * max(1.0, float(beside.abs().max()))


def _outputs(model: PreTrainedModel, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    import torch

    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            return model(**{name: tensor.to(model.device) for name, tensor in inputs.items()}).logits.float().cpu()
    finally:
        model.train(training)


def _unknown(tokenizer: PreTrainedTokenizerBase, texts: Sequence[Text], max_length: int, column: str) -> list[Finding]:
    """Return a finding about tokens that the tokenizer does not know; refuse when they are most."""
    unknown = tokenizer.unk_token_id
    if unknown is None:
        return []
    options = {"truncation": True, "max_length": max_length, "add_special_tokens": False}
    encoded = tokenize(tokenizer, texts, **options)["input_ids"]
    ids = [token for text in encoded for token in text]
    share = ids.count(unknown) / max(len(ids), 1)
    if share > _MOST_UNKNOWN:
        raise InputError(
            f"The tokenizer of the base model does not know {share:.0%} of the tokens in '{column}'.",
            "Choose a base model for the language and the script of the texts.",
        )
    if share <= _MANY_UNKNOWN:
        return []
    return [
        Finding(
            "unknown_tokens",
            "alert",
            column,
            f"The tokenizer of the base model does not know {share:.0%} of the tokens: the model cannot tell them "
            "apart.",
            "Choose a base model for the language and the script of the texts.",
            {"share": share},
        )
    ]
