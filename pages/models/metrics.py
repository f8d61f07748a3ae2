"""Metrics of versions on their test rows, and the names of versions in choices."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import streamlit as st

from core import models
from core.catalog import Model, ModelVersion
from core.catalog import artifacts as artifact_rows
from core.errors import NotFoundError
from core.evaluation import METRICS, Estimate
from core.models import StoredEstimate, VersionComparison
from pages._ui import artifacts, frame, numbers

__all__ = [
    "OpenModel",
    "choice_key",
    "compare",
    "format_estimate",
    "interval_parts",
    "metric_title",
    "test_metrics",
    "version_name",
]

_COMPARISON_BYTES = 20_000


@dataclass(frozen=True)
class OpenModel:
    """The model that is shown.

    Parameters
    ----------
    model : Model
        The model.
    versions : list of ModelVersion
        Its versions, newest first.
    aliases : dict of str to int
        Number of the version that each alias points to.
    version : ModelVersion
        The version in focus.
    """

    model: Model
    versions: list[ModelVersion]
    aliases: dict[str, int]
    version: ModelVersion


def test_metrics(version: ModelVersion) -> dict[str, StoredEstimate]:
    """Return the metrics of a version on its test rows, the one that it was optimized for first."""
    try:
        digest = artifact_rows.get(version.run_id, "result.json", access=frame.access()).digest
    except NotFoundError:  # the run's files are gone; the version's row stays
        return {}
    stored = artifacts.read_json(digest)["test_metrics"]
    own = version.lineage["metric"]
    names = [own, *(name for name in stored if name != own)]
    return {name: StoredEstimate(**stored[name]) for name in names if name in stored}


def format_estimate(estimate: StoredEstimate | Estimate | None) -> str:
    """Write an estimate with its interval."""
    if estimate is None:
        return "–"
    value, low, high = estimate.value, estimate.low, estimate.high
    return f"{numbers.estimate(value, low, high)} {estimate.reason or numbers.interval(low, high)}"


def interval_parts(estimates: Mapping[str, StoredEstimate]) -> dict[str, dict[str, float | None]]:
    """Return estimates as the chart of intervals takes them."""
    return {name: asdict(estimate) for name, estimate in estimates.items()}


def version_name(version: ModelVersion, aliases: Mapping[str, int]) -> str:
    """Return the name of a version in a list of choices."""
    names = [alias for alias, number in aliases.items() if number == version.number]
    names += ["archived"] if version.archived_at is not None else []
    return " · ".join([f"Version {version.number}", *names])


def choice_key(stem: str, versions: Iterable[ModelVersion], aliases: Mapping[str, int]) -> str:
    """Return the key of a choice of versions; it changes when the name of a version changes.

    A browser identifies an option by its label. When a label is gone, the first option would take its place: another
    version than the one on the page, for whatever is pressed next.
    """
    labels = "\n".join(version_name(version, aliases) for version in versions)
    return f"{stem}-{zlib.crc32(labels.encode()):08x}"


def compare(first: ModelVersion, second: ModelVersion, metric: str | None = None) -> VersionComparison:
    """Return how two versions compare; neither changes, so it is computed once."""
    access = frame.access()

    def compute() -> VersionComparison:
        with st.spinner("Comparing both on the same test rows"):
            return models.compare_versions(first.id, second.id, metric=metric, access=access)

    return artifacts.keep(
        ("versions", access.workspace, first.id, second.id, metric), compute, lambda _: _COMPARISON_BYTES
    )


def metric_title(metric: str) -> str:
    """Return the title of a metric."""
    return METRICS[metric].title
