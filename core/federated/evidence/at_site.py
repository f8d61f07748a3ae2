"""The evidence of one site where its rows stay there: it tests the shared model and its own, and gives the metrics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import InputError, PlumblineError
from core.evaluation import METRICS
from core.federated._settings import MIN_COUNT
from core.federated.algorithms.state import ModelState
from core.federated.evidence.site_evidence import FEDERATED, LOCAL, compare_at_site
from core.federated.protocol.message import Reply, Request
from core.federated.site.site import Site
from core.jsonable import JsonObject, jsonable

__all__ = ["answer_evaluate"]


def answer_evaluate(site: Site, request: Request) -> Reply:
    """Return the evidence of the site's test rows, or the reason why there is none.

    The content of the request has ``metric`` and ``state``, the values of a `ModelState` whose arrays are those of the
    request. With fewer than ten test rows only the reason leaves. Counts of fewer than ten rows are left out.
    """
    from core.federated.coordinator.features import SharedFeatures
    from core.federated.coordinator.training import fitted_model, outputs

    plan, metric = site.agreed, str(request.content["metric"])
    if metric not in METRICS or plan.task not in METRICS[metric].tasks:
        raise InputError(f"The metric '{metric}' does not fit the task '{plan.task}'.", "Choose another metric.")
    if len(site.test) < MIN_COUNT:
        return Reply({"evidence": None, "reason": f"It has fewer than {MIN_COUNT} test rows.", "groups": []})
    if site.encoder is None or site.train_alone is None:
        raise InputError(f"The site '{site.name}' was asked before it had features.", "Start the study again.")
    test = site.frame.iloc[site.test]
    state = ModelState(request.content["state"], request.arrays)
    model = fitted_model(state, plan, SharedFeatures(site.columns, site.encoder))
    models = {FEDERATED: outputs(model, test, plan)}
    problem = ""
    try:
        own = site.train_alone(site.name, site.frame.iloc[site.train].reset_index(drop=True), plan)
        models[LOCAL] = outputs(own.model, test, plan)
    except PlumblineError as error:
        problem = f"The site has no model of its own ({type(error).__name__})."
    if plan.classes and np.bincount(site.y_test, minlength=plan.classes).min() < MIN_COUNT:
        reason = f"A class has fewer than {MIN_COUNT} of its test rows."
        return Reply({"evidence": None, "reason": reason, "groups": []})
    evidence = compare_at_site(
        site.name,
        len(site.train),
        site.y_test,
        models,
        task=plan.task,
        metric=metric,
        labels=plan.labels,
        seed=plan.settings.seed,
        local_error=problem,
    ).to_dict()
    return Reply({"evidence": _without_small_counts(evidence), "reason": "", "groups": _groups(site, models)})


def _without_small_counts(record: Any) -> Any:
    """Return evidence with three digits, and without numbers of fewer than ten rows or words with one."""
    if isinstance(record, float):
        return float(f"{record:.3g}")
    if isinstance(record, list):
        return [_without_small_counts(item) for item in record]
    if not isinstance(record, dict):
        return record
    kept = {key: _without_small_counts(item) for key, item in record.items()}
    if isinstance(kept.get("rarest"), int) and kept["rarest"] < MIN_COUNT:
        kept.pop("rarest")
        if kept.get("reason"):
            kept["reason"] = f"a class has fewer than {MIN_COUNT} rows"
    return kept


def _groups(site: Site, models: dict[str, NDArray[np.float64]]) -> list[JsonObject]:
    """Return metrics of the shared model by group of each sensitive column."""
    plan = site.agreed
    if plan.classes > 2:
        return []
    columns = [name for name in plan.settings.sensitive_columns if name in site.frame.columns]
    return [_by_group(site, name, models[FEDERATED]) for name in columns]


def _by_group(site: Site, column: str, output: NDArray[np.float64]) -> JsonObject:
    from core.fairness import group_metrics

    plan = site.agreed
    groups = _group_names(site, column)
    sizes = groups.value_counts()
    large = [str(name) for name in sizes[sizes >= MIN_COUNT].index]
    if large and 0 < sizes[sizes < MIN_COUNT].sum() < MIN_COUNT:  # all but the shown ones would be those few
        large = large[:-1]
    record: JsonObject = {"column": column, "metrics": [], "left_out": int(len(sizes) - len(large))}
    if not large:
        return record
    kept = groups.isin(large).to_numpy()
    truth, predicted = np.asarray(site.y_test)[kept], output[kept]
    if plan.labels is not None:
        names = np.asarray([str(label) for label in plan.labels], dtype=object)
        truth, predicted = names[truth], names[predicted.argmax(axis=1)]
    table = group_metrics(
        truth,
        predicted,
        groups[kept].reset_index(drop=True).rename("group"),
        min_group_size=MIN_COUNT,
        pos_label=None if plan.labels is None else str(plan.labels[-1]),
        task="regression" if plan.labels is None else "classification",
    ).intervals.reset_index()
    table = table[table["n"] >= MIN_COUNT]
    record["metrics"] = _without_small_counts(
        jsonable(table[["group", "metric", "value", "low", "high", "n"]].to_dict("records"))
    )
    return record


def _group_names(site: Site, column: str) -> pd.Series:
    """Return the group of each test row: its value, or that between quartiles which all sites share."""
    values = site.frame[column].iloc[site.test].reset_index(drop=True)
    shared = next((item for item in site.columns if item["name"] == column and item["type"] == "numeric"), None)
    if shared is None:
        return values.astype(object).map(str, na_action="ignore").fillna("missing")
    low, middle, high = (float(edge) for edge in np.quantile(shared["values"], [0.25, 0.5, 0.75]))
    titles = [
        f"below {low:g}",
        f"{low:g} to below {middle:g}",
        f"{middle:g} to below {high:g}",
        f"{high:g} or more",
        "missing",
    ]
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    codes = np.where(np.isnan(numbers), 4, np.searchsorted([low, middle, high], numbers, side="right"))
    return pd.Series(np.asarray(titles, dtype=object)[codes])
