"""Texts to tensors with the `tokenizers` library alone. Measuring process only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.edge.latency._requests import Feeds
from core.errors import InputError

__all__ = ["Encoder"]


class Encoder:
    """Tokenises texts into the inputs of a session.

    Parameters
    ----------
    path : str
        A ``tokenizer.json``.
    names : sequence of str
        The inputs that the session takes.
    max_length : int
        Tokens that are read of a text.
    length : int or None
        Pad every text to so many; None: to the longest of its batch.

    Raises
    ------
    InputError
        When the session takes an input that no tokenizer makes, or the file is no tokenizer.
    """

    def __init__(self, path: str, names: Sequence[str], max_length: int, length: int | None) -> None:
        from tokenizers import Tokenizer

        foreign = set(names) - {"input_ids", "attention_mask", "token_type_ids"}
        if foreign:
            raise InputError(
                f"The model's input '{sorted(foreign)[0]}' is none that a tokenizer makes.",
                "Give feeds, or rows of a table, instead of texts.",
            )
        try:
            self._tokenizer = Tokenizer.from_file(path)
        except Exception as error:  # the library raises nothing narrower
            raise InputError(f"The tokenizer cannot be read: {error}.", "Give the model's tokenizer.json.") from error
        padding = self._tokenizer.padding or {}
        self._tokenizer.enable_truncation(min(max_length, length or max_length))
        self._tokenizer.enable_padding(
            pad_id=padding.get("pad_id", 0), pad_token=padding.get("pad_token", "[PAD]"), length=length
        )
        self._names = list(names)

    def __call__(self, texts: list[str]) -> Feeds:
        """Return the inputs for a batch of texts."""
        encoded = self._tokenizer.encode_batch(texts)
        made: dict[str, Any] = {}
        for name in self._names:
            part = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}[name]
            made[name] = np.array([getattr(each, part) for each in encoded], dtype=np.int64)
        return made

    def lengths(self, texts: list[str]) -> list[int]:
        """Return how many tokens of each text are read, without padding."""
        return [sum(each.attention_mask) for each in self._tokenizer.encode_batch(texts)]
