"""The kinds of messages of a study: what is asked, and what leaves a site. There are no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.federated._settings import FederatedSettings
from core.federated.algorithms import averaging, linear
from core.federated.algorithms.boosting import sites as boosting
from core.federated.evidence import at_site
from core.federated.features import site_statistics
from core.federated.features.histograms import REFINEMENTS
from core.federated.protocol.masks import SUM_ATTEMPTS
from core.federated.site import masking
from core.federated.texts import site as texts
from core.registry import Registry

if TYPE_CHECKING:
    from core.federated.protocol.message import Reply, Request
    from core.federated.site.site import Plan, Site

__all__ = ["COMMON", "MESSAGES", "MessageKind"]


@dataclass(frozen=True)
class MessageKind:
    """One kind of message.

    Parameters
    ----------
    name : str
        Key in requests.
    title : str
        Name that pages and the site's operator see.
    leaves : str
        Sentence about what leaves the site.
    answer : callable
        ``answer(site, request)`` returns the `Reply`.
    summed : bool, default=False
        Whether the arrays are values of which the coordinator needs the sum over sites alone; they are masked.
    stateful : bool, default=False
        Whether a site that was away has to be asked all the same, because later requests build on it.
    most : int or callable, default=1
        Number of times that a site answers it in a study, or a function of the plan that returns it.
    """

    name: str
    title: str
    leaves: str
    answer: Callable[[Site, Request], Reply]
    summed: bool = False
    stateful: bool = False
    most: int | Callable[[Plan], int] = 1


def _rounds(plan: Plan) -> int:
    return SUM_ATTEMPTS * plan.settings.rounds_to_train


def _trees(plan: Plan) -> int:
    return int(_rounds(plan) * (plan.classes if plan.classes > 2 else 1))


def _leaves(plan: Plan) -> int:
    return _trees(plan) * (plan.settings.max_leaves - 1)


def _text_rounds(plan: Plan) -> int:
    return SUM_ATTEMPTS * int(plan.settings.rounds)


def _sums(plan: Plan) -> int:
    """Return how often masks may be asked for: as often as all sums together."""
    if not isinstance(plan.settings, FederatedSettings):
        return _text_rounds(plan)
    summed = [kind for kind in MESSAGES.values() if kind.summed and kind.name != "adapters"]
    return sum(kind.most if isinstance(kind.most, int) else kind.most(plan) for kind in summed)


COMMON = ("describe", "plan", "categories", "histograms", "features", "unmask")
"""Kinds that every study has, whatever its algorithm."""

MESSAGES: Registry[MessageKind] = Registry(
    "kind of message",
    [
        MessageKind(
            "describe",
            "Schema",
            "Names and types of the columns, the task, labels with at least 10 rows, and the site's public key.",
            site_statistics.describe,
        ),
        MessageKind(
            "plan",
            "Plan",
            "The numbers of training, test and unusable rows.",
            site_statistics.take_plan,
            stateful=True,
        ),
        MessageKind(
            "categories",
            "Categories",
            "Categories with at least 10 training rows and their counts; columns with as many missing cells.",
            site_statistics.count_categories,
        ),
        MessageKind(
            "histograms",
            "Histograms",
            "Numbers of training rows below some edges, of which no two differ by 1 to 9.",
            site_statistics.count_cells,
            stateful=True,
            most=REFINEMENTS + 1,
        ),
        MessageKind(
            "features",
            "Features",
            "The number of features.",
            site_statistics.take_features,
            stateful=True,
        ),
        MessageKind(
            "unmask",
            "Masks of a sum",
            "The seed of the site's own mask of one sum, and of masks shared with sites that did not answer.",
            masking.answer_unmask,
            most=_sums,
        ),
        MessageKind(
            "moments",
            "Means and variances",
            "Sums of each feature, and of its squared distance from the mean, over all training rows.",
            linear.answer_moments,
            summed=True,
            most=2 * SUM_ATTEMPTS,
        ),
        MessageKind(
            "products",
            "Products of columns",
            "Sums of products of the features, and of the features with the target.",
            linear.answer_products,
            summed=True,
            most=SUM_ATTEMPTS,
        ),
        MessageKind(
            "slope",
            "Gradient",
            "Loss, gradient and curvature, summed over all training rows.",
            linear.answer_slope,
            summed=True,
            most=_rounds,
        ),
        MessageKind(
            "update",
            "Update",
            "The change of the shared weights by training on the site's rows, and the loss, times their number.",
            averaging.answer_update,
            summed=True,
            most=_rounds,
        ),
        MessageKind(
            "label_sums",
            "Sums of the target",
            "The number of training rows by class, or the sum of the target.",
            boosting.answer_label_sums,
            summed=True,
            most=SUM_ATTEMPTS,
        ),
        MessageKind(
            "tree",
            "First histogram of a tree",
            "Sums of the loss's derivatives by bin of each feature, and of the loss.",
            boosting.answer_tree,
            summed=True,
            stateful=True,
            most=_trees,
        ),
        MessageKind(
            "leaf",
            "Histogram of a leaf",
            "Sums of the loss's derivatives by bin of each feature, over the rows of one leaf.",
            boosting.answer_leaf,
            summed=True,
            stateful=True,
            most=_leaves,
        ),
        MessageKind(
            "text_schema",
            "Schema of texts",
            "Labels with at least 10 texts, and the site's public key.",
            texts.describe_texts,
        ),
        MessageKind(
            "text_plan",
            "Plan of texts",
            "The numbers of training, validation and test texts.",
            texts.take_text_plan,
            stateful=True,
        ),
        MessageKind(
            "adapters",
            "Update of adapters",
            "The change of the shared adapters and head by training on its texts, and the loss, times their number.",
            texts.answer_adapters,
            summed=True,
            most=_text_rounds,
        ),
        MessageKind(
            "evaluate",
            "Evaluation",
            "Metrics of the shared model and of the site's own on its test rows, also by groups with at least 10 rows.",
            at_site.answer_evaluate,
        ),
    ],
)
"""Kinds of messages by name."""
