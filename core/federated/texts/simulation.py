"""Federated fine-tuning on one machine: adapters of a text model that sites train in turn, averaged by texts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.automl import Label, order_labels
from core.errors import InputError
from core.evaluation import METRICS
from core.federated._settings import MIN_COUNT
from core.federated.algorithms.rounds import Rounds
from core.federated.coordinator.study import Study
from core.federated.evidence.site_evidence import (
    FEDERATED,
    LOCAL,
    POOLED,
    SiteEvidence,
    compare_at_site,
    verdict,
)
from core.federated.privacy import Privacy
from core.federated.protocol.message import Reply
from core.federated.site.in_process import InProcessSites
from core.federated.site.site import simulated_secret
from core.federated.tables import SiteTables, site_tables
from core.federated.texts.result import FederatedTextResult
from core.federated.texts.settings import FederatedTextSettings
from core.federated.texts.site import TextPlan, TextSite, adapters_of, tuning_settings
from core.jsonable import JsonObject
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    from core.finetune import SharedAdapters

__all__ = ["federate_texts"]


def federate_texts(
    frame_or_frames: pd.DataFrame | Mapping[str, pd.DataFrame],
    settings: FederatedTextSettings,
    *,
    output_dir: str | Path,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> FederatedTextResult:
    """Fine-tune one model on the texts of several sites as if they were apart, and compare it with their own models.

    Parameters
    ----------
    frame_or_frames : DataFrame or mapping of str to DataFrame
        One table with a column of sites, `settings.site_column`, or the table of each site by its name.
    settings : FederatedTextSettings
        Settings of the study.
    output_dir : path
        Folder for the model and its history.
    report : callable, optional
        Function that receives an `Event` per round and step.
    should_stop : callable, optional
        Function that returns whether to end after the present round and keep the model as it is then.

    Returns
    -------
    FederatedTextResult

    Raises
    ------
    InputError
        When the tables do not fit together, or too few sites have enough texts.

    See Also
    --------
    federate : The same for columns of a table.
    """
    from core.finetune import conclude_shared

    tell, stop = report or silent, should_stop or bool
    began = time.monotonic()
    tables = site_tables(frame_or_frames, settings.site_column, settings.target)
    memory: dict[str, Any] = {}
    sites = [
        TextSite(name, tables.frame(name), simulated_secret(name, settings.seed), shared=memory) for name in tables.rows
    ]
    channel = InProcessSites(sites)
    study = Study(channel, settings.masked, settings.min_sites)
    tell(Event("agree", 0.0, "Comparing the sites' labels"))
    plan = _agree(study, settings)
    rounds = Rounds(study, settings.rounds, tell, stop)
    weights = _train(study, plan, rounds, memory)
    elapsed = time.monotonic() - began
    adapters = adapters_of(plan, memory)
    evidence, overall = _evidence(sites, plan, adapters, weights, len(rounds.records), tell)
    adapters.set_weights(weights)
    tell(Event("evaluate", 0.99, "Testing the model and its baselines"))
    own = settings.model_copy(update={"site_column": tables.site_column})
    training = conclude_shared(
        tables.table,
        tuning_settings(own),
        adapters,
        output_dir,
        **{part: _rows(tables, sites, part) for part in ("train", "validation", "test")},
        rounds=len(rounds.records),
        losses=[record.loss for record in rounds.records],
        elapsed_s=elapsed,
    )
    return FederatedTextResult(
        training=training,
        settings=settings,
        sites=evidence,
        overall=overall,
        rounds=rounds.records,
        messages=pd.DataFrame([asdict(record) for record in study.log]),
        privacy=_privacy(settings),
        verdict=verdict(evidence, overall, METRICS[training.metric].title),
        findings=[*tables.findings, *training.findings],
        elapsed_s=elapsed,
    )


def _agree(study: Study, settings: FederatedTextSettings) -> TextPlan:
    wanted: JsonObject = settings.model_dump(mode="json")
    replies = study.ask("text_schema", {"settings": wanted})
    study.public_keys |= {site: str(reply.content["public_key"]) for site, reply in replies.items()}
    labels: list[Label] = sorted({label for reply in replies.values() for label in reply.content["labels"]})
    if len(labels) < 2:
        raise InputError(
            f"'{settings.target}' has fewer than two labels that {MIN_COUNT} texts of a site have.",
            "Choose another column of labels, or bring larger sites together.",
        )
    labels = order_labels(labels, None, settings.target).labels
    task = "binary" if len(labels) == 2 else "multiclass"
    content: JsonObject = {
        "settings": wanted,
        "task": task,
        "labels": [str(label) for label in labels],
        "public_keys": dict(study.public_keys),
    }
    answers: Mapping[str, Reply] = study.ask("text_plan", content, sites=list(replies))
    study.rows |= {site: int(reply.content["train"]) for site, reply in answers.items()}
    return TextPlan(settings, task, [str(label) for label in labels], {}, dict(study.public_keys))


def _train(study: Study, plan: TextPlan, rounds: Rounds, memory: dict[str, Any]) -> NDArray[np.float64]:
    """Return the weights after all rounds."""
    weights = adapters_of(plan, memory).weights()
    while rounds.left:
        with rounds.next() as done:
            total = study.total("adapters", arrays={"weights": weights})
            done(total)
        weights = weights + total["update"] / float(total["rows"][0])
    return weights


def _evidence(
    sites: list[TextSite],
    plan: TextPlan,
    adapters: SharedAdapters,
    weights: NDArray[np.float64],
    rounds: int,
    report: Report,
) -> tuple[list[SiteEvidence], SiteEvidence]:
    """Compare the shared model with each site's own, which begins from the same weights and makes as many passes."""
    settings = plan.settings
    metric = tuning_settings(settings).best_metric(_kind(plan.task))
    begin = _initial(plan)
    epochs = rounds * settings.local_epochs
    adapters.set_weights(weights)
    every: dict[str, dict[str, NDArray[np.float64]]] = {
        site.name: {FEDERATED: adapters.outputs(site.texts(site.test))} for site in sites
    }
    if settings.pooled:
        report(Event("compare", 0.0, "Training on the texts of all sites in one place"))
        adapters.set_weights(begin)
        texts = [text for site in sites for text in site.texts(site.train)]
        adapters.train(
            texts, np.concatenate([site.y for site in sites]).astype(np.intp), epochs=epochs, seed=settings.seed
        )
        for site in sites:
            every[site.name][POOLED] = adapters.outputs(site.texts(site.test))
    evidence = []
    for index, site in enumerate(sites):
        models = dict(every[site.name])
        if settings.local_models:
            report(Event("compare", index / len(sites), f"Training the own model of '{site.name}'"))
            adapters.set_weights(begin)
            adapters.train(site.texts(site.train), site.y.astype(np.intp), epochs=epochs, seed=settings.seed)
            models[LOCAL] = adapters.outputs(site.texts(site.test))
        evidence.append(_compare(site.name, len(site.train), site.y_test, models, plan, metric))
    together = {name: np.concatenate([every[site.name][name] for site in sites]) for name in every[sites[0].name]}
    y = np.concatenate([site.y_test for site in sites])
    return evidence, _compare("", sum(len(site.train) for site in sites), y, together, plan, metric)


