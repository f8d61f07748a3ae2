"""``train_automl``: a search for the best model of a target."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.errors import SettingsError
from core.files import write_text
from core.jsonable import jsonable
from core.pipelines.azure_automl import metric_of
from core.pipelines.shipped.command import Arguments, log, log_event, run_component, write_metrics, write_report
from core.pipelines.shipped.model_folder import ModelFolder
from core.pipelines.shipped.scored import score_table
from core.pipelines.shipped.training import log_result, read_settings, read_training, save_model, training_settings
from core.pipelines.tables import DataTable, read_data
from core.spreadsheet import to_csv

if TYPE_CHECKING:
    from core.automl import AutoMLResult, AutoMLSettings

__all__ = ["main"]

_BUDGET_S = 60.0
_OPTIONAL = ("trial_timeout_s", "exit_score", "folds", "time_budget_s", "max_trials")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the component."""
    return run_component("train_automl", _work, argv)


def _work(arguments: Arguments) -> None:
    from core.automl import search

    table, target = read_training(arguments.path("training_data"), arguments.text("target"))
    metric, difference = metric_of(arguments.text("primary_metric") or "auto")
    if arguments.optional_path("settings") is not None:
        settings = _settings_of_file(arguments, metric, target.name)
        notes = ["The settings are those of the file; the search holds its own test rows out."]
        metric = settings.metric
    else:
        values, notes = _settings(arguments, table, target.name)
        settings = training_settings(table, target, metric=metric, **values)
    log(*filter(None, (difference, *notes)))
    with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
        result = search(table.frame, settings, workdir=scratch, report=log_event)
    log(result.stop_reason)
    log_result(result)
    model = save_model(result, table, target, arguments.path("model"), component="train_automl")
    folder = arguments.path("results")
    leaderboard = to_csv(result.leaderboard.drop(columns="config"))
    (folder / "leaderboard.csv").write_text(leaderboard, encoding="utf-8", newline="")
    validation = arguments.optional_path("validation_data")
    scores = {} if validation is None else _validate(model, read_data(validation, "test"), result)
    write_text(folder / "validation.json", json.dumps(jsonable(scores), indent=1))
    write_report(
        folder,
        "train_automl",
        target=target.name,
        target_reason=target.reason,
        metric=metric,
        notes=[note for note in (difference, *notes) if note],
        winner=result.winner,
        stop_reason=result.stop_reason,
        rows=result.rows,
        features=result.features,
        validation=scores,
        findings=[finding.to_dict() for finding in result.findings],
    )
    write_metrics({metric if metric != "auto" else result.metric: result.winner["score"]})


def _settings_of_file(arguments: Arguments, metric: str, target: str) -> AutoMLSettings:
    """Return the settings of a search that stand in a file, with those inputs that were given."""
    from core.automl import AutoMLSettings

    values = read_settings(arguments.path("settings"))
    given = {name: arguments.values[name] for name in _OPTIONAL if arguments.values[name] is not None}
    if metric != "auto":
        given["metric"] = metric
    return AutoMLSettings.model_validate({**values, **given, "target": target, "explain": False})


def _settings(arguments: Arguments, table: DataTable, target: str) -> tuple[dict[str, Any], list[str]]:
    """Return settings of the search, and sentences about what was adjusted."""
    from core.datasets import infer_task

    values: dict[str, Any] = {
        "seed": arguments.integer("seed"),
        "positive_label": arguments.text("positive") or table.description.positive,
        "max_concurrent_trials": arguments.integer("max_concurrent_trials"),
        "early_stopping": arguments.flag("early_stopping"),
        "ensemble": arguments.flag("ensemble"),
        "blocked_learners": arguments.names("blocked_learners"),
    }
    notes = []
    for name in _OPTIONAL:
        if arguments.values[name] is not None:
            values[name] = arguments.values[name]
    values.setdefault("time_budget_s", None if "max_trials" in values else _BUDGET_S)
    if values.get("max_trials") == 1:
        values["max_trials"] = 2
        notes.append("Two trials are made: a search has at least two.")
    if arguments.names("learners"):
        values["learners"] = arguments.names("learners")
    task = arguments.text("task") or "auto"
    if task == "classification":
        inferred = infer_task(table.frame[target])
        task = "multiclass" if inferred == "regression" else inferred
        if inferred == "regression":
            notes.append(f"The numbers of '{target}' are taken for classes, because the task is classification.")
    values["task"] = task
    if "time_budget_s" in values and values["time_budget_s"] is not None:
        limit = "" if "max_trials" not in values else f", at most {values['max_trials']:,} trials"
        notes.append(f"The search has {values['time_budget_s']:,.0f} s{limit}.")
    else:
        notes.append(f"The search has {values['max_trials']:,} trials; its result is the same each time.")
    if task == "auto" and table.frame[target].notna().sum() == 0:
        raise SettingsError(f"'{target}' has no values.", "Choose another target.")
    return values, notes


def _validate(model: ModelFolder, table: DataTable, result: AutoMLResult) -> dict[str, Any]:
    """Return the metrics of the model on the validation rows, with intervals."""
    from core.evaluation import METRICS, compare_outputs

    scored = score_table(model, replace(table, part=None))
    compared = compare_outputs(
        scored.task, result.metric, scored.y, {"model": scored.outputs}, labels=scored.labels
    ).metrics["model"]
    log(f"On the {len(scored.y):,} validation rows, which the search did not see:")
    log(*(f"  {METRICS[name].title}: {item.value:.4g}" for name, item in compared.items()), *scored.notes)
    return {name: item.to_dict() for name, item in compared.items()}


if __name__ == "__main__":
    sys.exit(main())
