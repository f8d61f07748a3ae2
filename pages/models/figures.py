"""What versions were found to do: read from their runs, kept by content, written as people read it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core import models
from core.automl import METRICS
from core.catalog import Model, ModelVersion
from core.catalog import artifacts as artifact_rows
from core.errors import NotFoundError
from pages._ui import artifacts, frame, numbers

__all__ = ["Opened", "comparison", "key", "metrics", "name", "title", "told"]


@dataclass(frozen=True)
class Opened:
    """A model that is shown: its versions newest first, where its aliases point, the version in focus."""

    model: Model
    versions: list[ModelVersion]
    aliases: dict[str, int]
    version: ModelVersion


def metrics(version: ModelVersion) -> dict[str, dict[str, Any]]:
    """Return what a version was found to do on its test rows: value, low, high, n by metric, its own metric first."""
    try:
        digest = artifact_rows.get(version.run_id, "result.json", version.workspace).digest
    except NotFoundError:  # the run's files are gone; the version's row stays
        return {}
    found = artifacts.read_json(digest)["test_metrics"]
    own = version.lineage["metric"]
    return {key: found[key] for key in [own, *(key for key in found if key != own)] if key in found}


def told(estimate: Mapping[str, Any] | None) -> str:
    """Write an estimate with its interval."""
    if estimate is None:
        return "–"
    value, low, high = (estimate[part] for part in ("value", "low", "high"))
    return f"{numbers.estimate(value, low, high)} {numbers.interval(low, high)}"


def name(version: ModelVersion, aliases: Mapping[str, int]) -> str:
    """Return what a version is called in a list of choices."""
    called = [alias for alias, number in aliases.items() if number == version.number]
    called += ["archived"] if version.archived_at is not None else []
    return " · ".join([f"Version {version.number}", *called])


def key(stem: str, versions: Iterable[ModelVersion], aliases: Mapping[str, int]) -> str:
    """Return the key of a choice of versions; it is another one when what a version is called has changed.

    A browser tells a choice by its label. One that is no longer there would be taken for no choice, and the first
    option would come in its place: another version than the one on the page, for whatever is pressed next.
    """
    labels = "\n".join(name(version, aliases) for version in versions)
    return f"{stem}-{zlib.crc32(labels.encode()):08x}"


def comparison(first: ModelVersion, second: ModelVersion, metric: str | None = None) -> models.VersionComparison:
    """Return how two versions compare; neither changes, so it is computed once."""
    return _comparison(first.id, second.id, metric, frame.workspace())


@st.cache_data(max_entries=50, show_spinner="Comparing both on the same test rows")
def _comparison(first: str, second: str, metric: str | None, workspace: str) -> models.VersionComparison:
    return models.compare(first, second, metric=metric, workspace=workspace)


def title(metric: str) -> str:
    """Return a metric's name."""
    return METRICS[metric].title
