"""What there is to say of a model first: which version counts, and whether another is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.catalog import ModelVersion
from core.catalog import models as rows
from core.errors import PlumblineError
from pages._ui import frame
from pages.models import figures

__all__ = ["show"]


def show(found: Sequence[ModelVersion], aliases: Mapping[str, int]) -> None:
    """Draw the sentence."""
    usable = [version for version in found if version.archived_at is None]
    if not usable:
        st.subheader("All versions are archived")
        return
    number = aliases.get(rows.CHAMPION)
    champion = next((version for version in usable if version.number == number), None)
    if champion is None:
        st.subheader(f"No version is champion yet; version {usable[0].number} has {_figure(usable[0])}")
        st.caption("Promote the version that others shall use, in the tab Versions.")
        return
    newest = usable[0]
    other = (
        newest if newest.id != champion.id else next((each for each in usable if each.number < champion.number), None)
    )
    if other is None:
        st.subheader(f"Version {champion.number} is champion, with {_figure(champion)}")
        return
    first, second = (champion, other) if other.number > champion.number else (other, champion)
    verdict = _against(first, second)
    if second.id == champion.id:
        begun = f"Version {champion.number} is "
        joined = ", and " if verdict.startswith(begun) else ". "
        st.subheader(frame.plain(f"{begun}champion{joined}{verdict.removeprefix(begun)}"))
    else:
        st.subheader(frame.plain(f"Version {champion.number} is champion, and there is a newer one. {verdict}"))


def _figure(version: ModelVersion) -> str:
    measured = figures.metrics(version)
    if not measured:
        return "no figures, for nothing was held out to test it on"
    metric, estimate = next(iter(measured.items()))
    return frame.plain(f"{figures.title(metric)} {figures.told(estimate)} on {estimate['n']:,} test rows")


def _against(first: ModelVersion, second: ModelVersion) -> str:
    try:
        found = figures.comparison(first, second)
    except PlumblineError as error:
        return error.message
    if found.difference is None:
        return f"How version {second.number} compares to version {first.number} is not known: {found.reason}"
    return found.verdict
