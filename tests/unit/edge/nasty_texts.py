"""Texts that are hard on a tokenizer, made anew from a seed."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable

__all__ = ["nasty_texts"]

_SPECIAL = (
    *("[SEP]", "[CLS] [MASK]", "[PAD]", "[UNK]", "[sep]", "[MASK", "MASK]", "[CLS][CLS]", "[ SEP ]", "[\u0301SEP]"),
    *(
        "</s>",
        "<s>",
        "<pad>",
        "<unk>",
        "<mask>",
        "< s >",
        "<|endoftext|>",
        "<|endoftext",
        "<cls>",
        "<sep>",
        "\u2581",
        "##ing",
    ),
)
_WORDS = (
    *(
        "the",
        "Playing",
        "unaffable",
        "don't",
        "café",
        "Ångström",
        "STRASSE",
        "straße",
        "İstanbul",
        "ΣΊΣΥΦΟΣ",
        "ﬁn",
        "ǅ",
    ),
    *(
        "½",
        "㎡",
        "Ⅷ",
        "²",
        "x" * 101,
        "東京タワー",
        "中文",
        "한국어",
        "ภาษาไทย",
        "नमस्ते",
        "עברית",
        "مرحبا",
        "тест",
        "Ѐ",
        "ὈΔΥΣΣΕΎΣ",
    ),
    *("http://x.y/z?a=1&b=2", "$5.00", "50%", "#tag", "@you", "…", "—", "“q”", "a_b", "1,234.5", "C++", "'s", "ﷺ", "ﬃ"),
)
_COMMON = (
    *("the", "film", "was", "not", "good", "but", "a", "naïve", "café", "playing", "its", "own", "music", "about"),
    *("unaffable", "wizards", "1984", "2,500"),
)
_EMOJI = ("👍🏽", "👨‍👩‍👧‍👦", "🇩🇪", "☃️", "☃︎", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "❤️‍🔥", "🫠", "🫩")
_JOINERS = (
    "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufe0f\ufe0e"
)
_BLANKS = (
    " ",
    "  ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\v",
    "\f",
    "\x1c",
    "\x1f",
    "\x85",
    "\xa0",
    "\u1680",
    "\u2003",
    "\u2028",
    "\u2029",
)
_BLOCKS = (
    *((0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x52F), (0x590, 0x6FF), (0x900, 0x97F), (0xE00, 0xE7F)),
    *((0x1100, 0x11FF), (0x1AB0, 0x1AFF), (0x1C80, 0x1C8F), (0x1CD0, 0x1CFF), (0x1DC0, 0x1DFF), (0x1E00, 0x1FFF)),
    *((0x2000, 0x206F), (0x20D0, 0x20FF), (0x2C00, 0x2E7F), (0x3000, 0x30FF), (0x4E00, 0x4FFF), (0xA640, 0xA7FF)),
    *((0xA8E0, 0xABFF), (0xAC00, 0xAD00), (0xD7B0, 0xD7FF), (0xE000, 0xE0FF), (0xF900, 0xFAFF), (0xFB00, 0xFFFF)),
    *((0x10400, 0x104FF), (0x10D00, 0x10FFF), (0x11000, 0x11FFF), (0x16E00, 0x16FFF), (0x1BC90, 0x1BCAF)),
    *((0x1D100, 0x1D7FF), (0x1E000, 0x1E9FF), (0x1F300, 0x1FAFF), (0x20000, 0x20100), (0x2B700, 0x2F8FF)),
    *((0x30000, 0x3347F), (0xE0000, 0xE01EF), (0xF0000, 0xF0100), (0x10FF00, 0x10FFFF)),
)


def nasty_texts(count: int, seed: int = 0) -> list[str]:
    """Return texts, the same for each seed; a few are empty or blank."""
    picker = random.Random(seed)
    fixed = [
        "",
        " ",
        "\n\t\r",
        "\0",
        "a\0b",
        "\u0301",
        "a" * 10_000,
        "e\u0301" * 500,
        *_SPECIAL,
        *_WORDS,
        *_EMOJI,
        *_BLANKS,
    ]
    return [*fixed, *(_text(picker) for _ in range(count - len(fixed)))][:count]


def _text(picker: random.Random) -> str:
    parts = []
    for _ in range(picker.randint(1, 10)):
        parts.append(picker.choice(_MAKERS)(picker))
        parts.append(picker.choice(("", " ", picker.choice(_BLANKS))))
    return "".join(parts)


def _any_character(picker: random.Random) -> str:
    """Return a character of any plane, assigned or not; surrogates are halves of some."""
    code = picker.randrange(0x10000) if picker.random() < 0.5 else picker.randrange(0x110000)
    return chr(code) if not 0xD800 <= code <= 0xDFFF else _any_character(picker)


def _of_block(picker: random.Random) -> str:
    first, last = picker.choice(_BLOCKS)
    return "".join(
        chr(code)
        for code in (picker.randint(first, last) for _ in range(picker.randint(1, 12)))
        if not 0xD800 <= code <= 0xDFFF
    )


def _sentence(picker: random.Random) -> str:
    """Return words that tokenizers know, some in capitals or with an accent that is a character of its own."""
    words = [picker.choice(_COMMON) for _ in range(picker.randint(3, 25))]
    words = [
        picker.choice((word, word, word.upper(), word + "\u0301", word + picker.choice(",.!?;:'"))) for word in words
    ]
    return picker.choice((" ", " ", "\u00a0", "\u200b ", "-")).join(words)


def _marked(picker: random.Random) -> str:
    """Return a letter under many marks, whose order is that of their classes in the end."""
    return picker.choice("aeo가क𝅗") + "".join(chr(picker.randint(0x300, 0x36F)) for _ in range(picker.randint(1, 30)))


def _joined(picker: random.Random) -> str:
    return "".join(picker.choice("ab" + _JOINERS) for _ in range(picker.randint(1, 8)))


def _long(picker: random.Random) -> str:
    return "".join(picker.choice("abcdeß가") for _ in range(picker.randint(90, 300)))


def _controls(picker: random.Random) -> str:
    return "".join(chr(picker.randrange(0xA0)) for _ in range(picker.randint(1, 6)))


def _jamo(picker: random.Random) -> str:
    """Return consonants and vowels that may be composed to syllables, or not."""
    return "".join(chr(picker.choice((0x1100, 0x1161, 0x11A7)) + picker.randrange(30)) for _ in range(6))


def _form(picker: random.Random) -> str:
    return unicodedata.normalize(picker.choice(("NFC", "NFD", "NFKC", "NFKD")), picker.choice(_WORDS))


_MAKERS: tuple[Callable[[random.Random], str], ...] = (
    *(
        _any_character,
        _any_character,
        _of_block,
        _of_block,
        _of_block,
        _marked,
        _joined,
        _long,
        _controls,
        _jamo,
        _form,
        _sentence,
        _sentence,
    ),
    lambda picker: picker.choice(_SPECIAL),
    lambda picker: picker.choice(_WORDS),
    lambda picker: picker.choice(_EMOJI),
)
