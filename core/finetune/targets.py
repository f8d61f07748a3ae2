"""What a model predicts of a text: one class of several, a number, or any number of labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.evaluation import LABEL_THRESHOLD
from core.registry import Registry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from transformers import PretrainedConfig

    Array = NDArray[np.float64]

__all__ = ["TARGET_KINDS", "TargetKind", "kind_of_config", "kind_of_task"]


def _shares(logits: Array) -> Array:
    from scipy.special import softmax

    outputs: Array = softmax(logits, axis=1)
    return outputs


def _own_shares(logits: Array) -> Array:
    from scipy.special import expit

    outputs: Array = expit(logits)
    return outputs


def _numbers(logits: Array) -> Array:
    return logits[:, 0]


@dataclass(frozen=True)
class TargetKind:
    """One kind of target.

    Parameters
    ----------
    name : str
        Value of `FineTuneSettings.task`.
    title : str
        Name that pages show.
    holds : str
        Content of such a column, in sentences.
    problem_type : str
        Name in the configuration of a model of transformers.
    outputs : callable
        Takes logits, shape (n, k); returns probabilities of the same shape, or numbers, shape (n,).
    metrics : tuple of str
        Metrics that are computed at each epoch, by their names in `METRICS`; the first one chooses the epoch.
    balanced_metric : str
        Metric that chooses the epoch when classes are weighted.
    loss : str
        Metric that judges the outputs themselves.
    """

    name: str
    title: str
    holds: str
    problem_type: str
    outputs: Callable[[Array], Array]
    metrics: tuple[str, ...]
    balanced_metric: str
    loss: str

    def choose(self, outputs: Array) -> NDArray[np.intp]:
        """Return the predicted class of each row, shape (n,), or 1 for each predicted label, shape (n, labels).

        Parameters
        ----------
        outputs : array of shape (n, k)
            Probabilities of the classes or labels. A label is predicted from a half on.
        """
        chosen: NDArray[np.intp] = outputs.argmax(axis=1)
        if self.name == "multilabel":
            chosen = (outputs >= LABEL_THRESHOLD).astype(chosen.dtype)
        return chosen


TARGET_KINDS: Registry[TargetKind] = Registry(
    "kind of target",
    [
        TargetKind(
            name="classification",
            title="Classes",
            holds="classes",
            problem_type="single_label_classification",
            outputs=_shares,
            metrics=("accuracy", "f1_macro", "log_loss"),
            balanced_metric="f1_macro",
            loss="log_loss",
        ),
        TargetKind(
            name="regression",
            title="A number",
            holds="a number",
            problem_type="regression",
            outputs=_numbers,
            metrics=("rmse", "mae", "r2"),
            balanced_metric="rmse",
            loss="rmse",
        ),
        TargetKind(
            name="multilabel",
            title="Several labels",
            holds="any number of labels",
            problem_type="multi_label_classification",
            outputs=_own_shares,
            metrics=("f1_micro", "f1_labels", "exact_match", "label_log_loss"),
            balanced_metric="f1_labels",
            loss="label_log_loss",
        ),
    ],
)
"""All kinds of target by name."""


def kind_of_task(task: str) -> TargetKind:
    """Return the kind of target of a task.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression", "multilabel"}
        The task.

    Examples
    --------
    >>> kind_of_task("binary").name, kind_of_task("multilabel").title
    ('classification', 'Several labels')
    """
    return TARGET_KINDS["classification" if task in ("binary", "multiclass") else task]


def kind_of_config(config: PretrainedConfig) -> TargetKind:
    """Return the kind of target that a model predicts; a model without a name for it has one output per class.

    Parameters
    ----------
    config : PretrainedConfig
        Configuration of a model of transformers.
    """
    by_type = {kind.problem_type: kind for kind in TARGET_KINDS.values()}
    usual = TARGET_KINDS["regression" if config.num_labels == 1 else "classification"]
    return by_type.get(str(config.problem_type), usual)
