"""BERT's WordPiece tokenizer in plain Python, from a ``tokenizer.json``.

It returns the same ids as the package ``tokenizers``, except for some 500 rare characters whose category Unicode has
set since 2015.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

__all__ = ["WordPiece"]

_CHINESE = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


class WordPiece:
    """Turns a text into ids.

    Parameters
    ----------
    config : dict
        Content of ``tokenizer.json``; `supports` says whether this class reads it.
    max_length : int, optional
        Largest number of ids of a text, including those of [CLS] and [SEP].

    Examples
    --------
    >>> vocab = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "play": 3, "##ing": 4, "!": 5}
    >>> tokenizer = WordPiece({
    ...     "normalizer": {"type": "BertNormalizer", "lowercase": True},
    ...     "model": {"type": "WordPiece", "vocab": vocab, "unk_token": "[UNK]"},
    ...     "post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 1], "sep": ["[SEP]", 2]},
    ... }, 8)
    >>> tokenizer.encode("Playing!")
    [1, 3, 4, 5, 2]
    """

    def __init__(self, config: dict[str, Any], max_length: int | None = None) -> None:
        model, normalizer = config["model"], config["normalizer"]
        self._vocab: dict[str, int] = model["vocab"]
        self._unknown = self._vocab[model["unk_token"]]
        self._prefix = model.get("continuing_subword_prefix", "##")
        self._longest = model.get("max_input_chars_per_word", 100)
        self._clean = normalizer.get("clean_text", True)
        self._chinese = normalizer.get("handle_chinese_chars", True)
        self._lowercase = normalizer.get("lowercase", True)
        accents = normalizer.get("strip_accents")
        self._strip = self._lowercase if accents is None else accents
        self._added = {token["content"]: token["id"] for token in config.get("added_tokens", [])}
        contents = sorted(self._added, key=len, reverse=True)
        self._split = re.compile(f"({'|'.join(map(re.escape, contents))})") if contents else None
        self._before, self._after = _around(config["post_processor"])
        self._max_ids = None if max_length is None else max(max_length - len(self._before) - len(self._after), 0)
        self._from_end = (config.get("truncation") or {}).get("direction", "Right") == "Left"

    @staticmethod
    def supports(config: dict[str, Any]) -> bool:
        """Return whether a ``tokenizer.json`` is of BERT's type."""
        types = [(config.get(part) or {}).get("type") for part in ("normalizer", "pre_tokenizer", "model")]
        plain = all(
            not token[key]
            for token in config.get("added_tokens", [])
            for key in ("single_word", "lstrip", "rstrip", "normalized")
        )
        return (
            types == ["BertNormalizer", "BertPreTokenizer", "WordPiece"]
            and plain
            and _around(config.get("post_processor") or {}) != ([], [])
        )

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text, cut to the longest that the model reads."""
        ids = []
        for part in self._split.split(text) if self._split else [text]:
            if part in self._added:
                ids.append(self._added[part])
            else:
                for word in self._words(self._normalized(part)):
                    ids += self._pieces(word)
        if self._max_ids is not None and len(ids) > self._max_ids:
            ids = ids[len(ids) - self._max_ids :] if self._from_end else ids[: self._max_ids]
        return [*self._before, *ids, *self._after]

    def _normalized(self, text: str) -> str:
        if self._clean:
            text = "".join(_cleaned(text))
        if self._chinese:
            text = "".join(f" {char} " if _is_chinese(char) else char for char in text)
        if self._strip:
            text = "".join(char for char in unicodedata.normalize("NFD", text) if unicodedata.category(char) != "Mn")
        # Letter by letter: Python writes a sigma at the end of a word differently, the tokenizer does not.
        return "".join(char.lower() for char in text) if self._lowercase else text

    @staticmethod
    def _words(text: str) -> Iterator[str]:
        word = ""
        for char in text:
            alone = char in _PUNCTUATION or unicodedata.category(char).startswith("P")
            if alone or char.isspace():
                if word:
                    yield word
                word = ""
                if alone:
                    yield char
            else:
                word += char
        if word:
            yield word

    def _pieces(self, word: str) -> list[int]:
        """Return the longest pieces from the left; a word with other pieces is unknown as a whole."""
        if len(word) > self._longest:
            return [self._unknown]
        ids: list[int] = []
        start = 0
        while start < len(word):
            prefix = self._prefix if start else ""
            for end in range(len(word), start, -1):
                piece = self._vocab.get(prefix + word[start:end])
                if piece is not None:
                    ids.append(piece)
                    start = end
                    break
            else:
                return [self._unknown]
        return ids


def _around(processor: dict[str, Any]) -> tuple[list[int], list[int]]:
    """Return the ids before and after a text."""
    if processor.get("type") == "BertProcessing":
        return [processor["cls"][1]], [processor["sep"][1]]
    sides: tuple[list[int], list[int]] = ([], [])
    side = 0
    for part in processor.get("single", []) if processor.get("type") == "TemplateProcessing" else []:
        if "Sequence" in part:
            side = 1
        else:
            sides[side].extend(processor["special_tokens"][part["SpecialToken"]["id"]]["ids"])
    return sides


def _cleaned(text: str) -> Iterator[str]:
    for char in text:
        if char in "\t\n\r":
            yield " "
        elif char not in "\0\ufffd" and unicodedata.category(char) not in ("Cc", "Cf", "Co"):
            yield " " if char.isspace() else char


def _is_chinese(char: str) -> bool:
    code = ord(char)
    return code >= _CHINESE[0][0] and any(first <= code <= last for first, last in _CHINESE)
