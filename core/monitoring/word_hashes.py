"""Texts as hashed words: a vocabulary, a sample of rows, and their random projections."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from core.monitoring.cell_values import words_of

__all__ = ["DIMENSIONS", "MAX_TEXTS", "MAX_VOCABULARY", "MAX_WORDS", "embed", "hash_words", "vocabulary_of"]

MAX_TEXTS = 1_000
"""Rows of a batch whose words are kept at most."""

MAX_WORDS = 64
"""Words of a row that are kept at most: the first ones."""

MAX_VOCABULARY = 20_000
"""Words of a vocabulary at most: those that most rows have."""

DIMENSIONS = 64
"""Length of a row's projection."""


def hash_words(text: str) -> list[int]:
    """Return a hash of 32 bits per word of a text.

    Examples
    --------
    >>> hash_words("good value") == hash_words("Good, value!"), len(hash_words(""))
    (True, 0)
    """
    return [zlib.crc32(word.encode("utf-8", "surrogatepass")) for word in words_of(text)]


def vocabulary_of(rows: Iterable[list[int]]) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
    """Return the words that most rows have in ascending order, and whether more than one row has each.

    Parameters
    ----------
    rows : iterable of list of int
        Hashed words of each row.
    """
    counts: Counter[int] = Counter()
    for row in rows:
        counts.update(set(row))
    # Equal counts by hash, so that the order of the rows does not matter.
    kept = sorted(counts, key=lambda word: (-counts[word], word))[:MAX_VOCABULARY]
    words = np.array(sorted(kept), dtype=np.uint32)
    return words, np.array([counts[int(word)] > 1 for word in words], dtype=bool)


def embed(words: NDArray[np.uint32], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each row's bag of words as a random projection of length 1 (Achlioptas 2003, with signs).

    The signs of a word are bits of its hash, so that projections of two batches can be compared.

    Parameters
    ----------
    words : array of uint32 of shape (w,)
        Hashed words, one row after the other.
    starts : array of int of shape (r + 1,)
        Positions where each row begins, and the end of the last.

    Returns
    -------
    array of shape (r, 64)
    """
    distinct, index = np.unique(words, return_inverse=True)
    bits = _mixed(distinct.astype(np.uint64))
    signs = ((bits[:, None] >> np.arange(DIMENSIONS, dtype=np.uint64)) & np.uint64(1)).astype(np.float64) * 2 - 1
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    sums = np.zeros((len(starts) - 1, DIMENSIONS))
    np.add.at(sums, rows, signs[index])
    lengths = np.sqrt((sums**2).sum(axis=1, keepdims=True))
    return np.asarray(np.divide(sums, lengths, out=np.zeros_like(sums), where=lengths > 0))


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return 64 bits that look random for each value (SplitMix64; Steele, Lea, Flood 2014)."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
