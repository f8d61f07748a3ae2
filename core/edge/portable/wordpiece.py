"""BERT's WordPiece tokenizer in plain Python, from a ``tokenizer.json``.

It returns the same ids as the package ``tokenizers``, in every version of Python: `characters` holds what that package
knows of Unicode, since Python's own tables change from version to version. Decompositions are Python's own, which
Unicode never changes once they are there, and only of characters that the package decomposes or reorders, too.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from .characters import CHINESE, DECOMPOSED, LOWERCASE, MARKS, PUNCTUATION, REMOVED, SPACES

__all__ = ["WordPiece", "character_ranges", "lowercase_pairs"]


def character_ranges(text: str) -> list[tuple[int, int]]:
    """Return the first and last code points of ranges of characters, as `characters` has them.

    Examples
    --------
    >>> character_ranges("9-d 20")
    [(9, 13), (32, 32)]
    """
    pairs = [part.partition("-") for part in text.split()]
    return [(int(first, 16), int(last or first, 16)) for first, _, last in pairs]


def lowercase_pairs(text: str) -> dict[int, str]:
    """Return the lower case of characters, by their code points, as `characters` has it.

    Examples
    --------
    >>> lowercase_pairs("41-42:61 100-102/2:101 130:69.307")
    {65: 'a', 66: 'b', 256: 'ā', 258: 'ă', 304: 'i̇'}
    """
    pairs = {}
    for part in text.split():
        codes, _, target = part.partition(":")
        codes, _, step = codes.partition("/")
        ((first, last),) = character_ranges(codes)
        start, *others = (int(code, 16) for code in target.split("."))
        for code in range(first, last + 1, int(step or "1", 16)):
            pairs[code] = "".join(map(chr, (start + code - first, *others)))
    return pairs


class _Characters:
    """A set of characters, by their code points."""

    def __init__(self, text: str) -> None:
        ranges = character_ranges(text)
        self._first = [first for first, _ in ranges]
        self._last = [last for _, last in ranges]

    def __contains__(self, code: int) -> bool:
        index = bisect_right(self._first, code) - 1
        return index >= 0 and code <= self._last[index]


class _Translation(dict[int, str]):
    """Texts that characters become, each worked out once, for `str.translate`."""

    def __init__(self, of_character: Callable[[int], str]) -> None:
        self._of_character = of_character

    def __missing__(self, code: int) -> str:
        self[code] = text = self._of_character(code)
        return text


_SPACES, _REMOVED, _PUNCTUATION = _Characters(SPACES), _Characters(REMOVED), _Characters(PUNCTUATION)
_MARKS, _CHINESE = _Characters(MARKS), _Characters(CHINESE)
_LOWERCASE = lowercase_pairs(LOWERCASE)
_DECOMPOSED = re.compile(
    "[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in character_ranges(DECOMPOSED)) + "]+"
)


def _word_part(code: int) -> str:
    if code in _SPACES:
        return " "
    return f" {chr(code)} " if code in _PUNCTUATION else chr(code)


_WORDS = _Translation(_word_part)


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
        self._cleaned, self._plain = _Translation(self._cleaned_text), _Translation(self._plain_text)

    @staticmethod
    def supports(config: dict[str, Any]) -> bool:
        """Return whether a ``tokenizer.json`` is of BERT's type."""
        types = [(config.get(part) or {}).get("type") for part in ("normalizer", "pre_tokenizer", "model")]
        plain = all(
            not token[key]
            for token in config.get("added_tokens", [])
            for key in ("single_word", "lstrip", "rstrip", "normalized")
        )
        processor = config.get("post_processor") or {}
        return (
            types == ["BertNormalizer", "BertPreTokenizer", "WordPiece"]
            and plain
            and _around(processor) != ([], [])
            and not any(part["type_id"] for item in processor.get("single", []) for part in item.values())
        )

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text, cut to the longest that the model reads."""
        ids = []
        for part in self._split.split(text) if self._split else [text]:
            if part in self._added:
                ids.append(self._added[part])
            else:
                for word in self.words(part):
                    ids += self._pieces(word)
        if self._max_ids is not None and len(ids) > self._max_ids:
            ids = ids[len(ids) - self._max_ids :] if self._from_end else ids[: self._max_ids]
        return [*self._before, *ids, *self._after]

    def words(self, text: str) -> list[str]:
        """Return the words of a text without special tokens, in the spelling that pieces are looked up in."""
        text = text.translate(self._cleaned)
        if self._strip and not text.isascii():
            text = _DECOMPOSED.sub(lambda match: unicodedata.normalize("NFD", match[0]), text)
        return [word for word in text.translate(self._plain).translate(_WORDS).split(" ") if word]

    def _cleaned_text(self, code: int) -> str:
        """Return what a character becomes before it is decomposed: nothing, a blank, or itself."""
        if self._clean and code in _REMOVED:
            return ""
        if self._clean and code in _SPACES:
            return " "
        return f" {chr(code)} " if self._chinese and code in _CHINESE else chr(code)

    def _plain_text(self, code: int) -> str:
        """Return what a decomposed character becomes: nothing where it is an accent, or its lower case.

        Character by character: Python writes a sigma at the end of a word differently, the package does not.
        """
        if self._strip and code in _MARKS:
            return ""
        return _LOWERCASE.get(code, chr(code)) if self._lowercase else chr(code)

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
