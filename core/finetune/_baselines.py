"""What a fine-tuned model has to beat: the share of the classes (or the mean), and TF-IDF with a linear model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from core.finetune._data import TextData

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["majority", "tfidf"]

_FEATURES = 100_000


def majority(data: TextData, n: int) -> NDArray[np.float64]:
    """Return the training rows' class shares for each of `n` rows, or their mean."""
    y = data.y[data.train]
    if data.labels is None:
        return np.full(n, float(np.mean(y)))
    return np.tile(np.bincount(y, minlength=len(data.labels)) / len(y), (n, 1))


def tfidf(data: TextData, rows: NDArray[np.intp], *, balanced: bool, seed: int) -> NDArray[np.float64]:
    """Fit words and pairs of words, weighed by TF-IDF, to the training rows; return outputs for `rows`.

    The strength of the regularisation is chosen on the validation rows, as the model's epoch is.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression, Ridge

    from core.evaluation import compute_metric

    # A letter or a sign can be a word here, so that texts of nothing else have features too.
    words = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, max_features=_FEATURES, token_pattern=r"(?u)\b\w+\b|[^\w\s]"
    )
    train = words.fit_transform(data.part(data.train))
    y, held = data.y[data.train], words.transform(data.part(data.validation))
    fitted: list[tuple[float, int, Any]] = []
    for strength in (1.0, 10.0):
        if data.labels is None:
            model = Ridge(alpha=1 / strength, random_state=seed)
        else:
            weight = "balanced" if balanced else None
            model = LogisticRegression(C=strength, max_iter=2_000, class_weight=weight, random_state=seed)
        model.fit(train, y)
        loss = compute_metric(
            "rmse" if data.labels is None else "log_loss", data.y[data.validation], _outputs(model, held, data)
        )
        fitted.append((loss, len(fitted), model))
    return _outputs(min(fitted)[2], words.transform(data.part(rows)), data)


def _outputs(model: Any, features: Any, data: TextData) -> NDArray[np.float64]:
    if data.labels is None:
        return np.asarray(model.predict(features), dtype=np.float64)
    found = np.zeros((features.shape[0], len(data.labels)))
    found[:, model.classes_] = model.predict_proba(features)
    return found
