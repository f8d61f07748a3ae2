"""Loads a base model, and refuses what would begin from random weights or read texts as other words."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from core.errors import InputError, StorageError
from core.finetune.architecture import last_token_head
from core.finetune.base_model import BaseModel
from core.finetune.device import device_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    LoadedModel: TypeAlias = tuple[PreTrainedModel, PreTrainedTokenizerBase]

__all__ = ["load_base", "load_text_model", "save_tokenizer"]

_OTHER_MODEL = "Choose another base model."
# Weights that a model for another purpose has or lacks: what sums a text up, and tables that are computed.
_REPLACEABLE = re.compile(r"(^|\.)(pooler|sequence_summary)\.|position_ids$|inv_freq$|(^|\.)masked_bias$|\.attn\.bias$")
_TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model", "*.vocab", "tekken.json")
_LARGEST_GAP = 0.1  # of a vocabulary that a tokenizer may leave unused


def load_base(base: BaseModel, names: list[str], problem_type: str, seed: int) -> LoadedModel:
    """Return a base model with a new head, in float32, and its tokenizer.

    Parameters
    ----------
    base : BaseModel
        The base model.
    names : list of str
        Names of the outputs.
    problem_type : str
        regression, single_label_classification or multi_label_classification.
    seed : int
        Seed that the weights of the head are drawn with.

    Raises
    ------
    InputError
        When the folder does not hold a model of texts, weights are missing or do not fit its configuration, or the
        tokenizer is missing or does not fit the model.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, set_seed

    folder = Path(str(base.path))
    if not any(any(folder.glob(pattern)) for pattern in _TOKENIZER_FILES):
        raise InputError(
            f"'{base.name}' has no tokenizer: none of {', '.join(_TOKENIZER_FILES[:4])} is in its folder.",
            "Save the tokenizer beside the weights with save_pretrained, or choose another base model.",
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        set_seed(seed)  # before the model is built: the weights of the head are drawn here
        model, info = AutoModelForSequenceClassification.from_pretrained(
            folder,
            num_labels=len(names),
            id2label=dict(enumerate(names)),
            label2id={name: code for code, name in enumerate(names)},
            problem_type=problem_type,
            ignore_mismatched_sizes=True,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except Exception as error:  # what is wrong with someone's files raises whatever the reader stumbles over
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise InputError(f"'{base.name}' cannot be loaded as a model of texts ({reason}).", _OTHER_MODEL) from error
    _check_weights(base, model, info)
    _check_tokenizer(base, model, tokenizer)
    _give_padding(base, model, tokenizer)
    return model, tokenizer


def _check_weights(base: BaseModel, model: PreTrainedModel, info: dict[str, Any]) -> None:
    """Refuse weights that do not fill the base of the model, or that it has no place for."""
    prefix = f"{model.base_model_prefix}."
    parts = {name for name, _ in model.base_model.named_children()}

    def in_base(names: Collection[str]) -> list[str]:
        inside = [
            name for name in names if name.startswith(prefix) or name.removeprefix(prefix).partition(".")[0] in parts
        ]
        return sorted(name for name in inside if not _REPLACEABLE.search(name))

    missing = in_base(info["missing_keys"])
    if missing:
        raise InputError(
            f"'{base.name}' lacks {len(missing):,} of the weights that its configuration asks for, such as "
            f"'{missing[0]}': they would be random.",
            f"Check config.json (model_type, num_hidden_layers). {_OTHER_MODEL}",
        )
    mismatched = {name: (stored, wanted) for name, stored, wanted in info["mismatched_keys"]}
    wrong = in_base(mismatched)
    if wrong:
        stored, wanted = (" x ".join(map(str, shape)) for shape in mismatched[wrong[0]])
        raise InputError(
            f"{len(wrong):,} weights of '{base.name}' do not fit its configuration: '{wrong[0]}' is {stored}, and "
            f"config.json asks for {wanted}.",
            f"Check config.json (hidden_size, vocab_size). {_OTHER_MODEL}",
        )
    unexpected = in_base(info["unexpected_keys"])
    if unexpected:
        raise InputError(
            f"'{base.name}' holds {len(unexpected):,} weights that its configuration has no place for, such as "
            f"'{unexpected[0]}': they would be ignored.",
            f"Check config.json (model_type, num_hidden_layers). {_OTHER_MODEL}",
        )


def _check_tokenizer(base: BaseModel, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Refuse a tokenizer whose ids the model does not know, or that leaves much of the model's vocabulary unused."""
    known = int(model.get_input_embeddings().num_embeddings)
    highest = max(tokenizer.get_vocab().values(), default=-1)
    if highest >= known:
        raise InputError(
            f"The tokenizer of '{base.name}' has ids up to {highest:,}; the model knows {known:,}.",
            f"Use the tokenizer that the model was trained with. {_OTHER_MODEL}",
        )
    if len(tokenizer) < (1 - _LARGEST_GAP) * known:
        raise InputError(
            f"The tokenizer of '{base.name}' has {len(tokenizer):,} tokens; the model has weights for {known:,}.",
            f"Use the tokenizer that the model was trained with. {_OTHER_MODEL}",
        )


def _give_padding(base: BaseModel, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Let a tokenizer without a padding token pad with the token that ends a text, as decoders do."""
    if tokenizer.pad_token is None:
        token = tokenizer.eos_token or tokenizer.unk_token
        if token is None:
            raise InputError(
                f"The tokenizer of '{base.name}' has no token to fill up short texts with.",
                "Set pad_token in tokenizer_config.json, or choose another base model.",
            )
        tokenizer.pad_token = token
    for config in (model.config, model.config.get_text_config()):
        if config.pad_token_id is None or last_token_head(model):  # which looks for the last token that is another
            config.pad_token_id = tokenizer.pad_token_id


def load_text_model(folder: str | Path) -> LoadedModel:
    """Return a trained model and its tokenizer, on the best device there is.

    Parameters
    ----------
    folder : path
        Folder with model.safetensors, config.json and tokenizer.json.

    Raises
    ------
    StorageError
        When weights are missing, or there are others.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model, info = AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, dtype=torch.float32, output_loading_info=True
    )
    wrong = sorted([*info["missing_keys"], *info["unexpected_keys"], *(name for name, *_ in info["mismatched_keys"])])
    if wrong:
        raise StorageError(
            f"The weights in '{Path(folder).name}' are not those of its model: '{wrong[0]}' is missing or not known.",
            "Train the model again.",
        )
    return model.to(device_of()[0]).eval(), AutoTokenizer.from_pretrained(folder, local_files_only=True)


def save_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: Path, max_length: int) -> None:
    """Write the tokenizer with the sides on which it cuts and pads, and what it pads with, for all who read the file.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer of a training.
    folder : Path
        Folder of the model.
    max_length : int
        Maximum number of tokens of a text.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        backend.enable_truncation(max_length, direction=tokenizer.truncation_side)
        backend.enable_padding(
            direction=tokenizer.padding_side,
            pad_id=tokenizer.pad_token_id,
            pad_type_id=tokenizer.pad_token_type_id,
            pad_token=tokenizer.pad_token,
        )
    tokenizer.save_pretrained(folder)
