"""German credit through the shipped components, in this process, up to a model."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pandas as pd

from core.datasets import load_sample
from core.pipelines.shipped import data_prep, feature_engineering, train_xgboost
from core.pipelines.shipped.command import read_error

NUMBERS = ["duration_months", "credit_amount", "installment_rate", "residence_since", "age", "number_of_credits"]
PARAMETERS = {"learning_rate": 0.2, "max_depth": 3, "n_estimators": 30}
SPLIT_SEED = 4


@dataclass(frozen=True)
class Chain:
    """What the components left: a folder for each, and their logs."""

    folder: Path
    logs: dict[str, str]

    @property
    def features(self) -> Path:
        return self.folder / "features"

    @property
    def model(self) -> Path:
        return self.folder / "model"


def execute(component: ModuleType, **values: object) -> str:
    """Run a component in this process; return its log."""
    flags = [part for name, value in values.items() for part in (f"--{name}", str(value))]
    log, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(log), contextlib.redirect_stderr(errors):
        status = component.main(flags)
    if status:
        raise read_error(errors.getvalue()) or AssertionError(errors.getvalue())
    return log.getvalue()


def credit_table() -> pd.DataFrame:
    """Return the numbers of German credit, an identifier, and three rows without the target."""
    frame = load_sample("german_credit").frame
    table = frame[[*NUMBERS, "sex", "credit"]].rename(columns={"sex": "gender"})
    table.insert(0, "customer", [f"c{index:04d}" for index in range(len(table))])
    table.loc[[3, 5, 8], "credit"] = None
    return table


def make_chain(folder: Path) -> Chain:
    """Prepare, split and train; `folder` is new."""
    for name in ("raw", "prepared", "features", "model"):
        (folder / name).mkdir(parents=True)
    raw, prepared, features, model = (folder / name for name in ("raw", "prepared", "features", "model"))
    credit_table().to_csv(raw / "credit.csv", index=False)
    roles = {"target": "credit", "sensitive": ["gender"], "ignore": ["gender"]}
    (raw / "dataset.json").write_text(json.dumps({"name": "customers", "roles": roles}))
    logs = {
        "data_prep": execute(data_prep, raw_data=raw, prepared_data=prepared),
        "feature_engineering": execute(feature_engineering, input_data=prepared, features=features, seed=SPLIT_SEED),
        "train_xgboost": execute(train_xgboost, training_data=features, model=model, **PARAMETERS),
    }
    return Chain(folder, logs)
