"""TabICL as estimators: a pre-trained transformer that reads the training rows with each prediction.

Qu, Holzmüller, Varoquaux, Le Morvan (2025), "TabICL: a tabular foundation model for in-context learning on large data".
The package and a checkpoint file are the user's. An estimator holds the training rows and the checkpoint's digest.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from core.automl._types import Features, Output, Target
from core.errors import InputError
from core.settings import get_settings

__all__ = [
    "TabICLClassifier",
    "TabICLModel",
    "TabICLRegressor",
    "checkpoint_digest",
    "checkpoint_problem",
    "predicts_classes",
]


def _checkpoint() -> Path:
    """Return the checkpoint file of this installation."""
    path = get_settings().tabicl_checkpoint
    if path is None or not path.is_file():
        raise InputError(
            "This model is a TabICL, which needs a checkpoint file, "
            + ("and none is set." if path is None else f"and there is none at '{path}'."),
            "Set PLUMBLINE_TABICL_CHECKPOINT to the file that the model was made with.",
        )
    return path


@lru_cache(maxsize=2)
def _digest(path: Path, size: int, modified: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def checkpoint_digest() -> str:
    """Return the SHA-256 digest of this installation's checkpoint file."""
    path = _checkpoint()
    facts = path.stat()
    return _digest(path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=1)
def _network(digest: str) -> tuple[Any, dict[str, Any]]:
    """Return the network of the checkpoint, which all models of a process share, and its configuration."""
    import torch
    from tabicl._model.tabicl import TabICL

    stored = torch.load(_checkpoint(), map_location="cpu", weights_only=True)
    network = TabICL(**stored["config"])
    network.load_state_dict(stored["state_dict"])
    network.eval()
    return network, stored["config"]


def checkpoint_problem() -> str:
    """Return why this installation's checkpoint cannot be used, as half a sentence; empty where it can."""
    try:
        _network(checkpoint_digest())
    except InputError:
        return f"its checkpoint file '{get_settings().tabicl_checkpoint}' does not exist"
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, EOFError, UnpicklingError, ImportError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        return f"its checkpoint '{get_settings().tabicl_checkpoint}' cannot be read: {first}"
    return ""


def predicts_classes() -> bool:
    """Return whether the checkpoint is one of classes; others predict numbers."""
    _, config = _network(checkpoint_digest())
    return int(config.get("max_classes", 10)) > 0


class TabICLModel(BaseEstimator):
    """What the classifier and the regressor share.

    Parameters
    ----------
    n_estimators : int, default=4
        Number of views of the table (features and classes in another order) whose answers are averaged.
    n_jobs : int, default=1
        Number of threads.
    random_state : int, default=0
        Seed.

    Attributes
    ----------
    X_, y_ : arrays
        The training rows.
    digest_ : str
        SHA-256 digest of the checkpoint file.
    """

    def __init__(self, n_estimators: int = 4, n_jobs: int = 1, random_state: int = 0) -> None:
        self.n_estimators = n_estimators
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Features, y: Target) -> TabICLModel:
        """Hold the rows to learn from."""
        self.digest_ = checkpoint_digest()
        self.X_: Features = np.array(X, dtype=np.float32)
        self.y_: NDArray[Any] = np.array(y)
        self.n_features_in_ = self.X_.shape[1]
        self.__dict__.pop("_reader", None)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "X_")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_reader"}

    def reader(self) -> Any:
        """Return the package's own estimator of these rows."""
        if "_reader" not in self.__dict__:
            current = checkpoint_digest()
            if current != self.digest_:
                raise InputError(
                    f"This model was made with another TabICL checkpoint ({self.digest_[:12]}) than this installation "
                    f"has ({current[:12]}).",
                    "Set PLUMBLINE_TABICL_CHECKPOINT to the file that the model was made with.",
                )
            self._reader = self._new_reader(current)
        return self._reader

    def _new_reader(self, digest: str) -> Any:
        import tabicl

        base = tabicl.TabICLClassifier if isinstance(self, ClassifierMixin) else tabicl.TabICLRegressor

        class Reader(base):  # type: ignore[misc, valid-type]
            """Takes the network that is loaded already."""

            def _load_model(self) -> None:
                self.model_path_ = _checkpoint()
                self.model_, self.model_config_ = _network(digest)

        reader = Reader(
            n_estimators=self.n_estimators,
            model_path=_checkpoint(),
            allow_auto_download=False,
            device="cpu",
            n_jobs=self.n_jobs,
            random_state=self.random_state,
        )
        return reader.fit(self.X_, self.y_)


class TabICLRegressor(RegressorMixin, TabICLModel):
    """A TabICL of numbers; parameters as of `TabICLModel`."""

    def predict(self, X: Features) -> Output:
        """Return numbers, float64, shape (n,)."""
        return np.asarray(self.reader().predict(np.asarray(X, dtype=np.float32)), dtype=np.float64)


class TabICLClassifier(ClassifierMixin, TabICLModel):
    """A TabICL of classes; parameters as of `TabICLModel`."""

    @property
    def classes_(self) -> NDArray[Any]:
        """The classes that it has seen."""
        return np.unique(self.y_)

    def predict_proba(self, X: Features) -> Output:
        """Return probabilities of `classes_`, float64, shape (n, k)."""
        return np.asarray(self.reader().predict_proba(np.asarray(X, dtype=np.float32)), dtype=np.float64)

    def predict(self, X: Features) -> NDArray[Any]:
        """Return the most probable class."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])
