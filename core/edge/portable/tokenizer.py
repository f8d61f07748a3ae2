"""The tokenizer of a model of texts: our own for BERT's type, the package ``tokenizers`` for others and for pairs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from .read_file import CellError
from .wordpiece import WordPiece

__all__ = ["HALF", "Encode", "Text", "load_tokenizer", "require_text"]

Text: TypeAlias = "str | tuple[str, str]"
"""What a model reads: a text, or a pair of them."""

Encode: TypeAlias = Callable[[Text], tuple[list[int], list[int]]]
"""Function from a text, or a pair, to the ids and the types of its tokens."""

HALF = re.compile("[\ud800-\udfff]")
"""A lone surrogate, which no text in UTF-8 has."""


def load_tokenizer(path: str | Path, max_length: int | None, *, pairs: bool = False) -> Encode:
    """Return the function from a text to the ids and types of its tokens.

    Parameters
    ----------
    path : path
        The ``tokenizer.json``. It says on which side a text is cut.
    max_length : int or None
        Tokens per text that the model reads; None reads all of it.
    pairs : bool, default=False
        Whether the model reads pairs of texts.

    Raises
    ------
    CellError
        When it needs the package ``tokenizers``, which is not installed or does not know it.
    """
    config = json.loads(Path(path).read_text(encoding="utf-8"))
    if WordPiece.supports(config) and not pairs:
        own = WordPiece(config, max_length)

        def encode(text: Text) -> tuple[list[int], list[int]]:
            ids = own.encode(str(text))
            return ids, [0] * len(ids)

        return encode
    type_name = (config.get("model") or {}).get("type", "unknown")
    try:
        from tokenizers import Tokenizer
    except ModuleNotFoundError:
        raise CellError(
            f"This model's tokenizer ({type_name}) needs the package 'tokenizers', which is not installed: "
            "pip install -r requirements.txt"
        ) from None
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise CellError(
            f"The installed package 'tokenizers' cannot read this model's tokenizer.json ({error}): "
            "pip install -r requirements.txt"
        ) from error
    tokenizer.no_padding()
    side = (tokenizer.truncation or {}).get("direction", "right")
    if max_length is None:
        tokenizer.no_truncation()
    else:
        tokenizer.enable_truncation(max_length, direction=side)

    def encode_with_package(text: Text) -> tuple[list[int], list[int]]:
        encoding = tokenizer.encode(text) if isinstance(text, str) else tokenizer.encode(*text)
        return encoding.ids, encoding.type_ids

    return encode_with_package


def require_text(row: int, text: Text) -> Text:
    """Return a text, or a pair, that a tokenizer can read.

    Parameters
    ----------
    row : int
        Number of its row, from 1 on.
    text : str or (str, str)
        The text, or the pair.

    Raises
    ------
    CellError
        When it is blank, or holds half of a character.
    """
    for part in (text,) if isinstance(text, str) else text:
        if not part.strip():
            raise CellError(f"Row {row}: the text is empty. Leave it out.")
        half = HALF.search(part)
        if half:
            raise CellError(
                f"Row {row}: the text holds half of a character (U+{ord(half[0]):04X}, a lone surrogate) at position "
                f"{half.start() + 1:,}. Write the text anew in UTF-8."
            )
    return text
