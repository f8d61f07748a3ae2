"""The sentence above a model: which version is the champion, and whether another one is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.catalog import ModelVersion
from core.catalog import models as rows
from core.errors import PlumblineError
from pages._ui import frame
from pages.models import metrics

__all__ = ["show"]


def show(versions: Sequence[ModelVersion], aliases: Mapping[str, int]) -> None:
    """Draw the sentence.

    Parameters
    ----------
    versions : sequence of ModelVersion
        Versions of the model, newest first.
    aliases : mapping of str to int
        Number of the version that each alias points to.
    """
    usable = [version for version in versions if version.archived_at is None]
    if not usable:
        st.subheader("All versions are archived")
        return
    number = aliases.get(rows.CHAMPION)
    champion = next((version for version in usable if version.number == number), None)
    if champion is None:
        st.subheader(f"No version is champion yet; version {usable[0].number} has {_main_metric(usable[0])}")
        st.caption("Promote the version to use, in the tab Versions.")
        return
    newest = usable[0]
    earlier = (version for version in usable if version.number < champion.number)
    other = newest if newest.id != champion.id else next(earlier, None)
    if other is None:
        st.subheader(f"Version {champion.number} is champion, with {_main_metric(champion)}")
        return
    first, second = (champion, other) if other.number > champion.number else (other, champion)
    verdict = _verdict(first, second)
    if second.id == champion.id:
        beginning = f"Version {champion.number} is "
        joined = ", and " if verdict.startswith(beginning) else ". "
        st.subheader(frame.plain(f"{beginning}champion{joined}{verdict.removeprefix(beginning)}"))
    else:
        st.subheader(frame.plain(f"Version {champion.number} is champion, and there is a newer one. {verdict}"))


def _main_metric(version: ModelVersion) -> str:
    estimates = metrics.test_metrics(version)
    if not estimates:
        return "no metrics, because no rows were held out for a test"
    metric, estimate = next(iter(estimates.items()))
    return frame.plain(
        f"{metrics.metric_title(metric)} {metrics.format_estimate(estimate)} on {estimate.n:,} test rows"
    )


def _verdict(first: ModelVersion, second: ModelVersion) -> str:
    try:
        comparison = metrics.compare(first, second)
    except PlumblineError as error:
        return error.message
    if comparison.difference is None:
        return f"How version {second.number} compares with version {first.number} is not known: {comparison.reason}"
    return comparison.verdict
