"""What a fine-tuned model has to beat: the class shares (or the mean), and TF-IDF with a linear model."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from core.finetune.data import TextData
from core.finetune.encode import Text
from core.registry import Registry

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.multiclass import OneVsRestClassifier

    LinearModel: TypeAlias = LogisticRegression | OneVsRestClassifier | Ridge

__all__ = ["BASELINES", "Baseline", "majority", "tfidf"]

_MAX_FEATURES = 100_000


@dataclass(frozen=True)
class Baseline:
    """A simple model that a fine-tuning is compared with.

    Parameters
    ----------
    name : str
        The key that results use.
    title : str
        The name that pages show.
    help : str
        Explanation of the baseline.
    classifier, regressor : str
        Name of the baseline in sentences, for classes and for a number.
    """

    name: str
    title: str
    help: str
    classifier: str
    regressor: str


BASELINES: Registry[Baseline] = Registry(
    "baseline",
    [
        Baseline(
            "majority",
            "Guessing",
            "Predicts the shares of classes or labels, or the mean, of the training texts.",
            "guessing",
            "guessing the mean",
        ),
        Baseline(
            "tfidf",
            "TF-IDF with a linear model",
            "Counts words and pairs of words, without a language model.",
            "TF-IDF with logistic regression",
            "TF-IDF with ridge regression",
        ),
    ],
)


def majority(data: TextData, n: int) -> NDArray[np.float64]:
    """Return the shares of classes or labels of the training rows for each of `n` rows, or their mean."""
    y = data.y[data.train]
    if data.labels is None:
        return np.full(n, float(np.mean(y)))
    if y.ndim == 2:
        return np.tile(y.mean(axis=0, dtype=np.float64), (n, 1))
    return np.tile(np.bincount(y, minlength=len(data.labels)) / len(y), (n, 1))


def tfidf(data: TextData, rows: NDArray[np.intp], *, balanced: bool, seed: int) -> NDArray[np.float64]:
    """Fit a linear model on TF-IDF of words and pairs of words to the training rows; return outputs for `rows`.

    The validation rows choose the strength of the regularization, as they choose the epoch of the fine-tuned model.

    Parameters
    ----------
    data : TextData
        Texts, labels and the split.
    rows : array of int
        The rows to predict.
    balanced : bool
        Whether classes are weighted by the inverse of their frequency.
    seed : int
        Seed of the random number generator of the linear model.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    from core.evaluation import compute_metric

    # A single letter or sign is a word here, so that texts of nothing else have features too.
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, max_features=_MAX_FEATURES, token_pattern=r"(?u)\b\w+\b|[^\w\s]"
    )
    vectorizer.fit([part for text in data.part(data.train) for part in ((text,) if isinstance(text, str) else text)])
    features = _features(vectorizer, data.part(data.train))
    validation = _features(vectorizer, data.part(data.validation))
    candidates: list[tuple[float, int, LinearModel]] = []
    for strength in (1.0, 10.0):
        model = _linear_model(data, strength, balanced, seed)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Label .* is present in")  # of no training text, or of all of them
            model.fit(features, data.y[data.train])
        loss = compute_metric(data.kind.loss, data.y[data.validation], _outputs(model, validation, data))
        candidates.append((loss, len(candidates), model))
    return _outputs(min(candidates)[2], _features(vectorizer, data.part(rows)), data)


def _features(vectorizer: TfidfVectorizer, texts: Sequence[Text]) -> csr_matrix:
    """Return features of texts; of pairs those of both, and of what they share."""
    from scipy.sparse import hstack

    pairs = [text for text in texts if not isinstance(text, str)]
    if not pairs:
        return vectorizer.transform(texts)
    first, second = (vectorizer.transform([pair[side] for pair in pairs]) for side in (0, 1))
    return hstack([first, second, first.multiply(second)]).tocsr()


def _linear_model(data: TextData, strength: float, balanced: bool, seed: int) -> LinearModel:
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.multiclass import OneVsRestClassifier

    if data.labels is None:
        return Ridge(alpha=1 / strength, random_state=seed)
    weight = "balanced" if balanced else None
    model = LogisticRegression(C=strength, max_iter=2_000, class_weight=weight, random_state=seed)
    return model if data.y.ndim == 1 else OneVsRestClassifier(model)


def _outputs(model: LinearModel, features: csr_matrix, data: TextData) -> NDArray[np.float64]:
    if data.labels is None:
        return np.asarray(model.predict(features), dtype=np.float64)
    if data.y.ndim == 2:
        return np.asarray(model.predict_proba(features), dtype=np.float64)
    outputs = np.zeros((features.shape[0], len(data.labels)))
    outputs[:, model.classes_] = model.predict_proba(features)
    return outputs
