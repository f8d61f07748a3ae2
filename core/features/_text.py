"""Free text as features: the weight of each of the most frequent words of the training rows."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer

__all__ = ["TextFeatures", "as_words"]

_WORD = re.compile(r"\w+")
_CELLS = 20_000_000  # rows times words, at most


def as_words(column: pd.Series) -> pd.Series:
    """Return texts as lower-case words separated by spaces; a missing text has no words.

    Examples
    --------
    >>> as_words(pd.Series(["Good, GOOD value!", None])).tolist()
    ['good good value', '']
    """
    texts = column.astype(object).where(column.notna(), "").astype(str)
    return texts.map(lambda text: " ".join(_WORD.findall(text.lower())))


class TextFeatures(TransformerMixin, BaseEstimator):
    """TF-IDF of the most frequent words that are in at least two rows; rows have the length 1.

    Salton, Buckley (1988), "Term-weighting approaches in automatic text retrieval", with logarithmic counts.

    Parameters
    ----------
    name : str, default="text"
        Name of the column, for the features' names.
    most : int, default=300
        Maximum number of words.
    """

    def __init__(self, name: str = "text", most: int = 300) -> None:
        self.name = name
        self.most = most

    def fit(self, frame: pd.DataFrame, y: object = None) -> TextFeatures:
        """Learn the words of a table of one column, which `as_words` has prepared."""
        texts = frame.iloc[:, 0]
        most = int(max(1, min(self.most, _CELLS // max(len(texts), 1))))
        self.words_ = TfidfVectorizer(
            lowercase=False, token_pattern=r"\S+", max_features=most, min_df=2, sublinear_tf=True, dtype=np.float32
        )
        try:
            self.words_.fit(texts)
        except ValueError:  # no word is in two rows
            self.words_.set_params(min_df=1).fit([*texts, "text"])
        return self

    def transform(self, frame: pd.DataFrame) -> NDArray[np.float32]:
        """Return the weight of each word, shape (n, words)."""
        return np.asarray(self.words_.transform(frame.iloc[:, 0]).toarray(), dtype=np.float32)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the words, with the name of the column."""
        return np.array([f"{self.name}: {word}" for word in self.words_.get_feature_names_out()], dtype=object)