def _initial(plan: TextPlan) -> NDArray[np.float64]:
    """Return the weights that every training begins with."""
    return adapters_of(plan, {}).weights()


def _kind(task: str) -> Any:
    from core.finetune import kind_of_task

    return kind_of_task(task)


def _compare(
    site: str,
    train: int,
    y: NDArray[np.generic],
    models: Mapping[str, NDArray[np.float64]],
    plan: TextPlan,
    metric: str,
) -> SiteEvidence:
    return compare_at_site(
        site, train, y, models, task=plan.task, metric=metric, labels=plan.labels, seed=plan.settings.seed
    )


def _rows(tables: SiteTables, sites: list[TextSite], part: str) -> NDArray[np.intp]:
    """Return positions in the table of all sites' training, validation or test rows."""
    return np.concatenate([tables.rows[site.name][getattr(site, part)] for site in sites])


def _privacy(settings: FederatedTextSettings) -> Privacy:
    sentences = [
        f"No text left a site. Labels with at least {MIN_COUNT} texts, numbers of texts, updates of adapters did.",
        "No noise was added, so there is no guarantee about what the model itself shows of a text.",
    ]
    if settings.masked:
        sentences.insert(
            1,
            "Updates are masked: the coordinator saw their sum over all sites, not the update of one. It protects from "
            "a coordinator that keeps to the protocol, and not from one that works together with all but one site.",
        )
    else:
        sentences.insert(1, "The coordinator saw the update of each site: the secure sums were switched off.")
    return Privacy(settings.masked, {}, 0.0, sentences)
