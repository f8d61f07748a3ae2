"""The categories of New York City's Local Law 144, and which of them a value of the data suggests."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, TypeAlias

from core.fairness.metrics.arrays import Label
from core.fairness.metrics.groups import MISSING, label_text

__all__ = ["RACE_CATEGORIES", "SEX_CATEGORIES", "UNKNOWN_CATEGORY", "CategoryColumn", "suggest_categories"]

CategoryColumn: TypeAlias = Literal["sex", "race"]

SEX_CATEGORIES = ("Male", "Female")
"""Sex categories of the law, in the order of its tables."""

HISPANIC = "Hispanic or Latino"
WHITE = "White (Not Hispanic or Latino)"
BLACK = "Black or African American (Not Hispanic or Latino)"
PACIFIC = "Native Hawaiian or Pacific Islander (Not Hispanic or Latino)"
ASIAN = "Asian (Not Hispanic or Latino)"
NATIVE = "Native American or Alaska Native (Not Hispanic or Latino)"
SEVERAL = "Two or More Races (Not Hispanic or Latino)"
RACE_CATEGORIES = (HISPANIC, WHITE, BLACK, PACIFIC, ASIAN, NATIVE, SEVERAL)
"""Race and ethnicity categories of the law, in the order of its tables."""

UNKNOWN_CATEGORY = "Unknown"
"""The category of people who are counted, and not in the calculations."""

_UNKNOWN_WORDS = """
unknown, na, n a, none, null, missing, not known, not stated, not specified, not provided, not disclosed, undisclosed,
no answer, no response, declined, decline to answer, declined to answer, decline to state, declined to state,
prefer not to say, prefer not to answer, rather not say, i do not wish to answer, not available
"""
_SEX_WORDS = {"Male": "male, males, m, man, men, boy", "Female": "female, females, f, woman, women, girl"}
_RACE_WORDS = {
    HISPANIC: """
hispanic, latino, latina, latinx, hispanic or latino, hispanic or latina, hispanic or latinx, hispanic or spanish,
hispanic latino, hispanic latina, latino hispanic, latino or hispanic, hispanic or latino of any race
""",
    WHITE: "white, whites, caucasian, white or caucasian, white caucasian, caucasian white",
    BLACK: """
black, blacks, african american, black or african american, black african american, african american black,
african american or black
""",
    PACIFIC: """
pacific islander, native hawaiian, native hawaiian or pacific islander, native hawaiian or other pacific islander,
native hawaiian and other pacific islander, native hawaiian and pacific islander, native hawaiian pacific islander,
hawaiian or pacific islander, nhpi, nhopi
""",
    ASIAN: "asian, asians, asian american",
    NATIVE: """
native american or alaska native, american indian or alaska native, american indian and alaska native,
american indian alaska native, native american alaska native, american indian, native american, alaska native, aian,
ai an, amer indian eskimo
""",
    SEVERAL: """
two or more races, two or more, 2 or more races, 2 or more, multiracial, multi racial, biracial, mixed, mixed race,
more than one race, multiple races
""",
}
_NOT_HISPANIC = re.compile(r"\b(?:not|non)[\s-]+(?:hispanic|latino)(?: or latin[oax]| latin[oax])?\b")


def suggest_categories(values: Iterable[Label], column: CategoryColumn) -> dict[str, str | None]:
    """Suggest the law's category of each value of a column by well-known words.

    Parameters
    ----------
    values : iterable of labels
        Values of the column.
    column : {"sex", "race"}
        Column that they are from.

    Returns
    -------
    dict of str to str or None
        By the value's text: one of the law's categories, `UNKNOWN_CATEGORY`, or None where no word says which.

    See Also
    --------
    bias_audit : Takes the mapping once a person has checked it.

    Examples
    --------
    >>> suggest_categories(["M", "female", "x", None], "sex")
    {'M': 'Male', 'female': 'Female', 'x': None, '(missing)': 'Unknown'}
    >>> suggest_categories(["White, non-Hispanic", "Other"], "race")
    {'White, non-Hispanic': 'White (Not Hispanic or Latino)', 'Other': None}
    """
    texts = dict.fromkeys(label_text(value) for value in values)
    return {text: _suggestion(text, column) for text in texts}


def _words(text: str) -> str:
    """Return the words of a text in lower case, one blank between two."""
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text.lower()).split())


def _suggestion(text: str, column: CategoryColumn) -> str | None:
    words = _words(text)
    if text == MISSING or words in _listed(_UNKNOWN_WORDS) or not re.search(r"\w", text):
        return UNKNOWN_CATEGORY
    if column == "race":
        words = _words(_NOT_HISPANIC.sub(" ", text.lower()))
    known = _SEX_WORDS if column == "sex" else _RACE_WORDS
    return next((category for category, texts in known.items() if words in _listed(texts)), None)


def _listed(texts: str) -> list[str]:
    return [" ".join(text.split()) for text in texts.split(",")]
