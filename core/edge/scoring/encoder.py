"""Texts to tensors with the `tokenizers` library alone: neither torch nor transformers is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.edge.portable.tokenizer import HALF
from core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Encoding

    from core.finetune import Text

__all__ = ["Encoder"]

_PARTS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}


class Encoder:
    """Tokenizes texts into the inputs of a graph.

    Parameters
    ----------
    tokenizer : path
        Path of a ``tokenizer.json``.
    names : sequence of str
        Names of the inputs that the graph takes.
    max_length : int or None
        Tokens per text that the model reads; None reads all of it.
    length : int, optional
        Number of tokens that every text is padded to; None pads to the longest text of a batch.

    Raises
    ------
    InputError
        When the graph takes an input that no tokenizer makes, or the file is not a tokenizer.
    """

    def __init__(
        self, tokenizer: str | Path, names: Sequence[str], max_length: int | None, length: int | None = None
    ) -> None:
        from tokenizers import Tokenizer

        foreign = sorted(set(names) - set(_PARTS))
        if foreign:
            raise InputError(
                f"The model's input '{foreign[0]}' is not one that a tokenizer makes.",
                "Give feeds, or rows of a table, instead of texts.",
            )
        try:
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
        except Exception as error:  # the library raises nothing narrower
            raise InputError(f"The tokenizer cannot be read: {error}.", "Give the model's tokenizer.json.") from error
        if max_length is None and length is None:
            self._tokenizer.no_truncation()
        else:
            side = (self._tokenizer.truncation or {}).get("direction", "right")
            limit = min(limit for limit in (max_length, length) if limit is not None)
            self._tokenizer.enable_truncation(limit, direction=side)
        padding = self._tokenizer.padding or {}
        self._tokenizer.enable_padding(
            direction=padding.get("direction", "right"),
            pad_id=padding.get("pad_id", 0),
            pad_type_id=padding.get("pad_type_id", 0),
            pad_token=padding.get("pad_token", "[PAD]"),
            length=length,
        )
        self._names = list(names)

    def __call__(self, texts: Sequence[Text]) -> dict[str, NDArray[np.int64]]:
        """Return the inputs for a batch of texts, shape (n, tokens) each."""
        encoded = self._encodings(texts)
        return {
            name: np.array([getattr(encoding, _PARTS[name]) for encoding in encoded], dtype=np.int64)
            for name in self._names
        }

    def lengths(self, texts: Sequence[Text]) -> list[int]:
        """Return the number of tokens of each text that are read, without padding."""
        return [sum(encoding.attention_mask) for encoding in self._encodings(texts)]

    def _encodings(self, texts: Sequence[Text]) -> list[Encoding]:
        try:
            return list(self._tokenizer.encode_batch(list(texts)))
        except (TypeError, UnicodeEncodeError):  # of lone surrogates, which are halves of characters
            for index, text in enumerate(texts):
                half = HALF.search(text if isinstance(text, str) else "\n".join(text))
                if half:
                    raise InputError(
                        f"Text {index + 1:,} holds half of a character (U+{ord(half[0]):04X}, a lone surrogate).",
                        "Write the text anew in UTF-8.",
                    ) from None
            raise
