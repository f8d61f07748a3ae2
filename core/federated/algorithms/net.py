"""A small net and its training with NumPy: what a site does with its rows in a round of averaging.

The layers are those of `core.automl.NeuralNet`, so that a federated net is stored, explained and exported as any
other. With no hidden layers it is a logistic or a linear regression.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LocalTraining", "gradient", "initial_weights", "layer_shapes", "losses", "train_locally", "unflatten"]

Doubles = NDArray[np.float64]
Layers = list[tuple[Doubles, Doubles]]
_ALPHA, _SCALE = 1.6732632423543772, 1.0507009873554805  # of SELU


@dataclass(frozen=True)
class LocalTraining:
    """How a site trains in one round.

    Parameters
    ----------
    epochs : int
        Number of times that it sees its rows.
    batch_size : int or None
        Rows of a step; None: all.
    learning_rate : float
        Step.
    proximal : float, default=0.0
        Weight of half the squared distance from the shared weights.
    clip : float or None, default=None
        Largest norm of one row's gradient; None: unlimited, and no noise.
    noise_multiplier : float, default=0.0
        Standard deviation of the noise in units of `clip`.
    """

    epochs: int
    batch_size: int | None
    learning_rate: float
    proximal: float = 0.0
    clip: float | None = None
    noise_multiplier: float = 0.0

    def sampling(self, rows: int) -> tuple[float, int]:
        """Return the chance of a row to be in a step, and the number of steps in a round, with noise."""
        rate = 1.0 if self.batch_size is None else min(1.0, self.batch_size / rows)
        return rate, max(1, round(self.epochs / rate))


def layer_shapes(features: int, hidden: int, outputs: int) -> list[tuple[int, int]]:
    """Return the shapes of the weights: two hidden layers, or none.

    Examples
    --------
    >>> layer_shapes(30, 8, 1), layer_shapes(30, 0, 1)
    ([(30, 8), (8, 8), (8, 1)], [(30, 1)])
    """
    sizes = [features, hidden, hidden, outputs] if hidden else [features, outputs]
    return list(itertools.pairwise(sizes))


def initial_weights(shapes: list[tuple[int, int]], seed: int) -> Doubles:
    """Return the first weights of all layers in a row: hidden layers at random, the last one and the biases zero."""
    random = np.random.default_rng(seed)
    parts = []
    for index, (inputs, outputs) in enumerate(shapes):
        last = index == len(shapes) - 1
        parts.append(np.zeros(inputs * outputs) if last else random.normal(0, inputs**-0.5, inputs * outputs))
        parts.append(np.zeros(outputs))
    return np.concatenate(parts)


def unflatten(weights: Doubles, shapes: list[tuple[int, int]]) -> Layers:
    """Return weights in a row as layers that share their memory."""
    layers, start = [], 0
    for inputs, outputs in shapes:
        middle, end = start + inputs * outputs, start + inputs * outputs + outputs
        layers.append((weights[start:middle].reshape(inputs, outputs), weights[middle:end]))
        start = end
    return layers


def _activation(values: Doubles, smooth: bool) -> tuple[Doubles, Doubles]:
    """Return SELU, or Mish where the net is smooth, and its derivative."""
    if smooth:
        soft = np.tanh(np.logaddexp(values, 0.0))
        slope = 0.5 * (1 + np.tanh(0.5 * values))
        return values * soft, np.asarray(soft + values * (1 - np.square(soft)) * slope)
    below = _ALPHA * np.expm1(np.minimum(values, 0.0))
    positive = values > 0
    return _SCALE * np.where(positive, values, below), _SCALE * np.where(positive, 1.0, below + _ALPHA)


def _forward(X: Doubles, layers: Layers, smooth: bool) -> tuple[list[Doubles], list[Doubles], Doubles]:
    """Return the inputs of each layer, the derivatives of the activations between them, and the outputs."""
    inputs, slopes = [X], []
    for weights, bias in layers[:-1]:
        values, slope = _activation(inputs[-1] @ weights + bias, smooth)
        inputs.append(values)
        slopes.append(slope)
    weights, bias = layers[-1]
    return inputs, slopes, inputs[-1] @ weights + bias


def _errors(scores: Doubles, y: NDArray[Any], classes: int) -> Doubles:
    """Return the derivatives of each row's loss by its outputs."""
    if not classes:
        return np.asarray(scores - np.asarray(y, dtype=np.float64)[:, None])
    if classes == 2:
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * scores)) - (y == 1)[:, None])
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances = odds / odds.sum(axis=1, keepdims=True)
    chances[np.arange(len(y)), y.astype(np.intp)] -= 1.0
    return np.asarray(chances)


