"""All models of the workspace; choosing one opens it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import models
from core.catalog import Model, ModelVersion
from core.catalog import models as rows
from pages._ui import frame, listing, numbers
from pages.models import figures, register

__all__ = ["show"]

_KINDS = {"table": "Table", "text": "Text"}


def show(known: list[Model]) -> None:
    """Draw the table of models, and the way to a further one."""
    if known:
        st.subheader(_finding(known))
        st.caption("Select a row to open it.")
        _table(known)
    register.offer(empty=not known)


def _finding(known: list[Model]) -> str:
    led = sum(rows.CHAMPION in rows.aliases(model.id, frame.workspace()) for model in known)
    count = f"{len(known):,} model{'s' * (len(known) != 1)}"
    if led == len(known):
        return f"{count}, {'each ' if led > 1 else ''}with a champion"
    return f"{count}, {len(known) - led:,} without a champion"


def _table(known: list[Model]) -> None:
    listing.show(
        pd.DataFrame([_row(model) for model in known]),
        [model.id for model in known],
        key="models-list",
        parameter="model",
        height="auto",
        column_config={
            "Model": st.column_config.TextColumn(width="medium"),
            "Champion": st.column_config.NumberColumn(format="%d", help="The version that counts."),
            "Figures of": st.column_config.TextColumn(help="The champion; without one the newest in use."),
            "Value": st.column_config.TextColumn("Value and 95 % interval"),
            "Test rows": st.column_config.NumberColumn(format="localized"),
            "Aliases": st.column_config.ListColumn(),
            "Registered": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm", help="The newest version."),
        },
        alt="Models of this workspace",
    )


def _row(model: Model) -> dict[str, object]:
    found = models.versions(model.id, workspace=frame.workspace())
    aliases = rows.aliases(model.id, frame.workspace())
    told = _told_by(found, aliases.get(rows.CHAMPION))
    measured = figures.metrics(told)
    metric = next(iter(measured), None)
    return {
        "Model": model.name,
        "Champion": aliases.get(rows.CHAMPION),
        "Figures of": f"Version {told.number}",
        "Metric": None if metric is None else figures.title(metric),
        "Value": None if metric is None else figures.told(measured[metric]),
        "Test rows": None if metric is None else measured[metric]["n"],
        "Versions": len(found),
        "Aliases": [f"{alias} {number}" for alias, number in aliases.items() if alias != rows.CHAMPION] or None,
        "Kind": _KINDS[told.kind],
        "Registered": numbers.when(found[0].created_at),
    }


def _told_by(found: list[ModelVersion], champion: int | None) -> ModelVersion:
    """Return the version that a model's figures are of."""
    usable = [version for version in found if version.archived_at is None]
    return next((version for version in usable if champion in (None, version.number)), found[0])
