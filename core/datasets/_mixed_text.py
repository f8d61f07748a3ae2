"""Columns of text whose cells are numbers or dates written in several ways: the report says so."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.datasets._date_format import DATE_FORMATS, TIME_FORMATS, date_shape
from core.datasets._number_format import NUMBER_STYLES, typed
from core.datasets._plain_format import ISO_SHAPE

__all__ = ["describe_mixture"]

_MIN_SHARE = 0.9
_MAX_CHARACTERS = 64
_TIMES = "|".join(date_shape(time) for time in TIME_FORMATS)
_DATES = "|".join(map(date_shape, DATE_FORMATS))
_DATE = re.compile("|".join([*ISO_SHAPE.values(), rf"(?:{_DATES})(?: (?:{_TIMES}))?"]))
_NUMBER = re.compile("[-+]?(?:" + "|".join(f"(?:{style.pattern})" for style in NUMBER_STYLES.values()) + ")", re.ASCII)
_CODE = re.compile(r"[-+]?0\d|\+\d{6}|\d{16}")


def describe_mixture(cells: Sequence[str]) -> str:
    """Return a predicate about a column whose cells are dates or numbers in different ways, or an empty string.

    Examples
    --------
    >>> describe_mixture(["01/02/2024", "13/02/2024", "02/13/2024"])
    'holds dates written in several ways; it is kept as text'
    >>> describe_mixture(["1.5", "2,5"]), describe_mixture(["A1", "B2"]), describe_mixture(["00123", "99999"])
    ('holds numbers written in several ways; it is kept as text', '', '')
    """
    texts = [typed(cell) for cell in cells]
    if len(texts) < 2 or max(map(len, texts)) > _MAX_CHARACTERS:
        return ""
    if _fit(_DATE, texts):
        return "holds dates written in several ways; it is kept as text"
    if _fit(_NUMBER, texts) and not any(map(_CODE.match, texts)):
        return "holds numbers written in several ways; it is kept as text"
    return ""


def _fit(shape: re.Pattern[str], texts: Sequence[str]) -> bool:
    return sum(shape.fullmatch(text) is not None for text in texts) >= _MIN_SHARE * len(texts)
