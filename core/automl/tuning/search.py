"""The search itself: worker processes under a clock, and what is done when it ends."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.automl._settings import AutoMLSettings
from core.automl.refit.refit_worker import RefitWorker
from core.automl.refit.refits import FinalModel, Refits
from core.automl.refit.refitter import Refitter
from core.automl.results.baselines import prior_trial
from core.automl.results.conclude import Outcome, conclude
from core.automl.results.curve_run import CurveRun
from core.automl.tuning.budget import Budget
from core.automl.tuning.running_search import RunningSearch
from core.automl.tuning.search_nodes import SearchNodes, search_nodes
from core.automl.tuning.stopping import StopReason
from core.automl.tuning.warm_start import load_warm_start
from core.automl.tuning.worker_plan import Configs
from core.datasets import Finding
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    import pandas as pd

    from core.automl.results.result import AutoMLResult

__all__ = ["search"]

POLL_S = 0.05


def search(
    frame: pd.DataFrame,
    settings: AutoMLSettings,
    *,
    report: Report | None = None,
    workdir: str | Path | None = None,
    should_stop: Callable[[], bool] | None = None,
    clock: Callable[[], float] | None = None,
    configs: Sequence[Sequence[Any]] | None = None,
    only_configs: bool = False,
    earlier: str | Path | None = None,
) -> AutoMLResult:
    """Search for the best model of a table within the settings' limits.

    Parameters
    ----------
    frame : pandas.DataFrame
        The raw table, the target among its columns.
    settings : AutoMLSettings
        Target, limits and everything else that decides on the search.
    report : callable, optional
        Takes an `Event` for each trial and each stage.
    workdir : path, optional
        Folder for trials and scratch files; a search that was interrupted there continues from its trials.
    should_stop : callable, optional
        Called about twenty times per second; once it returns True the search ends and the best model so far is kept.
    clock : callable, optional
        Clock of the budget: it returns the seconds that are used up. By default they begin with this call.
    configs : list of [learner, configuration], optional
        Try exactly these instead of searching.
    only_configs : bool, default=False
        Whether the best of `configs` wins also where the linear model is better.
    earlier : path, optional
        Folder of a saved result whose search this one continues: its trials are kept and count (`max_trials` limits
        all together), the budget is new. The table, and all settings but the limits, must be the same.

    Returns
    -------
    AutoMLResult

    Raises
    ------
    InputError
        When the table cannot be learned from.
    SettingsError
        When the settings do not fit the table, or the earlier search.
    StorageError
        When there is no earlier search.
    SearchError
        When no model was found within the limits.
    """
    budget = Budget(settings.time_budget_s, clock)
    if configs is not None and settings.max_concurrent_trials is None:  # they are listed in their order
        settings = settings.model_copy(update={"max_concurrent_trials": settings.nodes})
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="plumbline-")) if workdir is None else workdir
        folder = Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        # Workers load their libraries while this process prepares the table.
        nodes = stack.enter_context(search_nodes(settings, folder))
        refit_worker = RefitWorker(folder)
        stack.callback(refit_worker.close)
        return _search(
            frame,
            settings,
            folder,
            budget,
            nodes,
            refit_worker,
            should_stop or (lambda: False),
            report or silent,
            None if configs is None else [(str(name), dict(config)) for name, config in configs],
            only_configs,
            None if earlier is None else Path(earlier),
        )


def _search(
    frame: pd.DataFrame,
    settings: AutoMLSettings,
    folder: Path,
    budget: Budget,
    nodes: SearchNodes,
    refit_worker: RefitWorker,
    should_stop: Callable[[], bool],
    report: Report,
    configs: Configs | None,
    only_configs: bool,
    earlier: Path | None,
) -> AutoMLResult:
    from core.automl.data.prepare import prepare
    from core.datasets import fingerprint

    def report_phase(name: str, message: str, **values: Any) -> None:
        report(Event(name, budget.fraction, message, {**values, "elapsed_s": budget.elapsed()}))

    report_phase("prepare", "Preparing the features", step="features")
    warm_start = None if earlier is None else load_warm_start(earlier, settings, fingerprint(frame))
    began, worked = time.perf_counter(), time.process_time()
    if warm_start is None or warm_start.positive_label is None or settings.positive_label is not None:
        prepared = prepare(frame, settings)
    else:  # the codes of the classes must be those of the earlier search's predictions
        prepared = prepare(frame, settings.model_copy(update={"positive_label": warm_start.positive_label}))
        prepared.positive_reason = f"The search that this one continues was about '{warm_start.positive_label}'."
    pressure = (time.perf_counter() - began) / max(time.process_time() - worked, 1e-3)
    running = RunningSearch(
        folder, settings, nodes.workers, prepared, budget, report, configs=configs, warm_start=warm_start
    )
    running.findings.extend(nodes.findings)
    refits = Refits(
        refit_worker, prepared.data, prepared.metric, settings.seed, bagging=settings.bagging and configs is None
    )
    refitter = Refitter(
        refits,
        settings,
        test_rows=len(prepared.y_test),
        only_trials=only_configs or bool(settings.monotone),
        pressure=pressure,
    )
    features, columns = prepared.data.X.shape[1], len(prepared.encoder.columns_)
    on_nodes = f", on {nodes.nodes} nodes" if nodes.nodes > 1 else ""
    message = f"Searching: {prepared.split_method}, {features:,} features{on_nodes}"
    report_phase("search", message, features=features, columns=columns, rows=len(frame), nodes=nodes.nodes)
    for finding in nodes.findings:
        report_phase("search", finding.message, features=features, columns=columns, rows=len(frame), nodes=nodes.nodes)
    guessing = prior_trial(prepared)
    running.report_baseline(guessing)
    reason = _wait(running, refitter, should_stop)
    running.close()
    running.read()
    report_phase("finish", "Fitting the best model on all training rows")
    final = refitter.finish(
        running.board, budget, stopped=running.stopped, should_stop=should_stop, resumed=running.resumed
    )
    ready_s = budget.elapsed()
    linear = refitter.linear
    running.report_baseline(linear)
    report_phase("evaluate", "Testing it on rows it never saw")
    outcome = Outcome(
        board=running.board,
        folder=folder,
        final=final,
        guessing=guessing,
        linear=linear,
        linear_model=refits.load_linear(linear.config) if linear is not None and linear.finished else None,
        blend=refitter.blend,
        stop=reason,
        findings=[*running.findings, *refits.findings, *_monotone_findings(settings, final)],
        ready_s=ready_s,
    )
    curve = CurveRun(refits, running.board, final, linear)
    curve.start(budget, stopped=running.stopped)
    result = conclude(frame, settings, prepared, outcome, budget)
    tested = result.test_metrics.get(result.metric)
    score = None if tested is None else tested.value
    report_phase("tested", "Gathering the evidence", metric=result.metric, score=score)
    return curve.add_to(result, budget, should_stop)


def _monotone_findings(settings: AutoMLSettings, final: FinalModel) -> list[Finding]:
    """Return a finding where the final model need not keep the monotone relations that were asked for."""
    if not settings.monotone or final.trial.learner != "linear":
        return []
    return [
        Finding(
            "monotone",
            "alert",
            None,
            "No trial gave a model, so this is the linear one, which need not keep the monotone relations.",
            "Give the search more time.",
        )
    ]


def _wait(running: RunningSearch, refitter: Refitter, should_stop: Callable[[], bool]) -> StopReason:
    """Watch over the search until it ends, and return why."""
    while True:
        running.read()
        refitter.read(running.budget)
        running.report_baseline(refitter.linear)
        refitter.prefit(running.board, running.budget)
        reason = running.reason_to_end(
            should_stop,
            lambda: refitter.reserve(running.board, running.budget),
            has_model=refitter.has_model(running.board),
        )
        if reason is not None:
            return reason
        for worker in running.workers:
            worker.supervise(running.settings.trial_timeout_s, running.budget)
        time.sleep(POLL_S)
