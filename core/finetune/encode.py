"""Tokens of texts, and a model's outputs for them in the order of the texts."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from core.datasets import Finding
from core.finetune.architecture import max_tokens
from core.finetune.targets import kind_of_config

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase

Encoded: TypeAlias = dict[str, list[int]]
Text: TypeAlias = str | tuple[str, str]  # what a model reads: a text, or a pair of them

__all__ = [
    "Encoded",
    "Text",
    "encode_for_training",
    "encode_texts",
    "logits",
    "quiet_transformers",
    "text_length",
    "text_model_outputs",
    "tokenize",
    "truncation",
]


@contextlib.contextmanager
def quiet_transformers(threads: int | None = None) -> Iterator[None]:
    """Silence the advice and progress bars of transformers, and limit the threads of torch.

    Parameters
    ----------
    threads : int, optional
        Number of threads; by default it is not changed.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch
    from transformers.utils import logging

    level, threads_before = logging.get_verbosity(), torch.get_num_threads()
    bars = logging.is_progress_bar_enabled()
    # A classifier with new weights is what fine-tuning starts from, not an error.
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads_before)
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def tokenize(tokenizer: PreTrainedTokenizerBase, texts: Sequence[Text], **options: Any) -> BatchEncoding:
    """Return what a tokenizer makes of texts, or of pairs of them.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer.
    texts : sequence of str or of (str, str)
        The texts; at least one.
    **options
        Passed to the tokenizer.
    """
    pairs = [text for text in texts if not isinstance(text, str)]
    if not pairs:
        return tokenizer([str(text) for text in texts], **options)
    return tokenizer([first for first, _ in pairs], [second for _, second in pairs], **options)


def text_length(text: Text) -> int:
    """Return the number of characters of a text, or of both of a pair."""
    return len(text) if isinstance(text, str) else sum(map(len, text))


def encode_texts(tokenizer: PreTrainedTokenizerBase, texts: Sequence[Text], max_length: int) -> list[Encoded]:
    """Return the tokens of each text.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer of the model.
    texts : sequence of str or of (str, str)
        The texts, or pairs of them.
    max_length : int
        Maximum number of tokens of a text, or of both of a pair; the rest is cut off, of the longer one first.
    """
    if not texts:
        return []
    return _rows(tokenize(tokenizer, texts, truncation=True, max_length=max_length, padding=False))


def _rows(encoded: BatchEncoding) -> list[Encoded]:
    return [dict(zip(encoded.keys(), values, strict=True)) for values in zip(*encoded.values(), strict=True)]


def encode_for_training(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[Text], max_length: int
) -> list[Encoded]:
    """Return the tokens of each text as a batch of a training may hold them.

    A model with a decoder answers from the token that ends a text, and takes batches only whose texts have equally many
    of them: where a text itself holds that token ("</s>"), it is left out.

    Parameters
    ----------
    model : PreTrainedModel
        The model.
    tokenizer : PreTrainedTokenizerBase
        Its tokenizer.
    texts : sequence of str or of (str, str)
        The texts, or pairs of them.
    max_length : int
        Maximum number of tokens of a text; the rest is cut off.
    """
    if not model.config.is_encoder_decoder or not texts:
        return encode_texts(tokenizer, texts, max_length)
    options = {"truncation": True, "max_length": max_length, "padding": False, "return_special_tokens_mask": True}
    return [_own_ends(item, model.config.eos_token_id) for item in _rows(tokenize(tokenizer, texts, **options))]


def _own_ends(encoded: Encoded, end: int) -> Encoded:
    """Return tokens with those ends only that the tokenizer has added."""
    ids, added = encoded["input_ids"], encoded.pop("special_tokens_mask")
    kept = [index for index, token in enumerate(ids) if token != end or added[index]]
    return {name: [values[index] for index in kept] for name, values in encoded.items()}


def truncation(
    tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, texts: Sequence[Text], max_length: int, column: str
) -> list[Finding]:
    """Return a finding about texts that are cut off, if there are any."""
    lengths = [len(ids) for ids in tokenize(tokenizer, texts, truncation=False, padding=False)["input_ids"]]
    cut = sum(length > max_length for length in lengths)
    if not cut:
        return []
    share = cut / len(texts)
    return [
        Finding(
            "truncated_text",
            "alert" if share > 0.2 else "notice",
            column,
            f"{cut:,} of {len(texts):,} texts ({share:.1%}) are longer than {max_length} tokens; the model does "
            f"not read their rest. The longest has {max(lengths):,}.",
            f"Increase the maximum length (this model reads at most {max_tokens(tokenizer, model):,} tokens); training "
            "takes longer.",
            {"rows": cut, "share": share, "longest": max(lengths)},
        )
    ]


def logits(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, encoded: Sequence[Encoded], batch_size: int
) -> NDArray[np.float64]:
    """Return the outputs of the model's last layer, shape (n, k); texts of similar length share a batch."""
    import numpy as np
    import torch

    outputs = np.zeros((len(encoded), model.config.num_labels))
    model.eval()
    with torch.inference_mode():
        for rows in _batches(model, encoded, batch_size):
            inputs = [{key: value for key, value in encoded[row].items() if key != "labels"} for row in rows]
            batch = tokenizer.pad(inputs, return_tensors="pt").to(model.device)
            outputs[rows] = model(**batch).logits.float().cpu().numpy()
    return outputs


def _batches(model: PreTrainedModel, encoded: Sequence[Encoded], batch_size: int) -> Iterator[NDArray[np.intp]]:
    """Yield the texts of each batch: of similar length, and for a model with a decoder with equally many ends."""
    import numpy as np

    end = model.config.eos_token_id if model.config.is_encoder_decoder else None
    ends = np.array([item["input_ids"].count(end) if end is not None else 0 for item in encoded], dtype=np.intp)
    lengths = np.array([len(item["input_ids"]) for item in encoded])
    for count in np.unique(ends):
        rows = np.flatnonzero(ends == count)
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        for start in range(0, len(rows), batch_size):
            yield rows[start : start + batch_size]


def text_model_outputs(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    encoded: Sequence[Encoded],
    batch_size: int,
) -> NDArray[np.float64]:
    """Return the predictions of encoded texts.

    Parameters
    ----------
    model : PreTrainedModel
        A fine-tuned model.
    tokenizer : PreTrainedTokenizerBase
        Its tokenizer.
    encoded : sequence of dict
        Tokens, as `encode_texts` returns them.
    batch_size : int
        Number of texts that are predicted at once.

    Returns
    -------
    array of shape (n, classes) or (n,)
        Probabilities, or numbers, in the order of the texts.
    """
    return kind_of_config(model.config).outputs(logits(model, tokenizer, encoded, batch_size))
