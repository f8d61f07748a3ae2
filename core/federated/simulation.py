"""A federation on one machine: what it would bring, before anyone agrees to one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.datasets import Finding
from core.errors import PlumblineError
from core.evaluation import METRICS, resolve_metric, stratify
from core.federated._settings import FederatedSettings
from core.federated.coordinator.study import Study
from core.federated.coordinator.training import Fitted, outputs, train
from core.federated.evidence.alone import train_alone
from core.federated.evidence.model_result import OutOfFoldRows, model_result
from core.federated.evidence.site_evidence import FEDERATED, LOCAL, POOLED, SiteEvidence, compare_at_site, verdict
from core.federated.privacy import describe_privacy
from core.federated.result import FederatedResult
from core.federated.site.in_process import InProcessSites
from core.federated.site.site import Site, simulated_secret
from core.federated.tables import SiteTables, check_columns, site_tables
from core.progress import Event, Report, silent

__all__ = ["federate"]


def federate(
    frame_or_frames: pd.DataFrame | Mapping[str, pd.DataFrame],
    settings: FederatedSettings,
    *,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> FederatedResult:
    """Train one model from the tables of several sites as if they were apart, and compare it with their own models.

    All messages between sites and coordinator are made, and counted, as between machines; only they carry information
    from one site to another.

    Parameters
    ----------
    frame_or_frames : DataFrame or mapping of str to DataFrame
        One table with a column of sites, `settings.site_column`, or the table of each site by its name.
    settings : FederatedSettings
        Settings of the study.
    report : callable, optional
        Function that receives an `Event` per round and step.
    should_stop : callable, optional
        Function that returns whether to end after the present round and keep the model as it is then.

    Returns
    -------
    FederatedResult

    Raises
    ------
    InputError
        When the tables do not fit together, or too few sites have enough rows.

    See Also
    --------
    core.automl.search : A search on rows in one place.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"x": rng.normal(size=400), "hospital": np.repeat(["a", "b"], 200)})
    >>> table["ill"] = np.where(table["x"] + rng.normal(size=400) > 0, "yes", "no")
    >>> settings = FederatedSettings(target="ill", site_column="hospital", algorithm="linear", folds=0)
    >>> result = federate(table, settings)
    >>> result.by_site[["train", "test"]].values.tolist()
    [[160, 40], [160, 40]]
    """
    tell, stop = report or silent, should_stop or bool
    began = time.monotonic()
    tables = site_tables(frame_or_frames, settings.site_column, settings.target)
    check_columns(tables.table, settings, tables.site_column)
    channel = InProcessSites(
        [Site(name, tables.frame(name), simulated_secret(name, settings.seed)) for name in tables.rows]
    )
    study = Study(channel, settings.masked, settings.min_sites)
    fitted = train(study, settings, report=tell, should_stop=stop)
    elapsed = time.monotonic() - began
    stopped = stop()
    plan = fitted.plan
    metric = resolve_metric(settings.metric, plan.task)
    tell(Event("compare", 0.0, "Training each site's own model"))
    evidence, overall = _evidence(channel, fitted, settings, metric, stopped, tell)
    out_of_fold, findings = None, list(tables.findings)
    if settings.folds and not stopped:
        try:
            out_of_fold = _out_of_fold(tables, channel, fitted, settings, tell)
        except PlumblineError as error:
            findings.append(
                Finding(
                    "no_folds",
                    "notice",
                    None,
                    f"There are no out-of-fold predictions: without a fold, {error.message}",
                    "Use fewer folds, or larger sites. Thresholds cannot be chosen without such predictions.",
                )
            )
    sites = [channel.by_name[name] for name in tables.rows]
    search = model_result(
        tables.table,
        settings,
        fitted,
        metric=metric,
        site_column=tables.site_column,
        train_rows=np.concatenate([tables.rows[site.name][site.train] for site in sites]),
        test_rows=np.concatenate([tables.rows[site.name][site.test] for site in sites]),
        out_of_fold=out_of_fold,
        elapsed_s=elapsed,
        stopped=stopped,
    )
    return FederatedResult(
        search=search,
        settings=settings,
        sites=evidence,
        overall=overall,
        rounds=fitted.rounds.records,
        messages=pd.DataFrame([asdict(record) for record in study.log]),
        privacy=describe_privacy(settings, study.rows, len(fitted.rounds.records)),
        verdict=verdict(evidence, overall, METRICS[metric].title),
        findings=[*findings, *search.findings],
        elapsed_s=elapsed,
    )


def _evidence(
    channel: InProcessSites,
    fitted: Fitted,
    settings: FederatedSettings,
    metric: str,
    stopped: bool,
    report: Report,
) -> tuple[list[SiteEvidence], SiteEvidence]:
    plan, sites = fitted.plan, list(channel.by_name.values())
    rounds = max(1, len(fitted.rounds.records)) if stopped else None  # so that all are trained as far
    training = {site.name: site.frame.iloc[site.train].reset_index(drop=True) for site in sites}
    shared = fitted.model
    pooled = None
    if settings.pooled:
        pooled = train_alone("all sites", pd.concat(list(training.values()), ignore_index=True), plan, rounds).model
    evidence, every = [], {}
    for index, site in enumerate(sites):
        report(Event("compare", index / len(sites), f"Training the own model of '{site.name}'"))
        test = site.frame.iloc[site.test]
        models = {FEDERATED: outputs(shared, test, plan)}
        if pooled is not None:
            models[POOLED] = outputs(pooled, test, plan)
        every[site.name] = dict(models)
        problem = ""
        try:
            models[LOCAL] = outputs(train_alone(site.name, training[site.name], plan, rounds).model, test, plan)
        except PlumblineError as error:
            problem = error.message
        evidence.append(
            compare_at_site(
                site.name,
                len(site.train),
                site.y_test,
                models,
                task=plan.task,
                metric=metric,
                labels=plan.labels,
                seed=settings.seed,
                local_error=problem,
            )
        )
    together = {name: np.concatenate([every[site.name][name] for site in sites]) for name in every[sites[0].name]}
    overall = compare_at_site(
        "",
        sum(len(site.train) for site in sites),
        np.concatenate([site.y_test for site in sites]),
        together,
        task=plan.task,
        metric=metric,
        labels=plan.labels,
        seed=settings.seed,
    )
    return evidence, overall


def _out_of_fold(
    tables: SiteTables, channel: InProcessSites, fitted: Fitted, settings: FederatedSettings, report: Report
) -> OutOfFoldRows | None:
    """Train the federation without a fold of each site, for each fold, and predict those rows."""
    plan = fitted.plan
    smaller = settings.model_copy(update={"test_fraction": 0.0})
    folds = {site.name: _folds(site, plan.labels is not None, settings) for site in channel.by_name.values()}
    parts: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.generic], NDArray[np.float64]]] = []
    for fold in range(settings.folds):
        report(Event("folds", fold / settings.folds, f"Out-of-fold predictions, {fold + 1} of {settings.folds}"))
        sites, held = [], []
        for site in channel.by_name.values():
            inside = folds[site.name] != fold
            rows = site.frame.iloc[site.train[inside]].reset_index(drop=True)
            sites.append(Site(site.name, rows, site.secret, plain_sums=True))
            held.append((site, site.train[~inside], site.y[~inside]))
        study = Study(InProcessSites(sites), masked=False)
        model = train(study, smaller, task=plan.task, labels=plan.labels).model
        for site, rows, y in held:
            if len(rows):
                output = outputs(model, site.frame.iloc[rows], plan)
                parts.append((tables.rows[site.name][rows], np.full(len(rows), fold), y, output))
    rows, numbers, y, output = (np.concatenate(items) for items in zip(*parts, strict=True))
    return OutOfFoldRows(rows, numbers, y, output)


def _folds(site: Site, classification: bool, settings: FederatedSettings) -> NDArray[np.intp]:
    """Return the fold of each training row, drawn within classes or bands of a number."""
    strata = stratify(site.y, classification)
    random = np.random.default_rng(settings.seed)
    order = np.lexsort((random.random(len(strata)), strata))
    folds = np.empty(len(strata), dtype=np.intp)
    folds[order] = np.arange(len(strata)) % settings.folds
    return folds
