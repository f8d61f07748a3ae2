"""Rows that cohorts are found on: columns of the table beside the predictions of the same rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cohorts import condition_columns, load_out_of_fold


@pytest.mark.parametrize(("max_rows", "expected"), [(100, 40), (15, 15)])
def test_columns_and_predictions_are_of_the_same_rows(tmp_path: Path, max_rows: int, expected: int) -> None:
    path = tmp_path / "table.parquet"
    frame = pd.DataFrame({"number": np.arange(60) * 10, "text": [f"row {index}" for index in range(60)], "left": 0})
    frame.to_parquet(path)
    row_id = np.random.default_rng(1).permutation(60)[:40]
    predictions = pd.DataFrame({"row_id": row_id, "prediction": row_id / 2})
    table, chosen = load_out_of_fold(path, predictions, ["text", "number"], max_rows=max_rows)
    assert list(table.columns) == ["text", "number"]
    assert len(table) == len(chosen) == expected
    assert table["number"].tolist() == (chosen["prediction"] * 20).tolist()
    assert chosen["row_id"].is_unique
    assert set(chosen["row_id"]) <= set(row_id)
    assert table.index.tolist() == chosen.index.tolist() == list(range(expected))


def test_conditions_use_columns_of_the_table_but_the_target() -> None:
    assert condition_columns(["a", "b", "y"], ["b", "made", "a"], ["a", "y", "gone"], "y") == ("b", "a")
