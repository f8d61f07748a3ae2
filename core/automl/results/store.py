"""A result as files.

``result.json``
    Everything that a page draws: verdict, task, metric, labels, winner, settings, leaderboard and trials (lists of
    records), test_metrics, baseline_metrics and differences ({name: {value, low, high, n}}), curves, confusion,
    positive_class ({label, reason}), decision (a record of `DecisionFigures`), findings, blend, hyperparameters
    ({learner: {name: {value, low, high, n}}}), learning_curve (a record of `LearningCurve`), stop_code, stop_reason,
    elapsed_s, model_ready_s, split_method, rows, features, fingerprint, packages.
``model.skops``
    The pipeline, loaded with a fixed list of trusted types.
``oof.parquet``, ``test.parquet``
    Predictions with row ids and sensitive columns.
``trials.npz``
    Out-of-fold predictions of the best three trials of each learner, (repeats, n, k) by the trial's number, for
    a search that continues from this one.
``leaderboard.csv``, ``requirements.txt``, ``README.md``
    For people, and for using the model elsewhere.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.automl._types import OutOfFold
from core.automl.results.bundle import code_requirements
from core.automl.results.decision_figures import DecisionFigures
from core.automl.results.model_file import load_model, save_model
from core.automl.results.model_packages import model_packages
from core.automl.tuning.warm_start import PREDICTIONS_FILE, load_predictions, save_predictions
from core.errors import StorageError
from core.evaluation import Estimate
from core.plain_text import markdown_code, markdown_text
from core.spreadsheet import to_csv

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

__all__ = ["ResultFiles", "read_decision", "read_estimates", "read_files", "write_files"]

_TEMPLATES = Path(__file__).resolve().parents[1] / "templates"


@dataclass(frozen=True)
class ResultFiles:
    """The contents of a result's files.

    Parameters
    ----------
    record : dict
        Content of ``result.json``.
    model : Pipeline
        The fitted pipeline.
    oof, test : DataFrame
        Out-of-fold and test predictions.
    candidates : dict of int to array
        Out-of-fold predictions of the best trials.
    """

    record: dict[str, Any]
    model: Pipeline
    oof: pd.DataFrame
    test: pd.DataFrame
    candidates: dict[int, OutOfFold]


def write_files(folder: Path, files: ResultFiles, leaderboard: pd.DataFrame) -> None:
    """Write all files of a result."""
    folder.mkdir(parents=True, exist_ok=True)
    record = files.record
    (folder / "result.json").write_text(json.dumps(record, allow_nan=False), encoding="utf-8")
    save_model(files.model, folder / "model.skops")
    files.oof.to_parquet(folder / "oof.parquet")
    files.test.to_parquet(folder / "test.parquet")
    save_predictions(folder / PREDICTIONS_FILE, files.candidates)
    (folder / "leaderboard.csv").write_text(to_csv(leaderboard), encoding="utf-8", newline="")
    needed = model_packages(record["packages"], record["winner"]["learner"], record["winner"]["config"])
    pinned = [f"{name}=={number}" for name, number in needed.items() if name not in ("python", "flaml")]
    pinned += code_requirements()
    (folder / "requirements.txt").write_text("\n".join(pinned) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(_readme(record), encoding="utf-8")


def _readme(record: Mapping[str, Any]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(  # Markdown: what users named has a filter in the template
        loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    environment.filters |= {"markdown": markdown_text, "code": markdown_code}
    return environment.get_template("readme.md.j2").render(
        target=record["settings"]["target"],
        verdict=record["verdict"],
        python=record["packages"]["python"],
        features=record["features"],
        fingerprint=record["fingerprint"],
        weight=record["settings"].get("weight_column"),
    )


def read_files(folder: Path) -> ResultFiles:
    """Read what `write_files` wrote; nothing is unpickled.

    Raises
    ------
    StorageError
        When the folder holds no result, or its model holds types that are not trusted.
    """
    import pandas as pd

    if not (folder / "result.json").is_file() or not (folder / "model.skops").is_file():
        raise StorageError(f"'{folder.name}' holds no saved result.", "Give the folder that AutoMLResult.save wrote.")
    return ResultFiles(
        model=load_model(folder / "model.skops"),
        record=json.loads((folder / "result.json").read_text(encoding="utf-8")),
        oof=pd.read_parquet(folder / "oof.parquet"),
        test=pd.read_parquet(folder / "test.parquet"),
        candidates=load_predictions(folder / PREDICTIONS_FILE),
    )


def read_estimates(records: Mapping[str, Mapping[str, Any]]) -> dict[str, Estimate]:
    """Return estimates by name, from their records; null is NaN."""

    return {
        name: Estimate(
            math.nan if item["value"] is None else item["value"],
            item["low"],
            item["high"],
            item["n"],
            item.get("rarest"),
            item.get("reason", ""),
        )
        for name, item in records.items()
    }


def read_decision(record: Mapping[str, Any]) -> DecisionFigures:
    """Return the figures of decisions from their record."""
    names = ("recall", "precision", "selected")
    prevalence = math.nan if record["prevalence"] is None else record["prevalence"]
    estimates = read_estimates({name: record[name] for name in names})
    return DecisionFigures(**{**record, **estimates, "prevalence": prevalence})
