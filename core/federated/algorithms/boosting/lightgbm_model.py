"""Trees as a model of LightGBM, so that they are stored, explained and exported as a search's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.federated.algorithms.boosting.tree import Tree

if TYPE_CHECKING:
    from lightgbm import LGBMModel

    from core.federated._settings import FederatedSettings

__all__ = ["lightgbm_estimator", "model_text"]

Doubles = NDArray[np.float64]
_NUMERIC = 2  # LightGBM's decision type: a number, missing values go left, none are expected


def _line(name: str, values: Sequence[object]) -> str:
    return f"{name}={' '.join(map(str, values))}\n"


def _tree_text(number: int, tree: Tree, start: float, shrinkage: float) -> str:
    """Return one tree in LightGBM's format; the scores before the first tree are added to its leaves."""
    values = [value + start for value in tree.values]
    lines = [f"Tree={number}\n", f"num_leaves={len(tree.leaves)}\n", "num_cat=0\n"]
    if tree.features:
        lines += [
            _line("split_feature", tree.features),
            _line("split_gain", [f"{gain:.6g}" for gain in tree.gains]),
            _line("threshold", [repr(float(value)) for value in tree.thresholds]),
            _line("decision_type", [_NUMERIC] * len(tree.features)),
            _line("left_child", [left for left, _ in tree.children]),
            _line("right_child", [right for _, right in tree.children]),
        ]
    lines += [
        _line("leaf_value", [repr(float(value)) for value in values]),
        _line("leaf_weight", [repr(float(sums[1])) for sums in tree.leaves]),
        _line("leaf_count", [round(float(sums[2])) for sums in tree.leaves]),
    ]
    if tree.features:
        lines += [
            _line("internal_value", [f"{-sums[0] / max(sums[1], 1e-15):.6g}" for sums in tree.inner]),
            _line("internal_weight", [f"{sums[1]:.6g}" for sums in tree.inner]),
            _line("internal_count", [round(float(sums[2])) for sums in tree.inner]),
        ]
    return "".join([*lines, "is_linear=0\n", f"shrinkage={shrinkage}\n", "\n\n"])


def model_text(rounds: Sequence[Sequence[Tree]], start: Doubles, classes: int, features: int, step: float) -> str:
    """Return a model in LightGBM's text format.

    Parameters
    ----------
    rounds : sequence of sequence of Tree
        Trees by round and class.
    start : array of shape (columns,)
        Scores before the first tree.
    classes : int
        Number of classes; 0 for numbers.
    features : int
        Number of encoded features.
    step : float
        Learning rate.
    """
    columns = len(start)
    objective = (
        "regression" if not classes else "binary sigmoid:1" if classes == 2 else f"multiclass num_class:{classes}"
    )
    trees = [
        _tree_text(
            number * columns + column, tree, float(start[column]) if number == 0 else 0.0, 1.0 if number == 0 else step
        )
        for number, grown in enumerate(rounds)
        for column, tree in enumerate(grown)
    ]
    head = "".join(
        [
            "tree\nversion=v4\n",
            f"num_class={columns}\nnum_tree_per_iteration={columns}\nlabel_index=0\n",
            f"max_feature_idx={features - 1}\nobjective={objective}\n",
            _line("feature_names", [f"Column_{index}" for index in range(features)]),
            _line("feature_infos", ["[-inf:inf]"] * features),
            _line("tree_sizes", [len(tree) for tree in trees]),
            "\n",
        ]
    )
    return f"{head}{''.join(trees)}end of trees\n\nfeature_importances:\n\nparameters:\n\nend of parameters\n"


def lightgbm_estimator(
    rounds: Sequence[Sequence[Tree]],
    start: Doubles,
    classes: int,
    summary: NDArray[np.float32],
    settings: FederatedSettings,
) -> LGBMModel:
    """Return LightGBM's classifier or regressor with the given trees.

    Parameters
    ----------
    rounds : sequence of sequence of Tree
        Trees by round and class; without any, the model predicts what it starts with.
    start : array of shape (columns,)
        Scores before the first tree.
    classes : int
        Number of classes; 0 for numbers.
    summary : array of shape (rows, features)
        Encoded shared statistics: the estimator is fitted on them, to know its shape, and then given the trees.
    settings : FederatedSettings
        Settings of the study.
    """
    from lightgbm import Booster, LGBMClassifier, LGBMRegressor

    features = summary.shape[1]
    parameters: dict[str, Any] = {
        "n_estimators": max(1, len(rounds)),
        "num_leaves": settings.max_leaves,
        "learning_rate": settings.step,
        "min_child_samples": settings.min_leaf_rows,
        "reg_lambda": settings.l2,
        "verbose": -1,
    }
    model = LGBMClassifier(**parameters) if classes else LGBMRegressor(**parameters)
    model.set_params(n_estimators=1, n_jobs=1)
    model.fit(summary, np.arange(len(summary)) % classes if classes else np.arange(float(len(summary))))
    model.set_params(n_estimators=parameters["n_estimators"])
    if not rounds:
        rounds = [[Tree(leaves=[np.ones(3)], values=[0.0]) for _ in start]]
    model._Booster = Booster(model_str=model_text(rounds, start, classes, features, settings.step))
    return model
