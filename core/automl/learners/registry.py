"""The learners: one record each, with everything that a search, a saved result and a page need to know about it.

A further learner is one more record, added by a module that ``PLUMBLINE_EXTENSIONS`` names::

    from core.automl import LEARNERS, Hyperparameter, Learner

    LEARNERS.add(Learner("knn", title="Nearest neighbors", build=build_knn, space=knn_space))
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from core.automl._types import Config
from core.automl.learners import additive_learner as _additive
from core.automl.learners import boosting_and_forests as _flaml
from core.automl.learners import catboost_learner as _catboost
from core.automl.learners import neural_net_learner as _neural_net
from core.automl.learners import tabicl_learner as _tabicl
from core.automl.learners.early_stopping import Grow, grow_lightgbm, grow_xgboost
from core.automl.learners.learner import TREES, Learner
from core.automl.learners.space import Hyperparameter
from core.registry import Registry

if TYPE_CHECKING:
    pass

__all__ = ["LEARNERS", "LOG_TARGET", "LOSS", "MADE_FEATURES", "TABICL", "TREES", "Learner", "learner_title"]

LOG_TARGET = "log_target"
"""Hyperparameter of any learner of numbers: whether the logarithm of the target is learned."""
LOSS = "loss"
"""Hyperparameter of learners of numbers that can minimize absolute errors too: squared or absolute."""
MADE_FEATURES = "made_features"
"""Hyperparameter of any learner: which features are made of the columns, one of `FAMILIES`."""


def _learner(
    name: str,
    title: str,
    wrapper: str,
    *,
    help: str,
    portfolio: tuple[Config, ...],
    estimators: tuple[str, ...],
    fixed: Config | None = None,
    forest: bool = False,
    absolute: Config | None = None,
    monotone: Callable[[list[int]], Config],
    grow: Grow | None = None,
    further: Callable[[str], dict[str, Hyperparameter]] | None = None,
    needs_every_class: bool = False,
    trusted_types: tuple[str, ...] = (),
    packages: tuple[str, ...] = (),
) -> Learner:
    """Return the record of a learner whose search space and translation of a configuration are FLAML's."""
    return Learner(
        name,
        title,
        build=partial(_flaml.build, wrapper, fixed or {}),
        space=partial(_flaml.search_space, wrapper, grown=grow is not None, further=further),
        help=help,
        portfolio=portfolio,
        suggest=partial(_flaml.meta_learned, name, grow is not None),
        grow=grow,
        absolute=absolute or {},
        monotone=monotone,
        parallel="fit" if forest else "folds",
        needs_every_class=needs_every_class,
        estimators=estimators,
        trusted_types=trusted_types,
        packages=packages,
        modules=("flaml.automl.model", *packages),
    )


def _lightgbm_dimensions(task: str) -> dict[str, Hyperparameter]:
    """Return what FLAML's search space of LightGBM lacks."""
    return {
        "extra_trees": Hyperparameter.choice([False, True], initial=False),
        "subsample": Hyperparameter.real(0.5, 1.0, initial=1.0),
    }


def _forest_dimensions(task: str) -> dict[str, Hyperparameter]:
    """Return the share of columns that trees of numbers look at: first a third (Breiman 2001), where FLAML has all."""
    return {"max_features": Hyperparameter.real(0.1, 1, log=True, initial=1 / 3)} if task == "regression" else {}


def _constraints(directions: list[int]) -> Config:
    return {"monotone_constraints": directions}


def _xgboost_constraints(directions: list[int]) -> Config:
    return {"monotone_constraints": f"({', '.join(map(str, directions))})"}


def _forest_constraints(directions: list[int]) -> Config:
    return {"monotonic_cst": directions}


_XGBOOST = ("xgboost.sklearn.XGBClassifier", "xgboost.sklearn.XGBRegressor")
_FORESTS = "sklearn.ensemble._forest"

