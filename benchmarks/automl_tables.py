"""Tables that AutoML systems are compared on, and their splits into training and test rows."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLES = {
    "german_credit": "credit",
    "adult": "income",
    "diabetes": "progression",
    "breast_cancer": "diagnosis",
    "wine": "cultivar",
    "digits": "digit",
}
"""Tables that come with the project (digits: with scikit-learn), with their targets."""
USUAL = ("german_credit", "adult", "diabetes")
METRICS = ("roc_auc", "log_loss", "r2")
ENDINGS = (".csv", ".csv.gz", ".parquet")
MOST_CLASSES = 20
"""Most different numbers of a target that are classes rather than values."""


@dataclass(frozen=True)
class BenchmarkTable:
    """A table by its name, with its target and where it lies; without a path it is a sample."""

    name: str
    target: str
    path: Path | None = None
    metric: str | None = None

    @property
    def frame(self) -> Any:
        """The rows that have a target."""
        return _frame(self)


@dataclass(frozen=True)
class Split:
    """Training and test rows of a table for one seed."""

    table: BenchmarkTable
    seed: int
    metric: str
    train: str
    """The training rows as CSV."""
    test: str
    """The test rows as CSV, without the target."""
    y: NDArray[np.generic]
    """Target of the test rows: codes of classes, or numbers."""
    labels: list[str]
    """Classes by their code; none for numbers."""
    rows: int

    @property
    def data(self) -> str:
        """Fingerprint of all that systems are given and judged by."""
        content = hashlib.sha256(f"{self.metric}\n{self.train}\n{self.test}".encode())
        content.update(self.y.tobytes())
        return content.hexdigest()[:12]


def read_tables(folder: Path | None, targets: dict[str, str], names: list[str] | None) -> list[BenchmarkTable]:
    """Return the tables of a folder and the samples that are named.

    Targets come from `targets`, or from `targets.json` or `targets.toml` in the folder, which has by table a column, or
    `{"target": column, "metric": metric}`. Without names: all of the folder, or without a folder the usual samples.
    """
    paths = {} if folder is None else _paths(folder)
    known = (_beside(folder) if folder is not None else {}) | {
        name: {"target": name_} for name, name_ in targets.items()
    }
    strangers = sorted(set(targets) - set(paths))
    if strangers:
        raise SystemExit(f"--target names tables that are not in the folder: {', '.join(strangers)}")
    tables = []
    for name in names or list(paths) or USUAL:
        if name in paths:
            if name not in known:
                raise SystemExit(f"The target of {name!r} is unknown: give --target {name}=COLUMN, or a targets.json")
            tables.append(BenchmarkTable(name, known[name]["target"], paths[name], known[name].get("metric")))
        elif name in SAMPLES:
            tables.append(BenchmarkTable(name, SAMPLES[name]))
        else:
            raise SystemExit(f"Unknown table {name!r}. Tables: {', '.join([*paths, *SAMPLES])}")
    return tables


def _paths(folder: Path) -> dict[str, Path]:
    files = sorted(folder.iterdir())
    paths: dict[str, Path] = {}
    for path in files:
        ending = next((ending for ending in ENDINGS if path.name.endswith(ending)), None)
        if ending is None:
            continue
        name = path.name.removesuffix(ending)
        if name in paths:
            raise SystemExit(f"Two files have the table {name!r}: {paths[name].name} and {path.name}")
        paths[name] = path
    if not paths:
        raise SystemExit(f"{folder} has no table ({', '.join(ENDINGS)})")
    return paths


def _beside(folder: Path) -> dict[str, dict[str, str]]:
    values: dict[str, Any] = {}
    if (folder / "targets.json").exists():
        values = json.loads((folder / "targets.json").read_text())
    elif (folder / "targets.toml").exists():
        values = tomllib.loads((folder / "targets.toml").read_text())
    return {name: {"target": value} if isinstance(value, str) else value for name, value in values.items()}


@lru_cache(maxsize=2)
def _frame(table: BenchmarkTable) -> Any:
    import pandas as pd

    if table.path is not None:
        frame = pd.read_parquet(table.path) if table.path.suffix == ".parquet" else pd.read_csv(table.path)
    elif table.name == "digits":
        from sklearn.datasets import load_digits

        digits = load_digits(as_frame=True)
        frame = digits.data.assign(digit=[f"d{number}" for number in digits.target])
    else:
        from core.datasets import load_sample

        frame = load_sample(table.name).frame
    if table.target not in frame:
        raise SystemExit(f"{table.name} has no column {table.target!r}; its columns: {', '.join(map(str, frame))}")
    complete = frame.dropna(subset=[table.target]).reset_index(drop=True)
    if len(complete) < len(frame):
        print(f"{table.name}: {len(frame) - len(complete):,} rows without a target are left out", flush=True)
    return complete


def metric_of(table: BenchmarkTable) -> str:
    """Return the metric: the given one, or by the target's values: two classes, several, numbers."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    target = table.frame[table.target]
    if table.metric is not None:
        if table.metric not in METRICS:
            raise SystemExit(f"{table.name}: unknown metric {table.metric!r}; choose one of {', '.join(METRICS)}")
        return table.metric
    classes = target.nunique()
    if classes > MOST_CLASSES and is_numeric_dtype(target) and not is_bool_dtype(target):
        return "r2"
    if classes < 2:
        raise SystemExit(f"{table.name}: the target {table.target!r} has one value")
    return "roc_auc" if classes == 2 else "log_loss"


@lru_cache(maxsize=4)
def make_split(table: BenchmarkTable, seed: int) -> Split:
    """Split a table 80/20, stratified."""
    from core.evaluation import split_test

    frame, metric = table.frame, metric_of(table)
    target, numbers = frame[table.target], metric == "r2"
    labels: list[str] = []
    if numbers:
        y = target.to_numpy(dtype=float)
    else:
        names, y = np.unique(target.astype(str).to_numpy(dtype=object), return_inverse=True)
        labels = [str(name) for name in names]
        frame = frame.assign(**{table.target: np.asarray(labels, dtype=object)[y]})
    rows, others = split_test(y, not numbers, 0.2, seed)
    train = frame.iloc[rows].to_csv(index=False)
    test = frame.iloc[others].drop(columns=table.target).to_csv(index=False)
    return Split(table, seed, metric, train, test, np.asarray(y[others]), labels, len(rows))
