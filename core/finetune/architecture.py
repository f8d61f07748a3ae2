"""Where the parts of a transformer are, whatever its family calls them: layers, embeddings, head, positions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.errors import SettingsError

if TYPE_CHECKING:
    from torch import nn
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["frozen_parts", "head_name", "last_token_head", "max_tokens"]

_POSITIONS = re.compile(r"position_embeddings$|embed_positions$|wpe$")
_UNLIMITED = 1_000_000


def frozen_parts(model: PreTrainedModel, layers: int) -> list[str]:
    """Return the names of the parts that keep their weights: the embeddings and the first layers.

    The layers of an encoder come before those of a decoder.

    Parameters
    ----------
    model : PreTrainedModel
        A model with a head.
    layers : int
        Number of layers.

    Raises
    ------
    SettingsError
        When the model has fewer layers, all its layers share their weights, or they cannot be found.
    """
    stacks = _stacks(model.base_model)
    names = [f"{stack}.{position}" for stack, length in stacks for position in range(length)]
    family = model.config.model_type
    expected = _layer_count(model.config)
    if len(names) != expected:
        shared = len(names) < expected and bool(names)
        reason = "all its layers share their weights" if shared else "its layers cannot be found"
        raise SettingsError(f"The layers of a '{family}' model cannot be frozen: {reason}.", "Set freeze_layers to 0.")
    if layers > len(names):
        raise SettingsError(
            f"freeze_layers is {layers}; the base model has {len(names)} layers.", f"Set it to {len(names)} or less."
        )
    prefix = model.base_model_prefix
    embeddings = _embeddings(model.base_model, [stack for stack, _ in stacks])
    return [f"{prefix}.{name}" for name in [*embeddings, *names[:layers]]]


def _stacks(base: nn.Module) -> list[tuple[str, int]]:
    """Return the outermost lists of modules by name, with their lengths."""
    from torch import nn

    stacks: list[tuple[str, int]] = []
    for name, part in base.named_modules():
        inside = any(name.startswith(f"{outer}.") for outer, _ in stacks)
        if isinstance(part, nn.ModuleList) and not inside and any(True for _ in part.parameters()):
            stacks.append((name, len(part)))
    return stacks


def _layer_count(config: PretrainedConfig) -> int:
    count = int(config.num_hidden_layers)
    if config.is_encoder_decoder:
        decoder = getattr(config, "num_decoder_layers", None) or getattr(config, "decoder_layers", None)
        count += int(decoder or 0)
    return count


def _embeddings(base: nn.Module, stacks: list[str]) -> Iterator[str]:
    """Yield the names of the largest parts outside the layers that hold embeddings."""
    from torch import nn

    def visit(part: nn.Module, name: str) -> Iterator[str]:
        for child_name, child in part.named_children():
            path = f"{name}.{child_name}" if name else child_name
            if path in stacks:
                continue
            if any(stack.startswith(f"{path}.") for stack in stacks):
                yield from visit(child, path)
            elif any(isinstance(module, nn.Embedding) for module in child.modules()):
                yield path

    yield from visit(base, "")


def head_name(model: PreTrainedModel) -> str:
    """Return the name of the linear layer whose outputs are the model's, one for each label.

    Raises
    ------
    SettingsError
        When the model has none outside its base.
    """
    from torch import nn

    outside = [
        name
        for name, part in model.named_modules()
        if isinstance(part, nn.Linear)
        and name.partition(".")[0] != model.base_model_prefix
        and part.out_features == model.config.num_labels
    ]
    if not outside:
        raise SettingsError(
            f"The last layer of a '{model.config.model_type}' model cannot be found.", "Choose another base model."
        )
    return str(outside[-1])


def last_token_head(model: PreTrainedModel) -> bool:
    """Return whether a model answers from its last token, as decoders do, whose head has no pooler before it."""
    from torch import nn

    score = getattr(model, "score", None)
    return isinstance(score, nn.Linear) and score.bias is None and not model.config.is_encoder_decoder


def max_tokens(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel) -> int:
    """Return the maximum number of tokens that a model reads.

    A table of positions has as many as it has rows; some families leave those up to the padding token's out. Without a
    table the configuration says how long the texts of the pre-training were.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        Its tokenizer.
    model : PreTrainedModel
        The model.
    """
    return int(min(tokenizer.model_max_length, _positions(model), _UNLIMITED))


def _positions(model: PreTrainedModel) -> int:
    from torch import nn

    for name, part in model.base_model.named_modules():
        if isinstance(part, nn.Embedding) and _POSITIONS.search(name):
            unused = getattr(part, "offset", None)  # BART's own class
            if unused is None:
                unused = 0 if part.padding_idx is None else part.padding_idx + 1
            return int(part.num_embeddings - unused)
    config = model.config
    count = getattr(config, "max_position_embeddings", None)
    if not isinstance(count, int) or count <= 0 or getattr(config, "relative_attention", False):
        return _UNLIMITED
    return count