LEARNERS: Registry[Learner] = Registry(
    "learner",
    [
        _learner(
            "lgbm",
            "LightGBM",
            "LGBMEstimator",
            help="Boosted trees that grow leaf by leaf; strong on most tables.",
            portfolio=(
                {"num_leaves": 8, "colsample_bytree": 0.5, "subsample": 0.7, "min_child_samples": 10},
                {"num_leaves": 31, "learning_rate": 0.06, "extra_trees": True, "colsample_bytree": 0.8},
                {"num_leaves": 31, "learning_rate": 0.06, "colsample_bytree": 0.6, "subsample": 0.8},
                {"num_leaves": 12, "learning_rate": 0.06, "extra_trees": True, "colsample_bytree": 0.6},
                {"num_leaves": 64, "learning_rate": 0.04, "colsample_bytree": 0.7, "min_child_samples": 14},
            ),
            grow=grow_lightgbm,
            absolute={"objective": "regression_l1"},
            monotone=_constraints,
            fixed={"subsample_freq": 1},
            further=_lightgbm_dimensions,
            estimators=("lightgbm.sklearn.LGBMClassifier", "lightgbm.sklearn.LGBMRegressor"),
            trusted_types=("collections.OrderedDict", "lightgbm.basic.Booster"),
            packages=("lightgbm",),
        ),
        Learner(
            "gam",
            "Generalized additive model",
            build=_additive.build,
            space=_additive.search_space,
            help="A smooth curve for each number and a weight for each category, added up; strong where effects add.",
            portfolio=_additive.PORTFOLIO,
            suggest=_additive.suggest,
            why_left_out=_additive.why_left_out,
            estimators=_additive.ESTIMATORS,
            trusted_types=_additive.TRUSTED,
            modules=("core.automl.learners.additive_model",),
        ),
        Learner(
            "mlp",
            "Neural net",
            build=_neural_net.build,
            space=_neural_net.search_space,
            help="A small net of hidden layers; smooth, and a good partner of trees in a blend.",
            portfolio=_neural_net.PORTFOLIO,
            suggest=_neural_net.suggest,
            grow=_neural_net.grow,
            grown=_neural_net.LENGTH,
            absolute={"loss": "absolute"},
            why_left_out=_neural_net.why_left_out,
            estimators=_neural_net.ESTIMATORS,
            modules=("core.automl.learners.neural_net",),
            late_modules=("core.automl.learners.neural_net_training",),
        ),
        Learner(
            "catboost",
            "CatBoost",
            build=_catboost.build,
            space=_catboost.search_space,
            help="Boosted symmetric trees; smoother than the others, and a good partner in a blend.",
            portfolio=_catboost.PORTFOLIO,
            grow=_catboost.grow,
            absolute={"loss": "absolute"},
            monotone=_constraints,
            why_left_out=_catboost.why_left_out,
            estimators=_catboost.ESTIMATORS,
            packages=("catboost",),
            modules=("catboost", "core.automl.learners.catboost_trees"),
        ),
        _learner(
            "xgb_limitdepth",
            "XGBoost, by depth",
            "XGBoostLimitDepthEstimator",
            help="Boosted trees that are limited by their depth.",
            portfolio=(
                {"max_depth": 4, "learning_rate": 0.08, "subsample": 0.8, "colsample_bytree": 0.5},
                {"max_depth": 7, "learning_rate": 0.06, "subsample": 0.8, "colsample_bytree": 0.7},
            ),
            grow=grow_xgboost,
            absolute={"objective": "reg:absoluteerror"},
            monotone=_xgboost_constraints,
            estimators=_XGBOOST,
            fixed={"tree_method": "hist"},
            needs_every_class=True,
            trusted_types=("xgboost.core.Booster",),
            packages=("xgboost",),
        ),
        _learner(
            "xgboost",
            "XGBoost, by leaves",
            "XGBoostSklearnEstimator",
            help="Boosted trees that are limited by their number of leaves.",
            portfolio=(
                {"max_leaves": 31, "learning_rate": 0.08, "subsample": 0.8, "colsample_bytree": 0.6},
                {"max_leaves": 10, "learning_rate": 0.08, "subsample": 0.7, "colsample_bytree": 0.5},
            ),
            grow=grow_xgboost,
            absolute={"objective": "reg:absoluteerror"},
            monotone=_xgboost_constraints,
            estimators=_XGBOOST,
            needs_every_class=True,
            trusted_types=("xgboost.core.Booster",),
            packages=("xgboost",),
        ),
        _learner(
            "rf",
            "Random forest",
            "RandomForestEstimator",
            help="Many trees on random samples of the rows; robust, and hard to get wrong.",
            portfolio=({"n_estimators": 100, "max_leaves": 256},),
            estimators=(f"{_FORESTS}.RandomForestClassifier", f"{_FORESTS}.RandomForestRegressor"),
            forest=True,
            monotone=_forest_constraints,
            further=_forest_dimensions,
        ),
        _learner(
            "extra_tree",
            "Extra trees",
            "ExtraTreesEstimator",
            help="A forest whose splits are drawn at random; smoother than a random forest.",
            portfolio=({"n_estimators": 100, "max_leaves": 256},),
            estimators=(f"{_FORESTS}.ExtraTreesClassifier", f"{_FORESTS}.ExtraTreesRegressor"),
            forest=True,
            monotone=_forest_constraints,
            further=_forest_dimensions,
        ),
    ],
)
"""Learners that a search chooses from; each can be exported to ONNX.

They are tried in this order: those that are good and quick come first, forests last.
"""

TABICL = Learner(
    "tabicl",
    "TabICL",
    build=_tabicl.build,
    space=_tabicl.search_space,
    help="A pre-trained transformer that reads the training rows; strong on small tables, and slow to ask.",
    why_left_out=_tabicl.why_left_out,
    parallel="fit",
    deployment=_tabicl.DEPLOYMENT,
    estimators=_tabicl.ESTIMATORS,
    packages=("tabicl",),
    late_modules=("tabicl",),
)
"""The learner that `tabicl_extension` adds where the installation has a checkpoint of it."""

_OTHERS = {"blend": "Blend of several models", "linear": "Linear model", "prior": "Guessing"}


def learner_title(name: str) -> str:
    """Return the title of a learner, of the blend or of a baseline.

    Examples
    --------
    >>> learner_title("rf"), learner_title("linear"), learner_title("of another installation")
    ('Random forest', 'Linear model', 'of another installation')
    """
    record = LEARNERS.get(name) or (TABICL if name == TABICL.name else None)
    return _OTHERS.get(name, name) if record is None else record.title
