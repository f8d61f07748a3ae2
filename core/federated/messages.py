"""The kinds of messages of a study: what is asked, and what leaves a site. There are no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.federated.algorithms import averaging, linear
from core.federated.algorithms.boosting import sites as boosting
from core.federated.evidence import at_site
from core.federated.features import site_statistics
from core.federated.site import masking
from core.federated.texts import site as texts
from core.registry import Registry

if TYPE_CHECKING:
    from core.federated.protocol.message import Reply, Request
    from core.federated.site.site import Site

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
        What leaves the site, in one sentence.
    answer : callable
        ``answer(site, request)`` returns the `Reply`.
    summed : bool, default=False
        Whether the arrays are values of which the coordinator needs the sum over sites alone; they are masked.
    stateful : bool, default=False
        Whether a site that was away has to be asked all the same, because later requests build on it.
    """

    name: str
    title: str
    leaves: str
    answer: Callable[[Site, Request], Reply]
    summed: bool = False
    stateful: bool = False


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
            "Counts of training rows in cells that were joined until each has at least 10.",
            site_statistics.count_cells,
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
        ),
        MessageKind(
            "moments",
            "Means and variances",
            "Sums of each feature, and of its squared distance from the mean, over all training rows.",
            linear.answer_moments,
            summed=True,
        ),
        MessageKind(
            "products",
            "Products of columns",
            "Sums of products of the features, and of the features with the target.",
            linear.answer_products,
            summed=True,
        ),
        MessageKind(
            "slope",
            "Gradient",
            "Gradient and curvature of the loss over all training rows, and their mean loss.",
            linear.answer_slope,
            summed=True,
        ),
        MessageKind(
            "target_moments",
            "Mean and variance of the target",
            "Sums of the target, and of its squared distance from the mean.",
            averaging.answer_target_moments,
            summed=True,
        ),
        MessageKind(
            "update",
            "Update",
            "The change of the shared weights by training on the site's rows, and their mean loss.",
            averaging.answer_update,
            summed=True,
        ),
        MessageKind(
            "label_sums",
            "Sums of the target",
            "The number of training rows by class, or the sum of the target.",
            boosting.answer_label_sums,
            summed=True,
        ),
        MessageKind(
            "tree",
            "First histogram of a tree",
            "Sums of the loss's derivatives by bin of each feature, and the mean loss.",
            boosting.answer_tree,
            summed=True,
            stateful=True,
        ),
        MessageKind(
            "leaf",
            "Histogram of a leaf",
            "Sums of the loss's derivatives by bin of each feature, over the rows of one leaf.",
            boosting.answer_leaf,
            summed=True,
            stateful=True,
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
            "The change of the shared adapters and head by training on the site's texts, and their mean loss.",
            texts.answer_adapters,
            summed=True,
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
