"""Fonts of files: they come with packages, so that every machine has the same, and say which characters they have."""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import JsonValue

from core.errors import ExportError

__all__ = ["FONT_FAMILIES", "FontCoverage", "font_folders"]

_FONTS: Mapping[str, tuple[str, str]] = {
    "Noto Sans": ("fontpkg_noto_sans", "files/NotoSans[wdth,wght].ttf"),
    "Noto Sans Arabic": ("justmytype_intl_rtl", "fonts/ofl/notosansarabic/NotoSansArabic[wdth,wght].ttf"),
    "Noto Sans Hebrew": ("justmytype_intl_rtl", "fonts/ofl/notosanshebrew/NotoSansHebrew[wdth,wght].ttf"),
    "Noto Sans SC": ("justmytype_intl_cjk", "fonts/ofl/notosanssc/NotoSansSC[wght].ttf"),
    "Noto Sans JP": ("justmytype_intl_cjk", "fonts/ofl/notosansjp/NotoSansJP[wght].ttf"),
    "Noto Sans KR": ("justmytype_intl_cjk", "fonts/ofl/notosanskr/NotoSansKR[wght].ttf"),
}
FONT_FAMILIES = tuple(_FONTS)
"""Families in the order in which a character is looked for."""

_SQUARE = "\u25a1"
_INK = "#101820"
_TEXT_NODE = re.compile(r"(<text\b[^>]*>)([^<]*)(</text>)")
_THIN = frozenset({"Noto Sans Hebrew", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR"})
"""Variable fonts that are drawn in their thinnest form within SVG."""


@cache
def font_folders() -> tuple[Path, ...]:
    """Return the folders with the fonts.

    Raises
    ------
    ExportError
        When a package with fonts is not installed.
    """
    return tuple(dict.fromkeys(_font_path(family).parent for family in FONT_FAMILIES))


def _font_path(family: str) -> Path:
    package, file = _FONTS[family]
    spec = importlib.util.find_spec(package)
    for folder in [] if spec is None else spec.submodule_search_locations or []:
        if (Path(folder) / file).is_file():
            return Path(folder) / file
    raise ExportError(
        f"The font '{family}' of the package '{package}' is not there.", "Install the requirements again."
    )


@dataclass(frozen=True)
class FontCoverage:
    """The characters that fonts can draw.

    Parameters
    ----------
    characters : mapping of str to frozenset of int
        Code points by family, in the order in which a character is looked for.

    Examples
    --------
    >>> coverage = FontCoverage({"Latin": frozenset(map(ord, "ab")), "Greek": frozenset(map(ord, "α"))})
    >>> missing = set()
    >>> coverage.replace_in({"name": ["aα", "a\u5b57"]}, missing), missing
    ({'name': ['aα', 'a□']}, {'字'})
    >>> coverage.family_of("α"), coverage.family_of("\u5b57")
    ('Greek', None)
    """

    characters: Mapping[str, frozenset[int]]

    @classmethod
    def of_fonts(cls) -> FontCoverage:
        """Return what the installed fonts have."""
        return _installed()

    def family_of(self, character: str) -> str | None:
        """Return the first family that has a character; None where none has it."""
        return next((family for family, known in self.characters.items() if ord(character) in known), None)

    def replace_in(self, value: JsonValue, missing: set[str]) -> JsonValue:
        """Return JSON values with a square for each character that cannot be drawn, which is added to `missing`."""
        if isinstance(value, str):
            return "".join(self._drawable(character, missing) for character in value)
        if isinstance(value, dict):
            return {key: self.replace_in(item, missing) for key, item in value.items()}
        if isinstance(value, list):
            return [self.replace_in(item, missing) for item in value]
        return value

    def _drawable(self, character: str, missing: set[str]) -> str:
        is_mark = unicodedata.category(character)[0] in "CZ"  # controls and spaces have no shape
        if character.isascii() or is_mark or self.family_of(character) is not None:
            return character
        missing.add(character)
        return _SQUARE

    def name_in_svg(self, svg: str) -> str:
        """Return a drawing that names the font of each part of its texts, for a renderer that looks in one font only.

        Examples
        --------
        >>> coverage = FontCoverage({"Latin": frozenset(map(ord, "ab ")), "Greek": frozenset(map(ord, "α"))})
        >>> coverage.name_in_svg("<text>ab α</text>")
        '<text>ab <tspan font-family="Greek">α</tspan></text>'
        """
        return _TEXT_NODE.sub(lambda match: match[1] + self._runs(match[2]) + match[3], svg)

    def _runs(self, text: str) -> str:
        first = next(iter(self.characters))
        runs: list[tuple[str, str]] = []
        for character in text:
            known = bool(runs) and ord(character) in self.characters[runs[-1][0]]
            family = runs[-1][0] if known else self.family_of(character) or first
            if runs and runs[-1][0] == family:
                runs[-1] = (family, runs[-1][1] + character)
            else:
                runs.append((family, character))
        return "".join(run if family == first else _span(family, run) for family, run in runs)


def _span(family: str, text: str) -> str:
    stroke = f' stroke="{_INK}" stroke-width="0.2"' if family in _THIN else ""
    return f'<tspan font-family="{family}"{stroke}>{text}</tspan>'


@cache
def _installed() -> FontCoverage:
    from fontTools.ttLib import TTFont

    characters = {}
    for family in FONT_FAMILIES:
        with TTFont(_font_path(family), lazy=True) as font:
            characters[family] = frozenset(font.getBestCmap() or {})
    return FontCoverage(characters)
