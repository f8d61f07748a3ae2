"""What all components that train on a table share: its rows and target, the settings, the log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import SettingsError
from core.jsonable import JsonObject
from core.pipelines.shipped.command import log
from core.pipelines.shipped.model_folder import DATA, ModelFacts, ModelFolder, write_model_folder
from core.pipelines.tables import DataTable, TargetChoice, choose_target, read_data

if TYPE_CHECKING:
    from core.automl import AutoMLResult, AutoMLSettings

__all__ = ["log_result", "read_settings", "read_training", "require_learner", "save_model", "training_settings"]


def read_training(path: Path, target: str | None) -> tuple[DataTable, TargetChoice]:
    """Return the training part of a data folder and the column to predict, and log both."""
    table = read_data(path, "train")
    choice = choose_target(table, target)
    part = "the training part of the data" if table.part is not None else "the whole table: no rows are held out"
    log(f"Read {len(table.frame):,} rows and {len(table.frame.columns):,} columns, {part}.", *table.notes)
    log(choice.sentence)
    return table, choice


def read_settings(path: Path) -> JsonObject:
    """Return the settings of an exported search or training, which stand in a JSON file.

    Raises
    ------
    SettingsError
        When the file holds no settings.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SettingsError(f"'{path.name}' is not JSON: {error}.", "Give the file of an exported run.") from error
    if not isinstance(values, dict):
        raise SettingsError(f"'{path.name}' has no settings.", "Give the file of an exported run.")
    return values


def training_settings(table: DataTable, target: TargetChoice, **values: Any) -> AutoMLSettings:
    """Return the settings of a search on the rows of a table, none of which is held out: a pipeline does that before.

    Parameters
    ----------
    table : DataTable
        The rows.
    target : TargetChoice
        Column to predict.
    values : dict
        Further settings.
    """
    from core.automl import AutoMLSettings

    known = table.description
    values.setdefault("positive_label", known.positive)
    return AutoMLSettings(
        target=target.name,
        test_fraction=0,
        explain=False,
        time_column=known.time,
        group_column=known.group,
        sensitive_columns=tuple(name for name in known.sensitive if name != target.name),
        drop_columns=tuple(name for name in known.ignore if name != target.name),
        **values,
    )


def save_model(
    result: AutoMLResult, table: DataTable, target: TargetChoice, folder: Path, *, component: str
) -> ModelFolder:
    """Write the folder of a model that reads a table.

    Parameters
    ----------
    result : AutoMLResult
        Result of the training.
    table : DataTable
        Rows that it learned from.
    target : TargetChoice
        Column that it predicts.
    folder : Path
        Folder that exists.
    component : str
        Name of the component that trained it.
    """
    from core.automl import model_packages

    packages = model_packages(result.packages, result.winner["learner"], result.winner["config"])
    positive = table.description.positive if result.positive_class is None else result.positive_class["label"]
    result.save(folder / DATA)
    return write_model_folder(
        folder,
        replace(table, description=replace(table.description, positive=positive)),
        target,
        ModelFacts("table", result.features, result.labels, packages, component),
    )


def log_result(result: AutoMLResult) -> None:
    """Print what a training came to."""
    from core.automl import METRICS, learner_title

    title = METRICS[result.metric].title
    scored = result.leaderboard.dropna(subset=["score"])
    log(f"Trained on {result.rows['train']:,} rows with {len(result.features):,} columns; {result.split_method}.")
    log(f"{title}, cross-validated on the training rows:")
    log(*(f"  {learner_title(str(row.learner))}: {row.score:.4g}" for row in scored.head(5).itertuples()))
    if result.positive_class is not None:
        log(f"The figures are about '{result.positive_class['label']}': {result.positive_class['reason']}")
    for finding in result.findings:
        log(f"{finding.level}: {finding.message} {finding.hint}".rstrip())


def require_learner(result: AutoMLResult, learners: Sequence[str]) -> None:
    """Raise when another model than the one that was asked for was trained, as happens where it failed."""
    from core.errors import SearchError

    if result.winner["learner"] not in learners:
        reasons = "; ".join(dict.fromkeys(trial.message or trial.status for trial in result.trials))
        raise SearchError(f"The model could not be trained: {reasons}.", "Change the parameters or the data.")
