"""What a site says of its table: types, labels, counts of at least ten rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.datasets import infer_task, whole_numbers
from core.errors import InputError
from core.features import LARGEST, MISSING, as_categories, as_dates, as_doubles, as_seconds, plan_columns
from core.federated._settings import MIN_COUNT, FederatedSettings
from core.federated.features.histograms import merged_counts
from core.federated.features.summary import shared_encoder
from core.federated.protocol.message import Reply, Request
from core.federated.site.site import Plan, Site

__all__ = ["count_categories", "count_cells", "describe", "take_features", "take_plan"]

_MOST_LABELS = 200


def describe(site: Site, request: Request) -> Reply:
    """Return the columns with their types, the task, the labels with at least ten rows, and the site's public key."""
    settings = FederatedSettings.model_validate(request.content["settings"])
    frame = site.frame
    if settings.target not in frame.columns:
        raise InputError(f"The site '{site.name}' has no column '{settings.target}'.", "Leave the site out.")
    left_out = {settings.target, settings.site_column, *settings.drop_columns}
    features = frame.drop(columns=[name for name in frame.columns if name in left_out])
    plans = plan_columns(features, {name: kind for name, kind in settings.column_types.items() if name in features})
    target = frame[settings.target]
    task = infer_task(target) if settings.task == "auto" else settings.task
    labels = []
    if task != "regression":
        counts = whole_numbers(target).dropna().value_counts()
        labels = [_plain(label) for label, count in counts.items() if count >= MIN_COUNT][:_MOST_LABELS]
    return Reply(
        {
            "columns": {plan.name: plan.kind for plan in plans},
            "reasons": {plan.name: plan.reason for plan in plans if plan.reason},
            "task": task,
            "labels": labels,
            "public_key": site.keys.public,
        }
    )


def _plain(label: object) -> object:
    return label.item() if isinstance(label, np.generic) else label


def take_plan(site: Site, request: Request) -> Reply:
    """Take the plan, and return how many rows the site trains and tests on."""
    content = request.content
    site.agree(
        Plan(
            FederatedSettings.model_validate(content["settings"]),
            content["task"],
            content["labels"],
            content["columns"],
            content["public_keys"],
        )
    )
    unknown = len(site.frame) - len(site.train) - len(site.test)
    return Reply(
        {
            "train": len(site.train),
            "test": len(site.test),
            "left_out": unknown if unknown >= MIN_COUNT or not unknown else -1,  # -1: fewer than ten
        }
    )


def count_categories(site: Site, request: Request) -> Reply:
    """Return the categories with at least ten training rows, and the columns in which as many cells are missing."""
    rows = site.frame.iloc[site.train]
    categories: dict[str, dict[str, int]] = {}
    missing = []
    for name, kind in site.agreed.columns.items():
        if kind == "categorical":
            counts = as_categories(rows[name]).value_counts()
            categories[name] = {str(value): int(count) for value, count in counts.items() if count >= MIN_COUNT}
        elif int(np.isnan(_numbers(rows[name], name, kind)).sum()) >= MIN_COUNT:
            missing.append(name)
    return Reply({"categories": categories, "missing": missing, "missing_category": MISSING})


def count_cells(site: Site, request: Request) -> Reply:
    """Return histograms of the training rows' numbers, in cells that were joined until they have ten rows."""
    arrays: dict[str, NDArray[np.generic]] = {}
    rows = site.frame.iloc[site.train]
    for index, name in enumerate(request.content["columns"]):
        values = _numbers(rows[name], name, site.agreed.columns[name])
        edges = np.asarray(request.arrays[f"edges {index}"], dtype=np.float64)
        positions, counts = merged_counts(values[~np.isnan(values)], edges, MIN_COUNT)
        arrays[f"cells {index}"], arrays[f"counts {index}"] = positions, counts
    return Reply({}, arrays)


def _numbers(column: pd.Series, name: str, kind: str) -> NDArray[np.float64]:
    """Return numbers, or seconds since 1970; NaN where one is missing."""
    if kind == "date":
        dates = as_dates(column)
        return np.where(dates.notna(), as_seconds(dates).astype(np.float64), np.nan)
    values = as_doubles(name, column)
    return np.where(np.abs(values) <= LARGEST, values, np.nan)


def take_features(site: Site, request: Request) -> Reply:
    """Take the shared features, and encode the training rows by them."""
    columns = request.content["columns"]
    site.use(columns, shared_encoder(columns))
    return Reply({"features": int(site.X.shape[1])})
