"""A small neural net as estimators that hold plain arrays: NumPy asks it, torch is loaded to fit it alone.

It is built after RealMLP: Holzmüller, Grinsztajn, Steinwart (2024), "Better by default: strong pre-tuned MLPs and
boosted trees on tabular data". Of that: robust scaling with a smooth clip, a learned scale of each feature, the neural
tangent parametrization with its factors of the learning rate, SELU for classes and Mish for numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from core.automl._types import Features, Output, Target, Weights

__all__ = ["PARTS", "NeuralNet", "NeuralNetClassifier", "NeuralNetRegressor"]

PARTS = 20
"""Parts of the schedule of the learning rate; the net is looked at after each."""
Layer = tuple[NDArray[np.float32], NDArray[np.float32]]


class NeuralNet(BaseEstimator):
    """What the classifier and the regressor share.

    Parameters
    ----------
    epochs : int, default=40
        Number of times that all rows are seen while the learning rate rises and falls to zero.
    stop_after : int, default=20
        Number of twentieths of that after which the training stops.
    hidden : int, default=64
        Width of the hidden layers.
    layers : int, default=2
        Number of hidden layers.
    learning_rate : float, default=0.02
        Largest learning rate; it rises for a tenth of the steps, then falls along a cosine.
    dropout : float, default=0.15
        Share of the hidden units that a step leaves out.
    weight_decay : float, default=0.02
        Decay of the weights per step and learning rate (AdamW).
    batch_size : int, default=256
        Number of rows of a step, at most; fewer where that would be less than eight steps an epoch.
    loss : {"squared", "absolute"}, default="squared"
        Errors of numbers that are minimized.
    n_jobs : int, default=1
        Number of threads of a fit.
    random_state : int, default=0
        Seed.

    Attributes
    ----------
    center_, scale_ : array of shape (features,)
        What is subtracted from a feature, and what it is then multiplied with; 0 for a constant.
    layers_ : list of (weights, biases)
        The layers, float32.
    """

    clip = np.float32(3)
    """Size that no scaled feature passes: z becomes z / sqrt(1 + (z / clip)²)."""
    largest = np.float32(1e9)
    """Size from which on all scaled features are the same, so that their squares are finite."""
    selu = (1.6732632423543772, 1.0507009873554805)
    """Alpha and scale of Klambauer, Unterthiner, Mayr, Hochreiter (2017), "Self-normalizing neural networks"."""
    loss = "squared"  # of those that were stored before it could be another
    smooth = False
    """Whether the activation is Mish instead of SELU."""

    def __init__(
        self,
        epochs: int = 40,
        stop_after: int = PARTS,
        hidden: int = 64,
        layers: int = 2,
        learning_rate: float = 0.02,
        dropout: float = 0.15,
        weight_decay: float = 0.02,
        batch_size: int = 256,
        loss: str = "squared",
        n_jobs: int = 1,
        random_state: int = 0,
    ) -> None:
        self.epochs = epochs
        self.stop_after = stop_after
        self.hidden = hidden
        self.layers = layers
        self.learning_rate = learning_rate
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.loss = loss
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Features, y: Target, sample_weight: Weights | None = None) -> NeuralNet:
        """Fit on rows, with their weights if any."""
        return self.keep(self.train(X, y, sample_weight))

    def train(
        self,
        X: Features,
        y: Target,
        sample_weight: Weights | None = None,
        *,
        watch: Callable[[list[Layer]], bool] | None = None,
        until: float = math.inf,
    ) -> list[Layer]:
        """Learn how features are scaled, and return the trained layers.

        Parameters
        ----------
        X : array of shape (n, features)
            Rows to learn from.
        y : array of shape (n,)
            Their classes or numbers.
        sample_weight : array of shape (n,), optional
            Their weights.
        watch : callable, optional
            Takes the layers after each part of the schedule, and returns whether they are enough.
        until : float, default=inf
            Moment of `time.monotonic` by which it is trained: if that is early, each part has fewer steps.
        """
        from core.automl.learners.neural_net_training import train

        self.prepare(X, y)
        sizes = [X.shape[1], *[self.hidden] * self.layers, self.outputs]
        plan = {name: value for name, value in self.get_params().items() if name not in ("hidden", "layers")}
        return train(
            self.inputs(X),
            self.target(y),
            sample_weight,
            sizes,
            PARTS,
            smooth=self.smooth,
            watch=watch,
            until=until,
            **plan,
        )

    def prepare(self, X: Features, y: Target) -> None:
        """Learn how features are scaled."""
        lower, middle, upper = np.quantile(X, [0.25, 0.5, 0.75], axis=0)
        low, high = X.min(axis=0), X.max(axis=0)
        widths = np.where(upper > lower, upper - lower, (high - low) / 2)
        two = np.array([len(np.unique(column)) <= 2 for column in X.T], dtype=bool)
        widths = np.where(two, high - low, widths)
        self.center_ = np.where(two, low, middle).astype(np.float32)
        self.scale_ = np.divide(1.0, widths, out=np.zeros_like(widths), where=widths > 0).astype(np.float32)
        self.n_features_in_ = X.shape[1]

    def target(self, y: Target) -> NDArray[Any]:
        """Return a target as the net learns it."""
        return np.asarray(y, dtype=np.float32)

    @property
    def outputs(self) -> int:
        """Number of the net's outputs."""
        return 1

    def keep(self, layers: list[Layer]) -> NeuralNet:
        """Hold layers that were trained."""
        self.layers_ = layers
        return self

    def inputs(self, X: Features) -> NDArray[np.float32]:
        """Return scaled features as the first layer takes them."""
        with np.errstate(over="ignore"):
            scaled = (np.asarray(X, dtype=np.float32) - self.center_) * self.scale_
        scaled = np.clip(scaled, -self.largest, self.largest)
        return np.asarray(scaled / np.sqrt(1 + np.square(scaled / self.clip)))

    def raw(self, X: Features, layers: list[Layer] | None = None) -> Output:
        """Return the net's outputs, shape (n, outputs)."""
        values = self.inputs(X)
        *inner, (weights, biases) = self.layers_ if layers is None else layers
        for own, bias in inner:
            values = self._activation(values @ own + bias)
        return np.asarray(values @ weights + biases, dtype=np.float64)

    def _activation(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.smooth:
            return np.asarray(values * np.tanh(np.logaddexp(values, np.float32(0))))
        alpha, scale = self.selu
        below = alpha * np.expm1(np.minimum(values, 0))
        return np.asarray(scale * np.where(values > 0, values, below), dtype=np.float32)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "layers_")


