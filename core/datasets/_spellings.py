"""Values of a column that are the same words written differently."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MAX_VALUES", "SpellingCluster", "clean_spelling", "spelling_clusters", "spelling_key"]

MAX_VALUES = 50_000
"""Number of distinct values, the most frequent ones, that are compared."""

_LETTER = r"[^\W\d_]"
_BLANKS = re.compile(r"\s+")
_SEPARATORS = re.compile(rf"(?<={_LETTER})[\s_\-\u2010-\u2015]+(?={_LETTER})")
_APOSTROPHES = re.compile(rf"(?<={_LETTER})[\u2019\u02bc](?={_LETTER})")
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u2060\ufeff"))
_PLAIN_FORMS = ("<noBreak>", "<wide>", "<narrow>")
_LETTER_FORMS = ("<compat>", "<font>", "<initial>", "<medial>", "<final>", "<isolated>")


@dataclass(frozen=True)
class SpellingCluster:
    """Spellings of one value.

    Parameters
    ----------
    values : mapping of str to int
        Number of cells with each spelling, the most frequent first.
    suggestion : str
        Spelling to keep: the most frequent one, without surrounding and repeated blanks.
    """

    values: Mapping[str, int]
    suggestion: str

    @property
    def merge(self) -> dict[str, str]:
        """The suggestion by spelling, for the spellings that differ from it."""
        return {value: self.suggestion for value in self.values if value != self.suggestion}


def spelling_clusters(values: pd.Series | Mapping[str, int] | Iterable[str | None]) -> list[SpellingCluster]:
    """Find values that are the same words written differently.

    Two values are the same when they differ only in upper and lower case, in blanks around or repeated blanks within
    them, in the kind of blank, in the form of a Unicode character, or in whether a hyphen, an underscore or a blank
    stands between two letters. Digits, signs and punctuation count, and so does every letter: similar words are not the
    same.

    Parameters
    ----------
    values : pandas.Series, mapping of str to int, or iterable of str
        Cells of the column, or the number of cells by value. Missing cells and values other than text do not count.
        Of more than `MAX_VALUES` distinct values, the most frequent ones are compared.

    Returns
    -------
    list of SpellingCluster
        Clusters of two and more spellings, the one with the most cells first.

    See Also
    --------
    check : Check a table; the check "spellings" names these clusters.

    Examples
    --------
    >>> clusters = spelling_clusters(["DSL", "DSL", "dsl", "Fiber optic", "fiber optic ", "Iran", "Iraq", "A1", "A2"])
    >>> [(dict(cluster.values), cluster.suggestion) for cluster in clusters]
    [({'DSL': 2, 'dsl': 1}, 'DSL'), ({'Fiber optic': 1, 'fiber optic ': 1}, 'Fiber optic')]
    """
    counts = sorted(_counts(values).items(), key=lambda item: (-item[1], clean_spelling(item[0]) != item[0], item[0]))
    groups: dict[str, dict[str, int]] = defaultdict(dict)
    for value, count in counts[:MAX_VALUES]:
        if key := spelling_key(value):
            groups[key][value] = count
    clusters = [SpellingCluster(group, _suggestion(group)) for group in groups.values() if len(group) > 1]
    return sorted(clusters, key=lambda cluster: (-sum(cluster.values.values()), cluster.suggestion))


def spelling_key(value: str) -> str:
    """Return what all spellings of a value have in common.

    Examples
    --------
    >>> spelling_key(" Fiber\\u00a0-  OPTIC"), spelling_key("fiber_optic"), spelling_key("fiberoptic")
    ('fiber optic', 'fiber optic', 'fiberoptic')
    >>> spelling_key("C++"), spelling_key("-1"), spelling_key("1.5"), spelling_key("T-2"), spelling_key("2\\u2075")
    ('c++', '-1', '1.5', 't-2', '2⁵')
    """
    if not value.isascii():
        value = "".join(map(_plain_form, value.translate(_INVISIBLE)))
        value = _APOSTROPHES.sub("'", unicodedata.normalize("NFC", value))
    value = _SEPARATORS.sub(" ", _BLANKS.sub(" ", value).strip()).lower()
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def _plain_form(character: str) -> str:
    """Return the compatibility form of a letter, a blank or a wide character, and other characters as they are.

    Raised, lowered and enclosed digits stay: 2⁵ is not 25.
    """
    form, _, _ = unicodedata.decomposition(character).partition(" ")
    if form in _PLAIN_FORMS or (form in _LETTER_FORMS and unicodedata.category(character)[0] in "LZ"):
        return unicodedata.normalize("NFKC", character)
    return character


def clean_spelling(value: str) -> str:
    """Return a value without what nobody sees: surrounding, repeated and unusual blanks, and invisible characters.

    Examples
    --------
    >>> clean_spelling(" Fiber\\u00a0 optic"), clean_spelling("e\\u0301") == "\\u00e9", clean_spelling("mg") == "Mg"
    ('Fiber optic', True, False)
    """
    value = _BLANKS.sub(" ", value.translate(_INVISIBLE)).strip()
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def _suggestion(group: Mapping[str, int]) -> str:
    counts: dict[str, int] = defaultdict(int)
    for value, count in group.items():
        counts[clean_spelling(value)] += count
    return min(counts, key=lambda value: (-counts[value], value))


def _counts(values: pd.Series | Mapping[str, int] | Iterable[str | None]) -> dict[str, int]:
    if not isinstance(values, Mapping):
        import pandas as pd

        cells = values if isinstance(values, pd.Series) else pd.Series(list(values), dtype=object)
        values = cells.value_counts().to_dict()
    return {value: int(count) for value, count in values.items() if isinstance(value, str) and count > 0}
