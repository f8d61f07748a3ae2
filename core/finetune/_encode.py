"""Tokens of texts, and a model's outputs for them in the order they were given."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from core.datasets import Finding
from core.errors import SettingsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "check_length",
    "encode_texts",
    "logits",
    "longest",
    "quiet_transformers",
    "text_model_outputs",
    "truncation",
]


@contextlib.contextmanager
def quiet_transformers(threads: int | None = None) -> Iterator[None]:
    """Keep transformers' advice and bars off the log, and torch to so many threads."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch
    from transformers.utils import logging

    level, used = logging.get_verbosity(), torch.get_num_threads()
    bars = logging.is_progress_bar_enabled()
    # That a classifier's weights are new is what fine-tuning is about, no error.
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(used)
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def longest(tokenizer: Any, config: Any) -> int:
    """Return the most tokens that a model reads."""
    limit = int(min(tokenizer.model_max_length, 1_000_000))
    positions = getattr(config, "max_position_embeddings", None)
    if positions and getattr(config, "position_biased_input", True):
        # RoBERTa and its kin begin to count behind the padding token.
        offset = config.pad_token_id + 1 if config.model_type in ("roberta", "xlm-roberta", "camembert") else 0
        limit = min(limit, positions - offset)
    return limit


def encode_texts(tokenizer: Any, texts: Sequence[str], max_length: int) -> list[dict[str, list[int]]]:
    """Return the tokens of each text, cut to `max_length`."""
    if not texts:
        return []
    found = tokenizer(list(texts), truncation=True, max_length=max_length, padding=False)
    return [dict(zip(found.keys(), values, strict=True)) for values in zip(*found.values(), strict=True)]


def check_length(tokenizer: Any, config: Any, max_length: int) -> None:
    """Refuse to read more tokens than the model can.

    Raises
    ------
    SettingsError
        When `max_length` is more than that.
    """
    limit = longest(tokenizer, config)
    if max_length > limit:
        raise SettingsError(
            f"max_length is {max_length}; the base model reads {limit} tokens at most.", f"Set it to {limit} or less."
        )


def truncation(tokenizer: Any, config: Any, texts: Sequence[str], max_length: int, column: str) -> list[Finding]:
    """Tell how many texts are longer than what is read of them."""
    limit = longest(tokenizer, config)
    lengths = [len(ids) for ids in tokenizer(list(texts), truncation=False, padding=False)["input_ids"]]
    cut = sum(length > max_length for length in lengths)
    if not cut:
        return []
    share = cut / len(texts)
    return [
        Finding(
            "truncated_text",
            "alert" if share > 0.2 else "notice",
            column,
            f"{cut:,} of {len(texts):,} texts ({share:.1%}) are longer than {max_length} tokens; the rest of them is "
            f"not read. The longest has {max(lengths):,}.",
            f"Raise max_length (this model reads {limit} at most); training takes longer.",
            {"rows": cut, "share": share, "longest": max(lengths)},
        )
    ]


def logits(model: Any, tokenizer: Any, encoded: Sequence[dict[str, list[int]]], batch_size: int) -> NDArray[np.float64]:
    """Return the model's last layer (n, k), row by row as given; texts of like length share a batch."""
    import numpy as np
    import torch

    order = np.argsort([len(item["input_ids"]) for item in encoded], kind="stable")
    found = np.zeros((len(encoded), model.config.num_labels))
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            inputs = [{key: value for key, value in encoded[row].items() if key != "labels"} for row in rows]
            batch = tokenizer.pad(inputs, return_tensors="pt").to(model.device)
            found[rows] = model(**batch).logits.float().cpu().numpy()
    return found


def text_model_outputs(
    model: Any, tokenizer: Any, encoded: Sequence[dict[str, list[int]]], batch_size: int, classification: bool
) -> NDArray[np.float64]:
    """Return probabilities (n, k), or numbers (n,), in the order given."""
    import numpy as np

    found = logits(model, tokenizer, encoded, batch_size)
    if not classification:
        return found[:, 0]
    powers = np.exp(found - found.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
