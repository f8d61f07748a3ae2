"""The evidence of each site as tables: metrics of the shared, own and pooled model, and the gain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

__all__ = ["MODELS", "Gains", "gain_table", "gains_of", "model_table"]

MODELS = {"federated": "Shared model", "local": "Own model", "pooled": "Pooled training"}
"""Titles of the models that are compared at a site."""


@dataclass(frozen=True)
class Gains:
    """Numbers of sites by what the shared model brings them.

    Parameters
    ----------
    sites : int
        All sites.
    better, worse, unsure : int
        Sites whose interval of the gain is above 0, below 0, or has 0 in it.
    unknown : int
        Sites without an interval.
    """

    sites: int
    better: int
    worse: int
    unsure: int
    unknown: int


def gains_of(record: Mapping[str, Any]) -> Gains:
    """Return how many sites gain, lose or cannot tell."""
    known = [item["gain"] for item in record["sites"] if item["gain"] is not None and item["gain"]["low"] is not None]
    better = sum(gain["low"] > 0 for gain in known)
    worse = sum(gain["high"] < 0 for gain in known)
    total = len(record["sites"])
    return Gains(total, better, worse, len(known) - better - worse, total - len(known))


def gain_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per site with a gain: site, value, low, high, n, sure (whether 0 is outside the interval)."""
    rows = [
        {
            "site": item["site"],
            **{name: item["gain"][name] for name in ("value", "low", "high", "n")},
            "sure": item["gain"]["low"] is not None and not item["gain"]["low"] <= 0 <= item["gain"]["high"],
        }
        for item in record["sites"]
        if item["gain"] is not None and item["gain"]["value"] is not None
    ]
    table = pd.DataFrame(rows, columns=["site", "value", "low", "high", "n", "sure"])
    return table.sort_values("value", ascending=False, ignore_index=True)


def model_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per site and model with a metric: site, model, value, n."""
    metric = record["metric"]
    rows = [
        {"site": item["site"], "model": title, "value": item["metrics"][model][metric]["value"], "n": item["test"]}
        for item in record["sites"]
        for model, title in MODELS.items()
        if model in item["metrics"] and item["metrics"][model][metric]["value"] is not None
    ]
    return pd.DataFrame(rows, columns=["site", "model", "value", "n"])
