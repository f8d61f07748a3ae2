"""What federation brings to each site: the shared model beside the site's own, on the site's test rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.automl import Label
from core.evaluation import Estimate, compare_outputs
from core.jsonable import JsonObject, jsonable

__all__ = ["FEDERATED", "LOCAL", "POOLED", "SiteEvidence", "compare_at_site", "read_estimate", "verdict"]

FEDERATED, LOCAL, POOLED = "federated", "local", "pooled"


@dataclass(frozen=True)
class SiteEvidence:
    """Evidence of one site, or of all together.

    Parameters
    ----------
    site : str
        Name of the site; empty for all together.
    train, test : int
        Numbers of rows.
    metrics : dict of dict of Estimate
        Metrics by model: federated, local (the site's own) and pooled.
    gain : Estimate or None
        The study's metric, federated minus local, paired on the test rows, larger being better for the federated
        model; None without a model of the site's own.
    distance : Estimate or None
        The same, federated minus pooled; None where no pooled model was trained.
    local_error : str, default=""
        Reason why the site has no model of its own.
    """

    site: str
    train: int
    test: int
    metrics: dict[str, dict[str, Estimate]]
    gain: Estimate | None
    distance: Estimate | None
    local_error: str = ""

    def to_dict(self) -> JsonObject:
        """Return the evidence as JSON-serializable values."""
        record: JsonObject = jsonable(
            {
                "site": self.site,
                "train": self.train,
                "test": self.test,
                "metrics": {
                    model: {name: estimate.to_dict() for name, estimate in estimates.items()}
                    for model, estimates in self.metrics.items()
                },
                "gain": None if self.gain is None else self.gain.to_dict(),
                "distance": None if self.distance is None else self.distance.to_dict(),
                "local_error": self.local_error,
            }
        )
        return record

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> SiteEvidence:
        """Return the evidence of what `to_dict` returned."""
        return cls(
            record["site"],
            record["train"],
            record["test"],
            {
                model: {name: read_estimate(item) for name, item in estimates.items()}
                for model, estimates in record["metrics"].items()
            },
            None if record["gain"] is None else read_estimate(record["gain"]),
            None if record["distance"] is None else read_estimate(record["distance"]),
            record["local_error"],
        )


def read_estimate(record: Mapping[str, Any]) -> Estimate:
    """Return an estimate from its record; null is NaN."""
    value = float("nan") if record["value"] is None else record["value"]
    return Estimate(value, record["low"], record["high"], record["n"], record.get("rarest"), record.get("reason", ""))


def compare_at_site(
    site: str,
    train: int,
    y: NDArray[np.generic],
    models: Mapping[str, NDArray[np.float64]],
    *,
    task: str,
    metric: str,
    labels: list[Label] | None,
    seed: int,
    local_error: str = "",
) -> SiteEvidence:
    """Return the evidence of test rows.

    Parameters
    ----------
    site : str
        Name of the site; empty for all together.
    train : int
        Number of training rows.
    y : array of shape (n,)
        Class codes or numbers of the test rows.
    models : mapping of str to array
        Outputs of the models for the test rows, the federated one first.
    task, metric : str
        Task, and key of the metric of gain and distance.
    labels : list or None
        Labels by class code.
    seed : int
        Seed of the bootstrap.
    local_error : str, default=""
        Reason why the site has no model of its own.
    """
    names = None if labels is None else [str(label) for label in labels]
    compared = compare_outputs(task, metric, y, models, labels=names, seed=seed)
    return SiteEvidence(
        site,
        train,
        len(y),
        compared.metrics,
        compared.gains.get(LOCAL),
        compared.gains.get(POOLED),
        local_error,
    )


def verdict(by_site: list[SiteEvidence], overall: SiteEvidence | None, metric: str) -> str:
    """Return one or two sentences about what federation brings.

    Parameters
    ----------
    by_site : list of SiteEvidence
        Evidence of the sites.
    overall : SiteEvidence or None
        Evidence of all test rows together; None where they are at the sites.
    metric : str
        Title of the metric.
    """
    compared = [item for item in by_site if item.gain is not None and item.gain.low is not None]
    if not compared:
        return "No site could compare the shared model with its own: too few test rows, or no model of its own."
    better = [item.site for item in compared if item.gain is not None and (item.gain.low or 0) > 0]
    worse = [item.site for item in compared if item.gain is not None and (item.gain.high or 0) < 0]
    undecided = len(compared) - len(better) - len(worse)
    parts = []
    if better:
        parts.append(f"better at {_count(better, len(by_site))}")
    if worse:
        parts.append(f"worse at {_count(worse, len(by_site))}")
    if undecided:
        none = f"all {undecided} sites" if undecided == len(by_site) else f"{undecided} of {len(by_site)} sites"
        parts.append(f"no clear difference at {none}")
    text = f"Compared with each site's own model by {metric}, the shared one is {parts[0]}"
    if parts[0].startswith("no clear"):
        text = f"Compared with each site's own model by {metric}, the shared one shows {parts[0]}"
    elif undecided:
        *others, last = parts
        text = (
            f"Compared with each site's own model by {metric}, the shared one is {', '.join(others)}, and shows {last}"
        )
    elif len(parts) > 1:
        text = f"Compared with each site's own model by {metric}, the shared one is {' and '.join(parts)}"
    text += "."
    if open_sites := len(by_site) - len(compared):
        text += f" {open_sites} of {len(by_site)} sites could not be compared."
    distance = None if overall is None else overall.distance
    if distance is not None and distance.low is not None and distance.high is not None:
        if distance.low <= 0 <= distance.high:
            text += " Training on all rows in one place shows no clear difference from it."
        else:
            side = "worse" if distance.value < 0 else "better"
            text += f" It is {abs(distance.value):.3g} {side} than training on all rows in one place."
    return text


def _count(sites: list[str], total: int) -> str:
    if len(sites) == total:
        return f"all {total} sites"
    return f"{len(sites)} of {total} sites ({', '.join(sites[:3])}{' and others' if len(sites) > 3 else ''})"
