"""Trees of several sites against those that LightGBM grows on all rows in one place, with the same bins."""

from __future__ import annotations

import lightgbm
import numpy as np
import pandas as pd
import pytest

from core.federated import FederatedSettings
from core.federated.algorithms.boosting import training
from core.federated.algorithms.boosting import tree as tree_module
from core.federated.algorithms.boosting.sites import site_bins
from core.federated.algorithms.boosting.training import read_trees
from core.federated.algorithms.boosting.tree import best_split
from tests.unit.federated.parts import cancer_sites, channel_of, train_on, training_rows

ROUNDS = 30


def _target(frames: dict[str, pd.DataFrame], task: str) -> dict[str, pd.DataFrame]:
    """Return tables with a target of the task."""
    changed = {}
    for name, frame in frames.items():
        frame = frame.copy()
        if task == "regression":
            frame["target"] = frame.pop("mean area") / 100
        elif task == "multiclass":
            frame["target"] = np.digitize(frame.pop("mean area"), [450, 600, 800]).astype(str)
        changed[name] = frame
    return changed


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_trees_are_those_of_lightgbm_on_all_rows(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # LightGBM guesses the rows of a leaf from sums of second derivatives, so that a minimum means something else there.
    least, hessian = (20, tree_module.MIN_HESSIAN) if task == "regression" else (1, 3.0)
    monkeypatch.setattr(training, "best_split", lambda *arguments: best_split(*arguments[:3], least))
    monkeypatch.setattr(tree_module, "MIN_HESSIAN", hessian)
    frames = _target(cancer_sites(), task)
    settings = FederatedSettings(target="target", algorithm="boosting", rounds=ROUNDS, l2=0.5, max_leaves=8)
    channel = channel_of(frames)
    fitted = train_on(channel, settings)
    X, y = training_rows(channel)
    bins = site_bins(next(iter(channel.by_name.values())))
    binned = bins.positions(X) - bins.offsets[:-1]
    objective = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}[task]
    parameters = {
        "objective": objective,
        "num_leaves": 8,
        "learning_rate": settings.step,
        "min_data_in_leaf": least,
        "min_sum_hessian_in_leaf": hessian,
        "lambda_l2": 0.5,
        "min_data_in_bin": 1,
        "max_bin": 255,
        "feature_pre_filter": False,
        "enable_bundle": False,
        "force_col_wise": True,
        "num_threads": 1,
        "verbose": -1,
    }
    if task == "multiclass":
        parameters["num_class"] = len(np.unique(y))
    data = lightgbm.Dataset(binned.astype(float), y, params=parameters, free_raw_data=False)
    reference = lightgbm.train(parameters, data, ROUNDS).dump_model()["tree_info"]
    trees = [tree for grown in read_trees(fitted.state, X.shape[1], fitted.plan.settings) for tree in grown]
    assert len(trees) == len(reference)
    start = np.asarray(fitted.state.content["start"])
    for number, (tree, expected) in enumerate(zip(trees, reference, strict=True)):
        splits, values = _read(expected["tree_structure"])
        own = [
            (feature, int(np.searchsorted(bins.edges[feature], threshold)))
            for feature, threshold in zip(tree.features, tree.thresholds, strict=True)
        ]
        assert own == [splits[index] for index in range(len(splits))], number
        shift = start[number % len(start)] if number < len(start) else 0.0
        np.testing.assert_allclose(np.asarray(tree.values) + shift, values, rtol=2e-5, atol=1e-6)


def _read(node: dict) -> tuple[dict[int, tuple[int, int]], list[float]]:
    """Return feature and last left bin by split, and the values of the leaves."""
    splits: dict[int, tuple[int, int]] = {}
    values: dict[int, float] = {}

    def walk(node: dict) -> None:
        if "split_index" in node:
            splits[node["split_index"]] = (node["split_feature"], int(np.floor(node["threshold"])))
            walk(node["left_child"])
            walk(node["right_child"])
        else:
            values[node.get("leaf_index", 0)] = node["leaf_value"]

    walk(node)
    return splits, [values[index] for index in range(len(values))]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_model_adds_up_its_trees(task: str) -> None:
    channel = channel_of(_target(cancer_sites(), task))
    settings = FederatedSettings(target="target", algorithm="boosting", rounds=15)
    fitted = train_on(channel, settings)
    X, _ = training_rows(channel)
    model = fitted.model[-1]
    scores = np.tile(np.asarray(fitted.state.content["start"]), (len(X), 1))
    for grown in read_trees(fitted.state, X.shape[1], fitted.plan.settings):
        for column, tree in enumerate(grown):
            for row, values in enumerate(X.astype(np.float64)):
                node = 0 if tree.features else -1
                while node >= 0:
                    left, right = tree.children[node]
                    node = left if values[tree.features[node]] <= tree.thresholds[node] else right
                scores[row, column] += tree.values[-1 - node]
    booster = getattr(model, "estimator", model)
    raw = booster.predict(X, raw_score=True)
    np.testing.assert_allclose(np.asarray(raw).reshape(scores.shape), scores, rtol=1e-9, atol=1e-9)


def test_a_target_that_nothing_explains_makes_a_model_of_its_mean() -> None:
    random = np.random.default_rng(0)
    frames = {
        name: pd.DataFrame({"x": np.repeat([0.0, 1.0], 50), "y": np.tile(random.normal(size=50).round(3), 2)})
        for name in ("a", "b")
    }
    channel = channel_of(frames)
    settings = FederatedSettings(target="y", algorithm="boosting", task="regression", min_leaf_rows=500)
    fitted = train_on(channel, settings)
    _, y = training_rows(channel)
    np.testing.assert_allclose(fitted.model.predict(frames["a"]), y.mean(), atol=1e-9)
