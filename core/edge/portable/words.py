"""How often the words of a model are in a text: what its graph weighs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["count_words"]

_WORD = re.compile(r"\w+")


def count_words(texts: Sequence[str], vocabulary: Sequence[str]) -> Any:
    """Return how often each word is in each text, in whatever case it is written: int32, shape (n, words).

    Examples
    --------
    >>> count_words(["Good, GOOD value!", ""], ["good", "price", "value"]).tolist()
    [[2, 0, 1], [0, 0, 0]]
    """
    places = {word: place for place, word in enumerate(vocabulary)}
    counts = np.zeros((len(texts), len(places)), dtype=np.int32)
    for row, text in enumerate(texts):
        known = [places[word] for word in _WORD.findall(text.lower()) if word in places]
        if known:
            counts[row] = np.bincount(known, minlength=len(places))
    return counts
