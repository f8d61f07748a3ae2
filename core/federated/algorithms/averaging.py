"""Nets that sites train by themselves for a few steps, and whose updates are averaged: FedAvg, FedProx, FedAdam.

McMahan et al. (2017), "Communication-efficient learning of deep networks from decentralized data"; Li et al. (2020),
"Federated optimization in heterogeneous networks"; Reddi et al. (2021), "Adaptive federated optimization".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import LimitError
from core.federated.aggregation import AGGREGATIONS
from core.federated.algorithms.net import (
    LocalTraining,
    initial_weights,
    layer_shapes,
    losses,
    train_locally,
    unflatten,
)
from core.federated.algorithms.rounds import Rounds
from core.federated.algorithms.state import ModelState
from core.federated.coordinator.study import Total
from core.federated.features.summary import encoded_summary
from core.federated.protocol.message import Arrays, Reply, Request
from core.federated.site.site import Plan, Site
from core.jsonable import JsonObject

if TYPE_CHECKING:
    from core.automl import NeuralNet
    from core.federated._settings import FederatedSettings
    from core.federated.coordinator.features import SharedFeatures
    from core.federated.coordinator.study import Study

__all__ = ["answer_update", "assemble", "fit", "local_training"]

Doubles = NDArray[np.float64]
_BETA_1, _BETA_2, _TAU = 0.9, 0.99, 1e-3  # of FedAdam


def local_training(settings: FederatedSettings) -> LocalTraining:
    """Return how a site trains in one round."""
    private = settings.noise_multiplier is not None
    return LocalTraining(
        epochs=settings.local_epochs,
        batch_size=settings.batch_size,
        learning_rate=settings.step,
        proximal=settings.proximal if settings.algorithm == "fedprox" else 0.0,
        clip=settings.clip if private else None,
        noise_multiplier=settings.noise_multiplier or 0.0,
    )


def _outputs(plan: Plan) -> int:
    return plan.classes if plan.classes > 2 else 1


def prepared_net(plan: Plan, columns: list[JsonObject]) -> NeuralNet:
    """Return a net without layers that scales features as the shared statistics say; the same at each site."""
    from core.automl import NeuralNetClassifier, NeuralNetRegressor

    X = encoded_summary(columns)
    hidden = plan.settings.hidden
    parameters: dict[str, Any] = {"hidden": hidden, "layers": 2 if hidden else 0}
    net = NeuralNetClassifier(**parameters) if plan.classes else NeuralNetRegressor(**parameters)
    net.prepare(X, np.arange(len(X)) % max(plan.classes, 1))
    return net


def _inputs(site: Site) -> Doubles:
    """Return the scaled features of a site, made once."""
    if "inputs" not in site.memory:
        net = prepared_net(site.agreed, site.columns)
        site.memory["inputs"] = net.inputs(site.X).astype(np.float64)
    scaled: Doubles = site.memory["inputs"]
    return scaled


def answer_update(site: Site, request: Request) -> Reply:
    """Train from the shared weights, and return their change, times the number of rows where it is summed."""
    plan = site.agreed
    training = local_training(plan.settings)
    shared = np.asarray(request.arrays["weights"], dtype=np.float64)
    X, y = _inputs(site), site.target
    shapes = layer_shapes(X.shape[1], plan.settings.hidden, _outputs(plan))
    trained = train_locally(X, y, shared, shapes, plan.classes, training, site.generator(request.number))
    arrays: Arrays = {"update": trained - shared, "rows": np.array([float(len(y))])}
    if plan.settings.masked:
        arrays["update"] = float(len(y)) * arrays["update"]
    if training.clip is None:  # a loss would need noise of its own
        site.loss = float(losses(X, y, shared, shapes, plan.classes).mean())
        if plan.settings.masked:
            arrays["loss"] = np.array([site.loss * len(y)])
    return Reply({}, arrays)


def _combined(study: Study, plan: Plan, arrays: Arrays) -> tuple[Doubles, Total]:
    """Return the combined update of one round."""
    settings = plan.settings
    if settings.masked:
        total = study.total("update", arrays=arrays)
        return total["update"] / float(total["rows"][0]), total
    replies = study.ask("update", arrays=arrays)
    size = len(arrays["weights"])
    usable = {site: reply for site, reply in replies.items() if _is_update(reply, size)}
    if len(usable) < study.min_sites:
        raise LimitError(
            f"{len(usable)} of {len(replies)} sites sent an update that can be used, and {study.min_sites} are needed.",
            "Look at the sites that send others, or leave them out.",
        )
    updates = np.stack([np.asarray(reply.arrays["update"], dtype=np.float64) for reply in usable.values()])
    weights = np.array([float(reply.arrays["rows"][0]) for reply in usable.values()])
    combine = AGGREGATIONS[settings.aggregation].combine if len(updates) > 1 else AGGREGATIONS["mean"].combine
    return combine(updates, weights, settings.assumed_faulty), Total({}, list(usable))


def _is_update(reply: Reply, size: int) -> bool:
    """Return whether a reply has an update of finite numbers; a faulty site's counts as missing."""
    update, rows = reply.arrays.get("update"), reply.arrays.get("rows")
    if update is None or rows is None or update.shape != (size,) or rows.shape != (1,):
        return False
    return bool(np.isfinite(update).all() and np.isfinite(rows).all() and rows[0] > 0)


def fit(study: Study, plan: Plan, features: SharedFeatures, rounds: Rounds) -> ModelState:
    """Train a net round by round.

    Returns
    -------
    ModelState
        Array weights: those of all layers in a row.
    """
    net = prepared_net(plan, features.columns)
    shapes = layer_shapes(len(net.center_), plan.settings.hidden, _outputs(plan))
    weights = initial_weights(shapes, plan.settings.seed)
    advance = _adam(plan.settings.server_learning_rate) if plan.settings.algorithm == "fedadam" else np.add
    while rounds.left:
        with rounds.next() as done:
            update, total = _combined(study, plan, {"weights": weights})
            done(total)
        weights = advance(weights, update)
    return ModelState({}, {"weights": weights})


def _adam(rate: float) -> Callable[[Doubles, Doubles], Doubles]:
    """Return Adam's step of the averaged update, which remembers its moments."""
    first: Doubles | float = 0.0
    second: Doubles | float = 0.0

    def advance(weights: Doubles, update: Doubles) -> Doubles:
        nonlocal first, second
        first = _BETA_1 * first + (1 - _BETA_1) * update
        second = _BETA_2 * second + (1 - _BETA_2) * np.square(update)
        return np.asarray(weights + rate * first / (np.sqrt(second) + _TAU))

    return advance


def assemble(state: ModelState, plan: Plan, features: SharedFeatures) -> NeuralNet:
    """Return the net as a search's neural net is stored."""
    from core.automl import ScaledTargetRegressor

    net = prepared_net(plan, features.columns)
    shapes = layer_shapes(len(net.center_), plan.settings.hidden, _outputs(plan))
    layers = [
        (weights.astype(np.float32), bias.astype(np.float32)) for weights, bias in unflatten(state["weights"], shapes)
    ]
    if plan.classes == 2:  # one score becomes two, of which the first is zero
        weights, bias = layers[-1]
        layers[-1] = (np.column_stack([np.zeros_like(weights), weights]), np.append(np.zeros_like(bias), bias))
    net.keep(layers)
    if plan.classes:
        return net
    model = ScaledTargetRegressor(net)
    model.estimator_, (model.center_, model.scale_) = net, features.scale
    model.n_features_in_ = len(net.center_)
    return model
