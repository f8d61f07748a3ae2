"""Figures of some test rows: those of all rows are the result's, those of a part are scikit-learn's."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, mean_absolute_error, roc_auc_score

from core.automl import evaluate_rows
from core.errors import InputError
from tests.golden import golden_files

pytestmark = pytest.mark.usefixtures("golden")


def stored(name: str) -> tuple[pd.DataFrame, dict, dict]:
    """Return a search's test predictions, its record, and the arguments of `evaluate_rows`."""
    folder = golden_files(name)
    record = json.loads((folder / "result.json").read_text())
    keys = {key: record[key] for key in ("task", "metric", "labels")} | {"target": record["settings"]["target"]}
    return pd.read_parquet(folder / "test.parquet"), record, keys


@pytest.mark.parametrize("name", ["binary", "number"])
def test_all_rows_have_the_figures_of_the_result(name: str) -> None:
    table, record, keys = stored(name)
    own = evaluate_rows(table, **keys, seed=record["settings"]["seed"])
    assert own["confusion"] == record["confusion"]
    assert json.loads(json.dumps(own["curves"])) == record["curves"]
    for metric, values in record["test_metrics"].items():
        assert own["test_metrics"][metric]["value"] == pytest.approx(values["value"])
        assert own["test_metrics"][metric]["low"] == pytest.approx(values["low"])


def test_a_part_has_figures_of_its_own() -> None:
    table, _, keys = stored("binary")
    part = table[table["sex"] == "female"]
    own = evaluate_rows(part, **keys)
    truth, predicted = part["credit"].astype(str), part["prediction"].astype(str)
    assert own["rows"] == len(part)
    assert own["test_metrics"]["accuracy"]["value"] == pytest.approx(accuracy_score(truth, predicted))
    assert own["test_metrics"]["roc_auc"]["value"] == pytest.approx(roc_auc_score(truth == "good", part["p(good)"]))
    assert own["confusion"] == confusion_matrix(truth, predicted, labels=["bad", "good"]).tolist()
    numbers, _, number_keys = stored("number")
    low = numbers[numbers["prediction"] < numbers["prediction"].median()]
    mae = evaluate_rows(low, **number_keys)["test_metrics"]["mae"]["value"]
    assert mae == pytest.approx(mean_absolute_error(low["progression"], low["prediction"]))


def test_rows_of_one_class_have_what_can_be_had() -> None:
    table, _, keys = stored("binary")
    own = evaluate_rows(table[table["credit"] == "good"], **keys)
    assert own["curves"]["classes"] == {}
    assert np.isfinite(own["test_metrics"]["accuracy"]["value"])
    assert "reason" in own["test_metrics"]["roc_auc"]
    with pytest.raises(InputError, match="no rows to evaluate"):
        evaluate_rows(table.iloc[:0], **keys)