def losses(X: Doubles, y: NDArray[Any], weights: Doubles, shapes: list[tuple[int, int]], classes: int) -> Doubles:
    """Return the loss of each row: half the squared error, or minus the logarithm of the true class's probability."""
    scores = _forward(X, unflatten(weights, shapes), not classes)[2]
    if not classes:
        return np.asarray(0.5 * np.square(scores[:, 0] - y))
    if classes == 2:
        return np.logaddexp(0.0, np.where(y == 1, -scores[:, 0], scores[:, 0]))
    top = scores.max(axis=1, keepdims=True)
    sums = np.log(np.exp(scores - top).sum(axis=1)) + top[:, 0]
    return np.asarray(sums - scores[np.arange(len(y)), y.astype(np.intp)])


def gradient(
    X: Doubles,
    y: NDArray[Any],
    weights: Doubles,
    shapes: list[tuple[int, int]],
    classes: int,
    clip: float | None = None,
) -> Doubles:
    """Return the sum over rows of the gradient of the loss, each row's clipped to a norm if asked.

    Parameters
    ----------
    X, y : arrays
        Rows, and their class codes or numbers.
    weights : array of shape (p,)
        Weights of all layers in a row.
    shapes : list of (int, int)
        Shapes of the layers.
    classes : int
        Number of classes; 0 for numbers.
    clip : float, optional
        Largest norm of one row's gradient (Abadi et al. 2016, "Deep learning with differential privacy").
    """
    layers = unflatten(weights, shapes)
    inputs, slopes, scores = _forward(X, layers, not classes)
    errors = [_errors(scores, y, classes)]
    for index in range(len(layers) - 1, 0, -1):
        errors.insert(0, errors[0] @ layers[index][0].T * slopes[index - 1])
    if clip is not None:
        squares = sum(
            np.square(error).sum(axis=1) * (1.0 + np.square(values).sum(axis=1))
            for error, values in zip(errors, inputs, strict=True)
        )
        shrink = np.minimum(1.0, clip / np.maximum(np.sqrt(squares), np.finfo(np.float64).tiny))[:, None]
        errors = [error * shrink for error in errors]
    parts = []
    for values, error in zip(inputs, errors, strict=True):
        parts += [(values.T @ error).ravel(), error.sum(axis=0)]
    return np.concatenate(parts)


def train_locally(
    X: Doubles,
    y: NDArray[Any],
    shared: Doubles,
    shapes: list[tuple[int, int]],
    classes: int,
    training: LocalTraining,
    random: np.random.Generator,
) -> Doubles:
    """Return the weights after a round of local steps from the shared ones.

    Parameters
    ----------
    X, y : arrays
        Rows of the site, and their class codes or numbers.
    shared : array of shape (p,)
        Weights to start from.
    shapes : list of (int, int)
        Shapes of the layers.
    classes : int
        Number of classes; 0 for numbers.
    training : LocalTraining
        Steps.
    random : Generator
        Generator of the order of the rows, or of the sample and the noise.
    """
    weights = shared.copy()
    if training.clip is not None:
        return _private_steps(X, y, weights, shared, shapes, classes, training, random)
    rows = len(y)
    size = rows if training.batch_size is None else min(training.batch_size, rows)
    for _ in range(training.epochs):
        order = random.permutation(rows) if size < rows else np.arange(rows)
        for start in range(0, rows, size):
            batch = order[start : start + size]
            step = gradient(X[batch], y[batch], weights, shapes, classes) / len(batch)
            if training.proximal:
                step = step + training.proximal * (weights - shared)
            weights = weights - training.learning_rate * step
    return weights


def _private_steps(
    X: Doubles,
    y: NDArray[Any],
    weights: Doubles,
    shared: Doubles,
    shapes: list[tuple[int, int]],
    classes: int,
    training: LocalTraining,
    random: np.random.Generator,
) -> Doubles:
    """Return weights after steps whose rows are drawn with a chance each, and whose gradients are clipped and noisy."""
    assert training.clip is not None
    rate, steps = training.sampling(len(y))
    for _ in range(steps):
        batch = np.flatnonzero(random.random(len(y)) < rate)
        total = gradient(X[batch], y[batch], weights, shapes, classes, training.clip)
        noise = random.normal(0.0, training.noise_multiplier * training.clip, len(weights))
        step = (total + noise) / (rate * len(y))
        if training.proximal:
            step = step + training.proximal * (weights - shared)
        weights = weights - training.learning_rate * step
    return weights
