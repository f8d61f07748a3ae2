"""The list of all models in the workspace; selecting a row opens the model."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import models
from core.catalog import Model, ModelVersion
from core.catalog import models as rows
from core.models import MODEL_KINDS
from pages._ui import frame, listing, numbers
from pages.models import metrics, promotion, register

__all__ = ["show"]


def show(registered: list[Model]) -> None:
    """Draw the list, and the form that registers one more model."""
    promotion.list_waiting(registered)
    if registered:
        st.subheader(_headline(registered))
        st.caption("Select a row to open the model.")
        _models_table(registered)
    register.offer(empty=not registered)


def _headline(registered: list[Model]) -> str:
    led = sum(rows.CHAMPION in rows.aliases(model.id, access=frame.access()) for model in registered)
    count = f"{len(registered):,} model{'s' * (len(registered) != 1)}"
    if led == len(registered):
        return f"{count}, {'each ' if led > 1 else ''}with a champion"
    return f"{count}, {len(registered) - led:,} without a champion"


def _models_table(registered: list[Model]) -> None:
    listing.show(
        pd.DataFrame([_row(model) for model in registered]),
        [model.id for model in registered],
        key="models-list",
        parameter="model",
        height="auto",
        column_config={
            "Model": st.column_config.TextColumn(width="medium"),
            "Champion": st.column_config.NumberColumn(format="%d", help="The version in use."),
            "Metric of": st.column_config.TextColumn(help="The champion, else the newest version in use."),
            "Value": st.column_config.TextColumn("Value and 95% interval"),
            "Test rows": st.column_config.NumberColumn(format="localized"),
            "Aliases": st.column_config.ListColumn(),
            "Registered": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm", help="The newest version."),
        },
        alt="Models of this workspace",
    )


def _row(model: Model) -> dict[str, object]:
    versions = models.versions(model.id, access=frame.access())
    aliases = rows.aliases(model.id, access=frame.access())
    version = _main_version(versions, aliases.get(rows.CHAMPION))
    estimates = metrics.test_metrics(version)
    metric = next(iter(estimates), None)
    return {
        "Model": model.name,
        "Champion": aliases.get(rows.CHAMPION),
        "Metric of": f"Version {version.number}",
        "Metric": None if metric is None else metrics.metric_title(metric),
        "Value": None if metric is None else metrics.format_estimate(estimates[metric]),
        "Test rows": None if metric is None else estimates[metric].n,
        "Versions": len(versions),
        "Aliases": [f"{alias} {number}" for alias, number in aliases.items() if alias != rows.CHAMPION] or None,
        "Type": MODEL_KINDS[version.kind].title,
        "Registered": numbers.when(versions[0].created_at),
    }


def _main_version(versions: list[ModelVersion], champion: int | None) -> ModelVersion:
    """Return the version whose metrics the list shows."""
    usable = [version for version in versions if version.archived_at is None]
    return next((version for version in usable if champion in (None, version.number)), versions[0])
