"""A sweep: trials of one component with values from a search space; the best trial's outputs are the step's."""

from __future__ import annotations

import itertools
import json
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import SettingsError
from core.files import write_text
from core.jsonable import JsonObject
from core.pipelines.graph import Step
from core.pipelines.running.calls import StepValues, call_of
from core.pipelines.running.search_space import grid, random_draws
from core.pipelines.running.step_call import Execute, StepOutcome, StepState
from core.pipelines.values import typed_value

__all__ = ["sweep"]

_DEFAULT_TRIALS = 20


@dataclass(frozen=True)
class _Trial:
    name: str
    values: Mapping[str, Any]
    outputs: Mapping[str, Path]


def sweep(
    step: Step,
    values: StepValues,
    folder: Path,
    outputs: Mapping[str, Path],
    execute: Execute,
    should_stop: Callable[[], bool],
) -> StepOutcome:
    """Run the trials of a sweep, and write the outputs of the best one.

    The metric is what a trial logs by MLflow, or writes to the JSON file that ``PLUMBLINE_METRICS`` names. A trial that
    fails, or logs no such metric, takes no part; the table of all trials is the file ``trials.json`` of the step.

    Raises
    ------
    SettingsError
        When the search space, the objective or the sampling algorithm cannot be used.
    """
    settings = step.node.settings
    metric, sign = _objective(settings)
    limits = settings.get("limits") or {}
    trials = _trials(step, settings, limits, folder)
    deadline = time.monotonic() + float(limits["timeout"]) if limits.get("timeout") else None

    def over() -> bool:
        return should_stop() or (deadline is not None and time.monotonic() > deadline)

    def run(trial: _Trial) -> StepOutcome:
        if over():
            return StepOutcome(StepState.CANCELLED, "The sweep's time was over.")
        parameters = dict(values.parameters)
        for name, value in trial.values.items():
            if name in step.node.component.inputs:
                parameters[name] = typed_value(step.node.component.inputs[name], value)
        call = call_of(
            step,
            StepValues(parameters, values.files),
            folder / trial.name,
            trial.outputs,
            trial=trial.name,
            searched=trial.values,
        )
        limit = limits.get("trial_timeout")
        return execute(call if limit is None else replace(call, timeout_s=float(limit)), over)

    with ThreadPoolExecutor(max_workers=max(1, int(limits.get("max_concurrent_trials") or 1))) as pool:
        outcomes = list(pool.map(run, trials))
    rows = [
        {"trial": trial.name, **trial.values, "state": str(outcome.state), metric: outcome.values.get(metric)}
        for trial, outcome in zip(trials, outcomes, strict=True)
    ]
    write_text(folder / "trials.json", json.dumps(rows, indent=1, default=str))
    if should_stop():
        return StepOutcome(StepState.CANCELLED, "The step was cancelled.")
    scored = [
        (sign * outcome.values[metric], position)
        for position, outcome in enumerate(outcomes)
        if outcome.state is StepState.SUCCEEDED and metric in outcome.values
    ]
    if not scored:
        return _no_metric(metric, outcomes)
    best = max(scored, key=lambda item: (item[0], -item[1]))[1]
    for name, path in outputs.items():
        _take(trials[best].outputs[name], path)
    return outcomes[best]


def _objective(settings: JsonObject) -> tuple[str, float]:
    objective = settings.get("objective") or {}
    goal, metric = str(objective.get("goal", "")).lower(), str(objective.get("primary_metric", ""))
    if goal not in ("maximize", "minimize") or not metric:
        raise SettingsError(
            f"The objective of the sweep is {objective!r}.", "Give a goal, maximize or minimize, and a primary_metric."
        )
    return metric, 1.0 if goal == "maximize" else -1.0


def _trials(step: Step, settings: JsonObject, limits: JsonObject, folder: Path) -> list[_Trial]:
    algorithm = settings.get("sampling_algorithm") or "random"
    details = algorithm if isinstance(algorithm, dict) else {"type": algorithm}
    space = settings.get("search_space") or {}
    kind = str(details.get("type", "random")).lower()
    if kind not in ("grid", "random", "bayesian"):
        raise SettingsError(f"There is no sampling algorithm '{kind}'.", "Use grid or random.")
    most = int(limits.get("max_total_trials") or _DEFAULT_TRIALS)
    draws = grid(space) if kind == "grid" else random_draws(space, int(details.get("seed") or 0))
    trials = []
    for number, values in enumerate(itertools.islice(draws, most), start=1):
        own = folder / f"trial-{number}" / "outputs"
        paths = {
            name: own / name / name if port.type == "uri_file" else own / name for name, port in step.outputs.items()
        }
        trials.append(_Trial(f"trial-{number}", values, paths))
    return trials


def _no_metric(metric: str, outcomes: list[StepOutcome]) -> StepOutcome:
    failed = next((outcome for outcome in outcomes if outcome.state is not StepState.SUCCEEDED), None)
    if failed is not None and all(outcome.state is not StepState.SUCCEEDED for outcome in outcomes):
        return StepOutcome(failed.state, f"Every trial failed. The first: {failed.message}", failed.hint)
    logged = sorted({name for outcome in outcomes for name in outcome.values})
    said = f"They logged {', '.join(logged)}." if logged else "They logged no metric."
    return StepOutcome(
        StepState.FAILED,
        f"No trial logged the metric '{metric}'. {said}",
        "Log it with mlflow.log_metric, or write it as JSON to the file that PLUMBLINE_METRICS names.",
    )


def _take(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
