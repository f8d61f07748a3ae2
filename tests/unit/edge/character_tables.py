"""What the package ``tokenizers`` knows of all characters, asked one by one, as the code of a bundle keeps it.

    python -m tests.unit.edge.character_tables

writes ``core/edge/portable/characters.py`` anew, when another version of the package sees characters differently.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tokenizers import normalizers, pre_tokenizers

__all__ = ["CODES", "TARGET", "source"]

TARGET = Path(__file__).parents[3] / "core" / "edge" / "portable" / "characters.py"
CODES = [code for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
"""All code points of characters: surrogates are halves of some."""

_CHUNK = 10_000
_MARK = "|"
_FIRST_OVERLAY, _LAST_MARK = "\u0334", "\u0345"
"""Marks of the first and of the last combining class: next to them, every other mark is reordered."""
_HEADER = '''"""Characters as the package ``tokenizers`` sees them: what BERT's normalizer and pre-tokenizer do to each.

Written by ``python -m tests.unit.edge.character_tables``, which asks the package; do not edit. Code points are
hexadecimal, and ``41-5a`` are all from the first to the last.
"""
'''
_COMMENTS = {
    "SPACES": "Characters between words.",
    "REMOVED": "Characters that cleaning removes: control and format characters, private use, and U+FFFD.",
    "CHINESE": "Characters that are a word each.",
    "PUNCTUATION": "Characters that are a word each and end the one before.",
    "MARKS": "Accents that are removed after the decomposition of a text.",
    "DECOMPOSED": "Characters that are decomposed, or reordered beside others.",
    "LOWERCASE": "Characters with another lower case: ``41-5a:61`` is ``A`` to ``Z``, ``100-12e/2:101`` every second "
    "one,\n``130:69.307`` one that becomes two.",
}


def bert(**steps: bool) -> Callable[[str], str]:
    """Return what a BERT normalizer does that takes only some steps."""
    options = dict.fromkeys(("clean_text", "handle_chinese_chars", "strip_accents", "lowercase"), False)
    return normalizers.BertNormalizer(**options | steps).normalize_str


def results(
    change: Callable[[str], str], before: str = "", after: str = "", codes: Iterable[int] = CODES
) -> Iterator[tuple[int, str]]:
    """Yield what each character becomes between two texts."""
    wanted = list(codes)
    for begin in range(0, len(wanted), _CHUNK):
        chunk = [code for code in wanted[begin : begin + _CHUNK] if chr(code) != _MARK]
        parts = change(_MARK.join(before + chr(code) + after for code in chunk)).split(_MARK)
        yield from zip(chunk, parts, strict=True)
    yield ord(_MARK), change(before + _MARK + after)


def word_parts() -> Iterator[tuple[int, int]]:
    """Yield the number of words that each character makes of a letter on either side of it."""
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    for begin in range(0, len(CODES), _CHUNK):
        chunk = CODES[begin : begin + _CHUNK]
        counts = dict.fromkeys(range(len(chunk)), 0)
        for _, (start, _) in split(" ".join(f"a{chr(code)}b" for code in chunk)):
            counts[start // 4] += 1
        yield from zip(chunk, counts.values(), strict=True)


def tables() -> dict[str, str]:
    """Return the tables by name."""
    parts = dict(word_parts())
    cleaned = dict(results(bert(clean_text=True)))
    spaces = {code for code, count in parts.items() if count == 2}
    removed = {code for code, text in cleaned.items() if text == ""}
    assert {code for code, text in cleaned.items() if text == " "} == spaces - removed
    assert all(text in ("", " ", chr(code)) for code, text in cleaned.items())
    chinese = {code: text for code, text in results(bert(handle_chinese_chars=True)) if text != chr(code)}
    assert all(text == f" {chr(code)} " for code, text in chinese.items())
    decomposed = dict(decompositions())
    bare = bert(strip_accents=True)
    marks = {code for code, text in results(bare) if text == "" and code not in decomposed}
    marks |= {ord(char) for text in decomposed.values() for char in text if bare(char) == ""}
    return {
        "SPACES": written(spaces),
        "REMOVED": written(removed),
        "CHINESE": written(chinese),
        "PUNCTUATION": written(code for code, count in parts.items() if count == 3),
        "MARKS": written(marks),
        "DECOMPOSED": written(decomposed),
        "LOWERCASE": written_pairs({c: text for c, text in results(bert(lowercase=True)) if text != chr(c)}),
    }


def decompositions() -> Iterator[tuple[int, str]]:
    """Yield the decomposition of each character that has one or that is reordered beside others."""
    decompose = normalizers.NFD().normalize_str
    alone = dict(results(decompose))
    before = dict(results(decompose, before=_LAST_MARK))
    after = dict(results(decompose, after=_FIRST_OVERLAY))
    for code, text in alone.items():
        if text != chr(code) or before[code] != _LAST_MARK + text or after[code] != text + _FIRST_OVERLAY:
            # Python's own decomposition has to be the same, which Unicode then never changes.
            assert text == unicodedata.normalize("NFD", chr(code)), hex(code)
            yield code, text


def written(codes: Iterable[int]) -> str:
    """Return code points as ranges."""
    return " ".join(f"{first:x}" if first == last else f"{first:x}-{last:x}" for first, last, _ in runs(codes))


def runs(codes: Iterable[int], steps: tuple[int, ...] = (1,)) -> list[tuple[int, int, int]]:
    """Return the first and the last of code points that follow each other, and the step between them."""
    result: list[tuple[int, int, int]] = []
    for code in sorted(codes):
        first, last, step = result[-1] if result else (-9, -9, 1)
        if code - last in steps and (first == last or code - last == step):
            result[-1] = (first, code, code - last)
        else:
            result.append((code, code, 1))
    return result


def written_pairs(pairs: dict[int, str]) -> str:
    """Return lower cases as ranges of the same distance."""
    single = {code: ord(text) - code for code, text in pairs.items() if len(text) == 1}
    lines = [
        (code, f"{code:x}:{'.'.join(f'{ord(c):x}' for c in text)}") for code, text in pairs.items() if len(text) > 1
    ]
    for distance in set(single.values()):
        for first, last, step in runs((code for code, other in single.items() if other == distance), (1, 2)):
            codes = f"{first:x}" if first == last else f"{first:x}-{last:x}" + (f"/{step}" if step > 1 else "")
            lines.append((first, f"{codes}:{first + distance:x}"))
    return " ".join(line for _, line in sorted(lines))


def source() -> str:
    """Return the module."""
    parts = [_HEADER, "from __future__ import annotations\n"]
    result = tables()
    parts.append("__all__ = [" + ", ".join(f'"{name}"' for name in sorted(result)) + "]\n")
    for name, text in result.items():
        lines = textwrap.wrap(text, 112)
        if len(lines) == 1 and len(name) + len(lines[0]) < 113:
            value = f'"{lines[0]}"'
        else:
            spaced = [*(f'    "{line} "' for line in lines[:-1]), f'    "{lines[-1]}"']
            value = "(\n" + "\n".join(spaced) + "\n)"
        parts.append(f'{name} = {value}\n"""{_COMMENTS[name]}"""')
    return "\n".join(parts[:3]) + "\n" + "\n".join(parts[3:]) + "\n"


if __name__ == "__main__":
    TARGET.write_text(source(), encoding="utf-8")
