"""A result as files.

``result.json``
    Everything that a page draws: verdict, task, labels, metric, settings, test_metrics, baseline_metrics and
    differences ({name: {value, low, high, n}}), history, confusion, per_class, findings, training, rows,
    samples_a_second, elapsed_s, device, base_model, fingerprint, packages.
``model/``
    model.safetensors, config.json, tokenizer.json: what transformers and others load.
``validation.parquet``, ``test.parquet``, ``errors.parquet``
    Predictions with row ids and sensitive columns, and the worst mistakes.
``train.py``
    A script that trains the model again with transformers alone.
``tensorboard/``
    TensorBoard's logs, when TENSORBOARD_LOGGING_DIR was set.
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import StorageError
from core.finetune._settings import FineTuneSettings
from core.jsonable import jsonable

if TYPE_CHECKING:
    from core.finetune._result import FineTuneResult

__all__ = ["load", "save", "summary"]

_PLAIN = (
    "task",
    "labels",
    "metric",
    "verdict",
    "history",
    "confusion",
    "per_class",
    "training",
    "rows",
    "samples_a_second",
    "elapsed_s",
    "device",
    "base_model",
    "fingerprint",
    "packages",
)
_TABLES = ("validation", "test", "errors")


def summary(result: FineTuneResult) -> dict[str, Any]:
    """Return what ``result.json`` holds."""
    found = {name: getattr(result, name) for name in _PLAIN}
    found["settings"] = result.settings.model_dump(mode="json")
    found["test_metrics"] = {name: item.to_dict() for name, item in result.test_metrics.items()}
    found["baseline_metrics"] = {
        baseline: {name: item.to_dict() for name, item in metrics.items()}
        for baseline, metrics in result.baseline_metrics.items()
    }
    found["differences"] = {name: item.to_dict() for name, item in result.differences.items()}
    found["findings"] = [finding.to_dict() for finding in result.findings]
    return dict(jsonable(found))


def save(result: FineTuneResult, folder: Path) -> None:
    """Write all files of a result."""
    from core.finetune._script import standalone_script

    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(summary(result), allow_nan=False)
    (folder / "result.json").write_text(text, encoding="utf-8")
    for name in _TABLES:
        getattr(result, name).to_parquet(folder / f"{name}.parquet")
    if (folder / "model").resolve() != result.model_dir.resolve():
        shutil.copytree(result.model_dir, folder / "model", dirs_exist_ok=True)
    if result.logs_dir is not None and result.logs_dir.is_dir():
        shutil.copytree(result.logs_dir, folder / "tensorboard", dirs_exist_ok=True)
    (folder / "train.py").write_text(standalone_script(result.settings, result.to_dict()), encoding="utf-8")


def load(folder: Path) -> FineTuneResult:
    """Read a result.

    Raises
    ------
    StorageError
        When the folder holds none.
    """
    import pandas as pd

    from core.datasets import Finding
    from core.evaluation import Estimate
    from core.finetune._result import FineTuneResult

    if not (folder / "result.json").is_file() or not list((folder / "model").glob("*.safetensors")):
        raise StorageError(f"'{folder.name}' holds no saved result.", "Give the folder that FineTuneResult.save wrote.")
    found = json.loads((folder / "result.json").read_text(encoding="utf-8"))

    def number(value: float | None) -> float:
        return math.nan if value is None else value

    def read(metrics: dict[str, dict[str, Any]]) -> dict[str, Estimate]:
        return {
            name: Estimate(number(item["value"]), number(item["low"]), number(item["high"]), item["n"])
            for name, item in metrics.items()
        }

    return FineTuneResult(
        settings=FineTuneSettings(**found["settings"]),
        test_metrics=read(found["test_metrics"]),
        baseline_metrics={name: read(metrics) for name, metrics in found["baseline_metrics"].items()},
        differences=read(found["differences"]),
        findings=[Finding.from_dict(item) for item in found["findings"]],
        model_dir=folder / "model",
        **{name: pd.read_parquet(folder / f"{name}.parquet") for name in _TABLES},
        **{name: found[name] for name in _PLAIN},
    )
