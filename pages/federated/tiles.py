"""The figures below the verdict: how good the shared model is, who gains, and what it took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.automl import METRICS
from pages._ui import frame, numbers
from pages.federated.site_evidence import gains_of

__all__ = ["show"]


def show(record: Mapping[str, Any]) -> None:
    """Draw the tiles of a study, from the content of ``federated.json``."""
    with st.container(horizontal=True):
        if record["overall"] is not None:
            _metric(record)
        _gains(record)
        if record["overall"] is not None and record["overall"]["distance"] is not None:
            _distance(record)
        _traffic(record)
        _rounds(record)


def _metric(record: Mapping[str, Any]) -> None:
    name = record["metric"]
    item = record["overall"]["metrics"]["federated"][name]
    smaller = "" if METRICS[name].larger_is_better else " Smaller is better."
    _tile(
        METRICS[name].title,
        numbers.estimate(item["value"], item["low"], item["high"]),
        numbers.interval(item["low"], item["high"]),
        f"The shared model on {item['n']:,} test rows of all sites, with a 95% interval. "
        f"{METRICS[name].help}{smaller} {_sentence(item.get('reason', ''))}",
    )


def _gains(record: Mapping[str, Any]) -> None:
    gains = gains_of(record)
    parts = []
    if gains.worse:
        parts.append(f"{gains.worse:,} surely worse")
    if gains.unsure:
        parts.append(f"{gains.unsure:,} not sure")
    if gains.unknown:
        parts.append(f"{gains.unknown:,} too small to tell")
    _tile(
        "Sites that surely gain",
        f"{gains.better:,} of {gains.sites:,}",
        ", ".join(parts) or "no other",
        "Sites where the shared model is better than the site's own on the site's test rows, with an interval above 0.",
    )


def _distance(record: Mapping[str, Any]) -> None:
    item = record["overall"]["distance"]
    digits = 3 if item["low"] is None else _decimals(item)
    _tile(
        "Distance to pooled training",
        numbers.signed(round(item["value"], digits), f".{digits}f"),
        numbers.interval(item["low"], item["high"]),
        f"{METRICS[record['metric']].title} of the shared model less that of a model trained on the rows of all sites "
        f"in one place, on the same {item['n']:,} test rows; below 0 the shared model is worse. "
        f"{_sentence(item.get('reason', ''))}",
    )


def _decimals(item: Mapping[str, Any]) -> int:
    """Return as many decimals as the interval is written with."""
    _, _, fraction = numbers.interval(item["low"], item["high"]).strip("[]").split(",")[0].partition(".")
    return len(fraction)


def _traffic(record: Mapping[str, Any]) -> None:
    sites = max(1, len(record["sites"]))
    traffic = record["bytes"]
    _tile(
        "Data sent per site",
        numbers.size(traffic["received"] // sites),
        f"{traffic['messages'] // sites:,} messages",
        "Bytes that left a site on average, in all of its answers. The tab Messages has each of them.",
    )


def _rounds(record: Mapping[str, Any]) -> None:
    count = len(record["rounds"])
    _tile(
        "Rounds",
        f"{count:,}",
        numbers.duration(record["elapsed_s"]),
        "Rounds of training, and the time from the first question to the shared model. Between machines, the network "
        "adds to it.",
    )


def _tile(title: str, value: str, below: str, explanation: str) -> None:
    st.metric(
        title,
        value,
        below,
        delta_color="off",
        delta_arrow="off",
        border=True,
        width="stretch",
        help=explanation.strip(),
    )


def _sentence(reason: str) -> str:
    """Return why a figure has no interval, as a sentence."""
    return f"{reason[0].upper()}{frame.plain(reason[1:])}." if reason else ""
