"""Counts of a model's words in texts, the input of its graph."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["count_words"]

_WORD = re.compile(r"\w+")


def count_words(texts: Sequence[str], vocabulary: Sequence[str]) -> NDArray[np.int32]:
    """Return how often each word occurs in each text, in upper or lower case: int32, shape (n, words).

    Examples
    --------
    >>> count_words(["Good, GOOD value!", ""], ["good", "price", "value"]).tolist()
    [[2, 0, 1], [0, 0, 0]]
    """
    codes = {word: code for code, word in enumerate(vocabulary)}
    counts = np.zeros((len(texts), len(codes)), dtype=np.int32)
    for row, text in enumerate(texts):
        matches = [codes[word] for word in _WORD.findall(text.lower()) if word in codes]
        if matches:
            counts[row] = np.bincount(matches, minlength=len(codes))
    return counts
