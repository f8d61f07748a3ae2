"""What a site does while trees grow: it keeps the leaf of each row, and adds up derivatives by bin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.federated.algorithms.boosting.bins import Bins, make_bins
from core.federated.features.summary import encoded_summary
from core.federated.protocol.message import Reply, Request
from core.federated.site.site import Site

__all__ = ["answer_label_sums", "answer_leaf", "answer_tree", "site_bins"]

Doubles = NDArray[np.float64]


def site_bins(site: Site) -> Bins:
    """Return the bins, which each site makes of the shared statistics."""
    return make_bins(encoded_summary(site.columns), site.agreed.settings.bins)


def answer_label_sums(site: Site, request: Request) -> Reply:
    """Return the number of rows by class, or the sum of the numbers."""
    classes = site.agreed.classes
    sums = np.bincount(site.y, minlength=classes).astype(np.float64) if classes else np.array([site.target.sum()])
    return Reply({}, {"sums": sums, "rows": np.array([float(len(site.y))])})


def answer_tree(site: Site, request: Request) -> Reply:
    """Add the last tree to the scores, begin a tree, and return the histogram of its first leaf."""
    memory, plan = site.memory, site.agreed
    if "positions" not in memory:
        bins = site_bins(site)
        memory["positions"], memory["width"] = bins.positions(site.X), int(bins.offsets[-1])
        memory["scores"] = np.tile(np.asarray(request.arrays["start"], dtype=np.float64), (len(site.y), 1))
        memory["begun"] = -1
    scores: Doubles = memory["scores"]
    if memory["begun"] != int(request.content["tree"]):  # a sum that failed is asked for again
        if "values" in request.arrays:
            values = np.asarray(request.arrays["values"], dtype=np.float64)
            scores[:, memory["class"]] += values[memory["leaf"]]
        memory["begun"], memory["class"] = int(request.content["tree"]), int(request.content["class"])
        memory["leaf"], memory["leaves"] = np.zeros(len(site.y), dtype=np.int32), 1
        if memory["class"] == 0:
            memory["derivatives"], site.loss = _derivatives(scores, site.target, plan.classes)
    assert site.loss is not None
    rows = np.array([float(len(site.y))])
    histogram = _histogram(memory, np.arange(len(site.y)))
    return Reply({}, {"histogram": histogram, "rows": rows, "loss": rows * site.loss})


def answer_leaf(site: Site, request: Request) -> Reply:
    """Move rows of a split leaf, and return the histogram of one of the two."""
    memory, content = site.memory, request.content
    number, new = int(content["leaf"]), int(content["new"])
    if memory["leaves"] == new:
        rows = np.flatnonzero(memory["leaf"] == number)
        right = memory["positions"][rows, int(content["feature"])] > int(content["position"])
        memory["leaf"][rows[right]] = new
        memory["leaves"] += 1
    return Reply({}, {"histogram": _histogram(memory, np.flatnonzero(memory["leaf"] == int(content["asked"])))})


def _histogram(memory: dict[str, Any], rows: NDArray[np.intp]) -> Doubles:
    """Return sums of first and second derivatives and of rows by bin, shape (bins, 3)."""
    width, number = memory["width"], memory["class"]
    cells = memory["positions"][rows].ravel()
    features = memory["positions"].shape[1]
    first, second = memory["derivatives"]
    sums = np.empty((width, 3))
    sums[:, 0] = np.bincount(cells, np.repeat(first[rows, number], features), width)
    sums[:, 1] = np.bincount(cells, np.repeat(second[rows, number], features), width)
    sums[:, 2] = np.bincount(cells, minlength=width)
    return sums


def _derivatives(scores: Doubles, y: NDArray[np.generic], classes: int) -> tuple[tuple[Doubles, Doubles], float]:
    """Return both derivatives of the loss by the scores, in float32's precision as LightGBM, and its mean."""
    if not classes:
        first = scores - np.asarray(y, dtype=np.float64)[:, None]
        return (_single(first), np.ones_like(first)), float(0.5 * np.square(first).mean())
    if classes == 2:
        sign = np.where(y == 1, 1.0, -1.0)[:, None]
        first = -sign / (1.0 + np.exp(sign * scores))
        loss = float(np.logaddexp(0.0, -sign * scores).mean())
        return (_single(first), _single(np.abs(first) * (1.0 - np.abs(first)))), loss
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances = odds / odds.sum(axis=1, keepdims=True)
    true = chances[np.arange(len(y)), y.astype(np.intp)]
    first = chances - np.eye(classes)[y.astype(np.intp)]
    second = classes / (classes - 1) * chances * (1.0 - chances)
    return (_single(first), _single(second)), float(-np.log(np.maximum(true, 1e-300)).mean())


def _single(values: Doubles) -> Doubles:
    return values.astype(np.float32).astype(np.float64)