class NeuralNetRegressor(RegressorMixin, NeuralNet):
    """A small neural net for numbers of about mean 0 and standard deviation 1; parameters as of `NeuralNet`."""

    smooth = True

    def predict(self, X: Features) -> Output:
        """Return numbers, float64, shape (n,)."""
        return self.answers(X)

    def answers(self, X: Features, layers: list[Layer] | None = None) -> Output:
        """Return what the net, or one of other layers, predicts."""
        return self.raw(X, layers)[:, 0]


class NeuralNetClassifier(ClassifierMixin, NeuralNet):
    """A small neural net for classes; parameters as of `NeuralNet`.

    Attributes
    ----------
    classes_ : array of shape (k,)
        The classes that it has seen.
    """

    def prepare(self, X: Features, y: Target) -> None:
        super().prepare(X, y)
        self.classes_ = np.unique(y)

    def target(self, y: Target) -> NDArray[Any]:
        return np.searchsorted(self.classes_, y)

    @property
    def outputs(self) -> int:
        return len(self.classes_)

    def predict_proba(self, X: Features) -> Output:
        """Return probabilities of `classes_`, float64, shape (n, k)."""
        return self.answers(X)

    def answers(self, X: Features, layers: list[Layer] | None = None) -> Output:
        """Return the probabilities that the net, or one of other layers, gives."""
        scores = self.raw(X, layers)
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def predict(self, X: Features) -> NDArray[Any]:
        """Return the most probable class."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])
