"""Values counted in a file, and what a column says as a target: as pandas says it of the whole column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.datasets import (
    count_values,
    infer_task,
    load_frame,
    profile,
    store_frame,
    summarize_target,
    whole_numbers,
)
from core.errors import InputError

ROWS = 2_000
random = np.random.default_rng(3)
COLUMNS = {
    "two words": random.choice(["no", "yes"], ROWS),
    "words and missing": random.choice(["a", "b", "c", None], ROWS),
    "one value": ["same"] * ROWS,
    "zeros and ones": random.integers(0, 2, ROWS),
    "whole with missing": random.choice([0.0, 1.0, 2.0, np.nan], ROWS),
    "grades": random.integers(1, 7, ROWS),
    "floats": random.normal(size=ROWS),
    "whole floats": random.integers(0, 5, ROWS).astype(float),
    "counts": random.integers(0, 500, ROWS),
    "booleans": random.choice([True, False, None], ROWS),
    "many words": [f"word {number}" for number in random.integers(0, 1_500, ROWS)],
    "few rows of each": np.arange(ROWS) % 19,
}


@pytest.mark.parametrize("name", list(COLUMNS))
def test_a_target_is_summarized_as_in_memory(name: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({name: COLUMNS[name]})
    path = store_frame(frame, tmp_path / "table.parquet")
    series = load_frame(path)[name]
    summary, counts = summarize_target(path, profile(path)[name]), whole_numbers(series).value_counts()
    assert summary.task == infer_task(series)
    assert (summary.rows, summary.missing, summary.distinct) == (ROWS, series.isna().sum(), len(counts))
    assert summary.exact
    if len(counts) <= 12:
        assert summary.counts == {str(value): count for value, count in counts.items()}
    else:
        assert list(summary.counts.values()) == counts.head(len(summary.counts)).tolist()


def test_dates_and_nothing_cannot_be_predicted(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": pd.date_range("2020-01-01", periods=30), "empty": pd.Series([None] * 30, dtype="str")})
    path = store_frame(frame, tmp_path / "table.parquet")
    described = profile(path)
    with pytest.raises(InputError, match="holds dates"):
        summarize_target(path, described["day"])
    with pytest.raises(InputError, match="has no values"):
        summarize_target(path, described["empty"])


def test_counting_ends_where_values_are_many_or_long(tmp_path: Path) -> None:
    frame = pd.DataFrame({"own": [f"{row} {'x' * 100}" for row in range(ROWS)], "few": [1, 2] * (ROWS // 2)})
    path = store_frame(frame, tmp_path / "table.parquet")
    many = count_values(path, "own", max_values=50)
    assert (many.complete, len(many.counts)) == (False, 51)
    assert not count_values(path, "own", max_bytes=1_000).complete
    few = count_values(path, "few", max_values=2)
    assert (few.complete, few.counts.to_dict()) == (True, {1: ROWS // 2, 2: ROWS // 2})


def test_of_a_column_with_many_values_the_profile_tells(tmp_path: Path) -> None:
    path = store_frame(pd.DataFrame({"text": [f"text {row}" for row in range(ROWS)]}), tmp_path / "table.parquet")
    summary = summarize_target(path, profile(path)["text"])
    assert (summary.task, summary.distinct, summary.missing) == ("multiclass", ROWS, 0)
