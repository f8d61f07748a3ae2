"""What a site says of its table: types, labels, counts of at least ten rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.datasets import infer_task
from core.errors import InputError
from core.features import LARGEST, ColumnPlan, as_categories, as_dates, as_doubles, as_seconds, plan_columns
from core.federated._settings import MIN_COUNT, FederatedSettings
from core.federated.features.histograms import ReleasedCuts, first_edges
from core.federated.features.summary import shared_encoder
from core.federated.protocol.message import Reply, Request
from core.federated.site.site import Plan, Site, plain_labels
from core.jsonable import JsonObject

__all__ = ["count_categories", "count_cells", "describe", "take_features", "take_plan"]

_MOST_LABELS = 200
_COLUMN_TYPES = ("numeric", "categorical", "date")


def describe(site: Site, request: Request) -> Reply:
    """Return the columns with their types, the task, the labels with at least ten rows, and the site's public key."""
    settings = FederatedSettings.model_validate(request.content["settings"])
    frame = site.frame
    if settings.target not in frame.columns:
        raise InputError(f"The site '{site.name}' has no column '{settings.target}'.", "Leave the site out.")
    plans = _plans(frame, settings)
    site.described = {plan.name: plan.kind for plan in plans}
    target = frame[settings.target]
    task = infer_task(target) if settings.task == "auto" else settings.task
    labels = []
    if task != "regression":
        counts = plain_labels(target).dropna().value_counts()
        labels = [label for label, count in counts.items() if count >= MIN_COUNT][:_MOST_LABELS]
    return Reply(
        {
            "columns": dict(site.described),
            "reasons": {plan.name: plan.reason for plan in plans if plan.reason},
            "task": task,
            "labels": labels,
            "public_key": site.keys.public,
        }
    )


def _plans(frame: pd.DataFrame, settings: FederatedSettings) -> list[ColumnPlan]:
    """Return the feature type of each column that may be one."""
    left_out = {settings.target, settings.site_column, *settings.drop_columns}
    features = frame.drop(columns=[name for name in frame.columns if name in left_out])
    given = {name: kind for name, kind in settings.column_types.items() if name in features}
    return plan_columns(features, given)


def take_plan(site: Site, request: Request) -> Reply:
    """Take the plan, and return how many rows the site trains and tests on.

    Raises
    ------
    InputError
        When the plan has columns that the site has not offered, another task than the settings, or too few keys.
    """
    content = request.content
    settings = FederatedSettings.model_validate(content["settings"])
    columns, keys = dict(content["columns"]), dict(content["public_keys"])
    if site.described is None:
        site.described = {plan.name: plan.kind for plan in _plans(site.frame, settings)}
    offered = {name for name, kind in site.described.items() if kind != "text"}
    foreign = sorted(set(columns) - offered)
    if foreign or not set(columns.values()) <= set(_COLUMN_TYPES):
        raise InputError(f"The plan has columns that '{site.name}' does not offer.", "Start a new study.")
    if settings.task != "auto" and content["task"] != settings.task and not _is_binary(settings, content):
        raise InputError(f"The plan has another task than the settings: '{content['task']}'.", "Start a new study.")
    enough = max(2, settings.min_sites)
    few = keys.get(site.name) != site.keys.public or len(set(keys.values())) < max(enough, len(keys))
    if settings.masked and not site.plain_sums and few:
        raise InputError(f"The plan has too few keys for sums of '{site.name}' with others.", "Start a new study.")
    site.agree(Plan(settings, content["task"], content["labels"], columns, keys))
    unknown = len(site.frame) - len(site.train) - len(site.test)
    return Reply(
        {
            "train": len(site.train),
            "test": len(site.test),
            "left_out": unknown if unknown >= MIN_COUNT or not unknown else -1,  # -1: fewer than ten
        }
    )


def _is_binary(settings: FederatedSettings, content: JsonObject) -> bool:
    """Return whether two classes came of settings that ask for several."""
    return settings.task == "multiclass" and content["task"] == "binary"


def count_categories(site: Site, request: Request) -> Reply:
    """Return the categories with at least ten training rows, and the columns in which as many cells are missing.

    Where fewer than ten rows have other categories, they are counted with the most frequent one, so that the sum of
    the counts says nothing of them.
    """
    rows = site.frame.iloc[site.train]
    categories: dict[str, dict[str, int]] = {}
    missing = []
    for name, kind in site.agreed.columns.items():
        if kind == "categorical":
            counts = as_categories(rows[name]).value_counts()
            kept = {str(value): int(count) for value, count in counts.items() if count >= MIN_COUNT}
            rest = len(rows) - sum(kept.values())
            if kept and 0 < rest < MIN_COUNT:
                kept[next(iter(kept))] += rest
            categories[name] = kept
        elif int(np.isnan(_values(site, name)).sum()) >= MIN_COUNT:
            missing.append(name)
    return Reply({"categories": categories, "missing": missing})


def count_cells(site: Site, request: Request) -> Reply:
    """Return how many training rows lie below some edges of each column, where no two differ by one to nine."""
    arrays: dict[str, NDArray[np.generic]] = {}
    released: dict[str, ReleasedCuts] = site.memory.setdefault("released", {})
    rows = site.frame.iloc[site.train]
    for index, name in enumerate(request.content["columns"]):
        of_target = name == site.agreed.settings.target and not site.agreed.classes
        kind = "numeric" if of_target else site.agreed.columns.get(name, "categorical")
        edges = np.asarray(request.arrays[f"edges {index}"], dtype=np.float64)
        if kind == "categorical" or len(edges) > len(first_edges()) or not (np.diff(edges) > 0).all():
            raise InputError("A histogram was asked for that is not part of the study.", "Start a new study.")
        if name not in released:
            values = site.y.astype(np.float64) if of_target else _values(site, name)
            released[name] = ReleasedCuts(np.sort(values[~np.isnan(values)]), MIN_COUNT)
        cuts = released[name]
        positions, below = cuts.release(edges)
        hidden = len(rows) - len(cuts.values)
        if 0 < hidden < MIN_COUNT:  # the missing cells are counted with the largest, so that the total hides them
            below[below == len(cuts.values)] = len(rows)
        arrays[f"cuts {index}"], arrays[f"below {index}"] = positions, below
    return Reply({}, arrays)


def _values(site: Site, name: str) -> NDArray[np.float64]:
    """Return the numbers of a column in the training rows; texts that the settings call numbers are read as such."""
    plan = site.agreed
    coerce = plan.settings.column_types.get(name) == "numeric"
    return _numbers(site.frame[name].iloc[site.train], name, plan.columns[name], coerce=coerce)


def _numbers(column: pd.Series, name: str, kind: str, *, coerce: bool = False) -> NDArray[np.float64]:
    """Return numbers, or seconds since 1970; NaN where one is missing."""
    if kind == "date":
        dates = as_dates(column)
        return np.where(dates.notna(), as_seconds(dates).astype(np.float64), np.nan)
    values = as_doubles(name, pd.to_numeric(column, errors="coerce") if coerce else column)
    return np.where(np.abs(values) <= LARGEST, values, np.nan)


def take_features(site: Site, request: Request) -> Reply:
    """Take the shared features, and encode the training rows by them."""
    columns = request.content["columns"]
    if any(site.agreed.columns.get(column["name"]) != column["type"] for column in columns):
        raise InputError("There are features of columns that are not part of the plan.", "Start a new study.")
    center, width = (float(value) for value in request.content["scale"])
    site.use(columns, shared_encoder(columns), (center, width))
    return Reply({"features": int(site.X.shape[1])})
