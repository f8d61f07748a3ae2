"""Averaging: against torch, plain gradient descent and Flower, with faulty sites, and with noise."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score

from core.errors import SettingsError
from core.federated import AGGREGATIONS, FederatedSettings
from core.federated.algorithms.net import (
    LocalTraining,
    gradient,
    initial_weights,
    layer_shapes,
    losses,
    train_locally,
)
from core.federated.protocol.message import Reply, Request
from core.federated.site.in_process import InProcessSites
from core.federated.site.site import Site
from tests.unit.federated.parts import cancer_sites, channel_of, train_on

FLOWER = json.loads((Path(__file__).parents[2] / "data" / "flower_fedavg.json").read_text())


def _rows(classes: int, rows: int = 40) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    X = random.normal(size=(rows, 5))
    return X, random.integers(0, classes, rows) if classes else random.normal(size=rows)


@pytest.mark.parametrize("hidden", [0, 7])
@pytest.mark.parametrize("classes", [0, 2, 4])
def test_losses_and_gradients_are_those_of_torch(classes: int, hidden: int) -> None:
    X, y = _rows(classes)
    shapes = layer_shapes(5, hidden, classes if classes > 2 else 1)
    weights = initial_weights(shapes, 0) + np.random.default_rng(1).normal(0, 0.3, len(initial_weights(shapes, 0)))
    flat = torch.tensor(weights, requires_grad=True)
    values, start = torch.tensor(X), 0
    for index, (inputs, outputs) in enumerate(shapes):
        middle, end = start + inputs * outputs, start + inputs * outputs + outputs
        values = values @ flat[start:middle].reshape(inputs, outputs) + flat[middle:end]
        if index < len(shapes) - 1:
            values = torch.nn.functional.selu(values) if classes else torch.nn.functional.mish(values)
        start = end
    if not classes:
        expected = 0.5 * (values[:, 0] - torch.tensor(y)) ** 2
    elif classes == 2:
        target = torch.tensor(y, dtype=torch.float64)
        expected = torch.nn.functional.binary_cross_entropy_with_logits(values[:, 0], target, reduction="none")
    else:
        expected = torch.nn.functional.cross_entropy(values, torch.tensor(y), reduction="none")
    np.testing.assert_allclose(losses(X, y, weights, shapes, classes), expected.detach().numpy(), rtol=1e-10)
    expected.sum().backward()
    np.testing.assert_allclose(gradient(X, y, weights, shapes, classes), flat.grad.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("classes", [0, 2, 4])
def test_each_row_is_clipped_by_its_own_norm(classes: int) -> None:
    X, y = _rows(classes)
    shapes = layer_shapes(5, 6, classes if classes > 2 else 1)
    weights = initial_weights(shapes, 0) + 0.3
    rows = [gradient(X[row : row + 1], y[row : row + 1], weights, shapes, classes) for row in range(len(X))]
    norms = np.array([np.linalg.norm(row) for row in rows])
    clip = float(np.median(norms))
    expected = sum(row * min(1.0, clip / norm) for row, norm in zip(rows, norms, strict=True))
    np.testing.assert_allclose(gradient(X, y, weights, shapes, classes, clip), expected, rtol=1e-9, atol=1e-12)


def test_averaging_is_that_of_flower() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    order = np.argsort(X[:, 0], kind="stable")
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    sites = np.split(order, np.cumsum(FLOWER["sizes"])[:-1])
    training = LocalTraining(FLOWER["steps"], None, FLOWER["learning_rate"])
    shapes, weights = [(30, 1)], np.zeros(31)
    for number in range(FLOWER["rounds"]):
        random = np.random.default_rng(0)
        trained = [train_locally(scaled[site], y[site], weights, shapes, 2, training, random) for site in sites]
        counts = np.array([len(site) for site in sites], dtype=float)
        weights = AGGREGATIONS["mean"].combine(np.stack(trained), counts, 1)
        if number == 0:
            expected = [*FLOWER["round_1"]["weights"], FLOWER["round_1"]["intercept"]]
            np.testing.assert_allclose(weights, expected, atol=1e-12)
    np.testing.assert_allclose(weights, [*FLOWER["final"]["weights"], FLOWER["final"]["intercept"]], atol=1e-12)


@pytest.mark.parametrize("masked", [True, False])
def test_one_full_step_per_round_is_gradient_descent_on_all_rows(masked: bool) -> None:
    settings = FederatedSettings(
        target="target",
        algorithm="fedavg",
        hidden=0,
        local_epochs=1,
        batch_size=None,
        rounds=100,
        secure_sums=masked,
    )
    channel = channel_of(cancer_sites())
    fitted = train_on(channel, settings)
    X = np.concatenate([site.memory["inputs"] for site in channel.by_name.values()])
    y = np.concatenate([site.y for site in channel.by_name.values()])
    weights = np.zeros(X.shape[1] + 1)
    for _ in range(100):
        errors = 1 / (1 + np.exp(-(X @ weights[:-1] + weights[-1]))) - y
        weights = weights - 0.1 * np.append(X.T @ errors, errors.sum()) / len(y)
    np.testing.assert_allclose(fitted.state["weights"], weights, atol=1e-12)


def test_the_proximal_term_keeps_a_site_near_the_shared_model() -> None:
    X, y = _rows(2)
    shapes, start = layer_shapes(5, 0, 1), np.full(6, 0.2)
    random = np.random.default_rng(0)
    free = train_locally(X, y, start, shapes, 2, LocalTraining(20, None, 0.5), random)
    held = train_locally(X, y, start, shapes, 2, LocalTraining(20, None, 0.5, proximal=2.0), random)
    assert np.linalg.norm(held - start) < 0.5 * np.linalg.norm(free - start)
    one = train_locally(X, y, start, shapes, 2, LocalTraining(1, None, 0.5, proximal=2.0), random)
    np.testing.assert_allclose(one, start - 0.5 * gradient(X, y, start, shapes, 2) / len(X))  # the first step has none


def test_adam_at_the_coordinator_follows_its_formula() -> None:
    settings = {"target": "target", "hidden": 0, "local_epochs": 1, "batch_size": None, "rounds": 1}
    plain = train_on(channel_of(cancer_sites()), FederatedSettings(algorithm="fedavg", **settings)).state["weights"]
    adam = train_on(channel_of(cancer_sites()), FederatedSettings(algorithm="fedadam", **settings)).state["weights"]
    first, second = 0.1 * plain, 0.01 * np.square(plain)
    np.testing.assert_allclose(adam, 0.02 * first / (np.sqrt(second) + 1e-3), rtol=1e-9)


class Poisoned(InProcessSites):
    """Sites of which one sends its update times a hundred, with the other sign."""

    def ask(self, request: Request, sites) -> dict[str, Reply]:
        replies = super().ask(request, sites)
        if request.kind == "update":
            reply = replies["site 3"]
            replies["site 3"] = Reply(reply.content, {**reply.arrays, "update": -100 * reply.arrays["update"]})
        return replies


def _test_auc(fitted, channel: InProcessSites) -> float:
    sites = list(channel.by_name.values())
    chances = np.concatenate([fitted.model.predict_proba(site.frame.iloc[site.test])[:, 1] for site in sites])
    return float(roc_auc_score(np.concatenate([site.y_test for site in sites]), chances))


def test_robust_aggregations_hold_against_a_faulty_site_and_the_mean_does_not() -> None:
    frames = cancer_sites((142, 142, 142, 143))
    shuffled = np.random.default_rng(0).permutation(569)
    rows = pd.concat(frames.values()).iloc[shuffled]
    frames = {name: part.reset_index(drop=True) for name, part in zip(frames, _parts(rows), strict=True)}
    sound = FederatedSettings(target="target", algorithm="fedavg", hidden=0, secure_sums=False)
    honest = channel_of(frames)
    best = _test_auc(train_on(honest, sound), honest)
    reached = {}
    for name in AGGREGATIONS:
        channel = Poisoned([Site(site, frame) for site, frame in frames.items()])
        settings = sound.model_copy(update={"aggregation": name})
        reached[name] = _test_auc(train_on(channel, settings), channel)
    assert best > 0.98
    for name in ("median", "trimmed_mean", "krum"):
        assert reached[name] > best - 0.02, name
    assert reached["mean"] < 0.5


def _parts(rows):
    ends = np.linspace(0, len(rows), 5).astype(int)
    return [rows.iloc[low:high] for low, high in itertools.pairwise(ends)]


def test_robust_aggregations_need_enough_sites() -> None:
    updates, weights = np.zeros((3, 2)), np.ones(3)
    with pytest.raises(SettingsError, match="Krum needs 4 sites"):
        AGGREGATIONS["krum"].combine(updates, weights, 1)
    with pytest.raises(SettingsError, match="has none left"):
        AGGREGATIONS["trimmed_mean"].combine(updates, weights, 2)


def test_aggregations_by_hand() -> None:
    updates = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.5], [50.0, -9.0]])
    weights = np.array([1.0, 2.0, 1.0, 1.0])
    assert AGGREGATIONS["mean"].combine(updates, weights, 1).tolist() == [(0 + 2 + 2 + 50) / 5, (1 + 2 + 1.5 - 9) / 5]
    assert AGGREGATIONS["median"].combine(updates, weights, 1).tolist() == [1.5, 1.0]
    assert AGGREGATIONS["trimmed_mean"].combine(updates, weights, 1).tolist() == [1.5, 1.0]
    assert AGGREGATIONS["krum"].combine(updates, weights, 1).tolist() == [0.0, 1.0]


def test_a_study_is_the_same_each_time_and_noise_makes_it_worse() -> None:
    settings = FederatedSettings(target="target", algorithm="fedavg", hidden=0, rounds=5)
    first, second = (train_on(channel_of(cancer_sites()), settings).state["weights"] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    noisy = settings.model_copy(update={"noise_multiplier": 5.0, "clip": 1.0})
    with_noise = train_on(channel_of(cancer_sites()), noisy)
    again = train_on(channel_of(cancer_sites()), noisy)
    np.testing.assert_array_equal(with_noise.state["weights"], again.state["weights"])
    assert np.linalg.norm(with_noise.state["weights"] - first) > 0.1
    assert all(record.loss is None for record in with_noise.rounds.records)  # a loss would need noise of its own
