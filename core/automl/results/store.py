"""A result as files.

``result.json``
    Everything that a page draws: verdict, task, metric, labels, winner, settings, leaderboard and trials (lists of
    records), test_metrics, baseline_metrics and differences ({name: {value, low, high, n}}), curves, confusion,
    findings, blend, hyperparameters ({learner: {name: {value, low, high, n}}}), stop_code, stop_reason, elapsed_s,
    model_ready_s, split_method, rows, features, fingerprint, packages.
``model.skops``
    The pipeline, loaded with a fixed list of trusted types.
``oof.parquet``, ``test.parquet``
    Predictions with row ids and sensitive columns.
``trials.npz``
    Out-of-fold predictions of the best three trials of each learner, float32 (repeats, n, k) by the trial's number, for
    a search that goes on from this one.
``leaderboard.csv``, ``requirements.txt``, ``README.md``
    For people, and for using the model elsewhere.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.automl._settings import AutoMLSettings
from core.automl.results.bundle import code_requirements
from core.automl.results.model_file import load_model, save_model
from core.automl.tuning.warm_start import PREDICTIONS_FILE, load_predictions, save_predictions
from core.errors import StorageError
from core.jsonable import jsonable

if TYPE_CHECKING:
    from core.automl.results.result import AutoMLResult

__all__ = ["load", "save", "summary"]

_PLAIN = (
    "task",
    "metric",
    "winner",
    "trials",
    "verdict",
    "curves",
    "confusion",
    "stop_code",
    "stop_reason",
    "elapsed_s",
    "model_ready_s",
    "split_method",
    "rows",
    "features",
    "fingerprint",
    "packages",
    "blend",
)


def summary(result: AutoMLResult) -> dict[str, Any]:
    """Return what ``result.json`` holds."""
    found = {name: getattr(result, name) for name in _PLAIN}
    found["labels"] = result.labels
    found["settings"] = result.settings.model_dump(mode="json")
    found["leaderboard"] = result.leaderboard.to_dict(orient="records")
    found["test_metrics"] = {name: item.to_dict() for name, item in result.test_metrics.items()}
    for part in ("baseline_metrics", "hyperparameters"):
        found[part] = {
            group: {name: item.to_dict() for name, item in estimates.items()}
            for group, estimates in getattr(result, part).items()
        }
    found["differences"] = {name: item.to_dict() for name, item in result.differences.items()}
    found["findings"] = [finding.to_dict() for finding in result.findings]
    return jsonable(found)


def save(result: AutoMLResult, folder: Path) -> None:
    """Write all files of a result."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(summary(result), allow_nan=False), encoding="utf-8")
    save_model(result.model, folder / "model.skops")
    result.oof.to_parquet(folder / "oof.parquet")
    result.test.to_parquet(folder / "test.parquet")
    save_predictions(folder / PREDICTIONS_FILE, result.candidates)
    result.leaderboard.to_csv(folder / "leaderboard.csv", index=False)
    pinned = [f"{name}=={number}" for name, number in result.packages.items() if name not in ("python", "flaml")]
    pinned += code_requirements()
    (folder / "requirements.txt").write_text("\n".join(pinned) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(_readme(result), encoding="utf-8")


def _readme(result: AutoMLResult) -> str:
    return f"""# A model of `{result.settings.target}`

{result.verdict}

Made with Plumbline on Python {result.packages["python"]}. To predict the rows of a file:

    pip install -r requirements.txt
    python predict.py rows.csv predictions.csv

or, in Python, with Plumbline's folder `core` (this folder has what is needed of it) on the path:

    from core.automl import AutoMLResult

    model = AutoMLResult.load(".").model
    model.predict(frame)

The table needs the columns {", ".join(f"`{name}`" for name in result.features)}, in any order.

`result.json` has the settings and all figures, `leaderboard.csv` the trials, `oof.parquet` and `test.parquet` the
predictions with the rows' positions in the table of fingerprint `{result.fingerprint}`.
"""


def load(folder: Path) -> AutoMLResult:
    """Read a result.

    Raises
    ------
    StorageError
        When the folder holds no result, or its model holds types that are not trusted.
    """
    import pandas as pd

    from core.automl.results.result import AutoMLResult
    from core.datasets import Finding
    from core.evaluation import Estimate

    if not (folder / "result.json").is_file() or not (folder / "model.skops").is_file():
        raise StorageError(f"'{folder.name}' holds no saved result.", "Give the folder that AutoMLResult.save wrote.")
    model = load_model(folder / "model.skops")
    found = json.loads((folder / "result.json").read_text(encoding="utf-8"))

    def number(value: float | None) -> float:
        return math.nan if value is None else value

    def read(metrics: dict[str, dict[str, Any]]) -> dict[str, Estimate]:
        return {
            name: Estimate(number(item["value"]), number(item["low"]), number(item["high"]), item["n"])
            for name, item in metrics.items()
        }

    return AutoMLResult(
        model=model,
        settings=AutoMLSettings(**found["settings"]),
        labels=None if found["labels"] is None else model.classes_.tolist(),
        leaderboard=pd.DataFrame(found["leaderboard"]),
        test_metrics=read(found["test_metrics"]),
        baseline_metrics={name: read(metrics) for name, metrics in found["baseline_metrics"].items()},
        hyperparameters={name: read(items) for name, items in (found.get("hyperparameters") or {}).items()},
        differences=read(found["differences"]),
        oof=pd.read_parquet(folder / "oof.parquet"),
        test=pd.read_parquet(folder / "test.parquet"),
        candidates=load_predictions(folder / PREDICTIONS_FILE),
        findings=[Finding.from_dict(item) for item in found["findings"]],
        **{name: found.get(name) for name in _PLAIN},
    )
