"""Some rows of a stored table: the same as of the whole table in pandas, and never more than was asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.datasets import (
    iter_numbers,
    load_frame,
    read_first_rows,
    read_rows_at,
    read_sample,
    row_positions,
    text_columns,
    top_positions,
)
from core.errors import LimitError

ROWS = 1_200
MB = 2**20


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """A table of all types, with missing cells, and names that begin with each other's."""
    random = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "id": random.permutation(ROWS) + 10,
            "a": random.normal(size=ROWS),
            "a.b": random.choice([1.0, np.nan, 3.0], ROWS),
            "text": random.choice(["short", "ünïcode", "x" * 300, None], ROWS),
            "own": [f"{number} " * (number % 40) for number in range(ROWS)],
            "yes": random.choice([True, False, None], ROWS),
            "day": pd.date_range("2020-01-01", periods=ROWS),
            "whole": pd.array(random.choice([1, 2, None], ROWS), dtype="Int64"),
        }
    )


@pytest.fixture(scope="module", params=["coded", "plain", "mixed"])
def path(request: pytest.FixtureRequest, frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table in a file of several row groups, its texts stored once, each time, or partly so."""
    target = tmp_path_factory.mktemp("rows") / "table.parquet"
    options = {"mixed": {"dictionary_pagesize_limit": 2_000}, "plain": {"use_dictionary": False}, "coded": {}}
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, target, row_group_size=500, **options[request.param])
    return target


def test_a_small_table_is_read_whole(path: Path) -> None:
    sample = read_sample(path)
    pd.testing.assert_frame_equal(sample.frame, load_frame(path))
    assert sample.complete
    assert sample.positions.tolist() == list(range(ROWS))


def test_what_pandas_wrote_keeps_its_types(frame: pd.DataFrame, tmp_path: Path) -> None:
    categories = pd.Categorical(frame["text"], categories=["x" * 300, "short", "ünïcode", "none"])
    own = frame.assign(kind=categories).set_index("id")
    own.to_parquet(tmp_path / "table.parquet")
    pd.testing.assert_frame_equal(read_sample(tmp_path / "table.parquet").frame, own)
    pd.testing.assert_frame_equal(read_first_rows(tmp_path / "table.parquet", 7).frame, own.head(7))


@pytest.mark.parametrize("rows", [1, 250, ROWS - 1])
def test_a_sample_has_so_many_rows_of_the_table(path: Path, rows: int) -> None:
    sample, whole = read_sample(path, max_rows=rows), load_frame(path)
    assert len(sample.frame) == rows
    assert not sample.complete
    assert (np.diff(sample.positions) > 0).all()
    taken = whole.iloc[sample.positions].reset_index(drop=True)
    pd.testing.assert_frame_equal(sample.frame, taken, check_dtype=False)  # none of the taken may be missing


def test_a_sample_is_drawn_from_everywhere(tmp_path: Path) -> None:
    pd.DataFrame({"x": np.arange(200_000)}).to_parquet(tmp_path / "long.parquet")
    drawn = read_sample(tmp_path / "long.parquet", max_rows=20_000).frame["x"].to_numpy()
    counts = np.histogram(drawn, 10, (0, 200_000))[0]
    assert abs(counts - 2_000).max() < 5 * np.sqrt(2_000)  # five standard deviations
    others = read_sample(tmp_path / "long.parquet", max_rows=20_000, seed=1).frame["x"].to_numpy()
    assert abs(len(np.intersect1d(drawn, others)) - 2_000) < 5 * np.sqrt(2_000)


def test_files_with_the_same_ids_give_the_same_rows(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    ids = random.permutation(20_000)
    pd.DataFrame({"row_id": ids, "x": 1}).to_parquet(tmp_path / "one.parquet")
    pd.DataFrame({"row_id": np.sort(ids), "y": 2}).to_parquet(tmp_path / "two.parquet")
    one, two = (read_sample(tmp_path / f"{name}.parquet", max_rows=500, by="row_id") for name in ("one", "two"))
    assert set(one.frame["row_id"]) == set(two.frame["row_id"])
    without = read_sample(tmp_path / "one.parquet", max_rows=500, by="row_id", columns=["x"])
    assert list(without.frame.columns) == ["x"]
    assert without.positions.tolist() == one.positions.tolist()


def test_a_sample_has_no_more_bytes_than_allowed(path: Path) -> None:
    whole = read_sample(path, columns=["own"])
    size = whole.frame["own"].str.len().sum()
    sample = read_sample(path, columns=["own"], max_bytes=int(size / 3))
    assert size / 20 < sample.frame["own"].str.len().sum() <= size / 3
    assert sample.total == ROWS


def test_rows_that_are_all_too_large_are_refused(path: Path) -> None:
    with pytest.raises(LimitError, match="more than 0 MB"):
        read_sample(path, max_bytes=10)


def test_a_text_that_is_repeated_is_not_written_out_for_every_row(tmp_path: Path) -> None:
    texts = pa.DictionaryArray.from_arrays(np.arange(200_000, dtype=np.int32) % 3, ["x" * 50_000, "y" * 70_000, "z"])
    pq.write_table(pa.table({"text": texts}), tmp_path / "texts", store_schema=False)
    assert pq.read_schema(tmp_path / "texts").field("text").type == pa.string()
    sample = read_sample(tmp_path / "texts", max_bytes=MB)
    assert 0 < sample.frame["text"].str.len().sum() <= MB
    assert sample.total == 200_000
    rows = read_rows_at(tmp_path / "texts", None, np.arange(4))
    assert rows["text"].str.len().tolist() == [50_000, 70_000, 1, 50_000]


def test_the_first_rows_end_before_they_are_too_large(path: Path) -> None:
    whole = load_frame(path)
    first = read_first_rows(path, 40)
    pd.testing.assert_frame_equal(first.frame, whole.head(40), check_dtype=False)
    small = read_first_rows(path, ROWS, max_bytes=20_000)
    assert 10 < len(small.frame) < 500
    pd.testing.assert_frame_equal(small.frame, whole.head(len(small.frame)), check_dtype=False)
    assert read_first_rows(path, 5, columns=["a.b", "a"]).frame.columns.tolist() == ["a.b", "a"]


def test_long_texts_are_cut_visibly_and_counted(path: Path) -> None:
    whole, first = load_frame(path).head(500), read_first_rows(path, 500, max_chars=5)
    long = whole[["text", "own"]].apply(lambda texts: texts.str.len() > 5)
    assert first.shortened == long.sum().sum()
    expected = whole["text"].where(~long["text"], whole["text"].str[:5] + "…")
    assert first.frame["text"].tolist() == pytest.approx(expected.tolist(), nan_ok=True)


def test_rows_at_positions_are_those_of_the_whole_table(path: Path) -> None:
    positions = np.random.default_rng(2).integers(0, ROWS, 400)
    columns = ["own", "a", "a.b"]
    pd.testing.assert_frame_equal(read_rows_at(path, columns, positions), load_frame(path)[columns].iloc[positions])
    assert read_rows_at(path, None, np.zeros(0, dtype=int)).shape == (0, 8)
    with pytest.raises(LimitError, match=r"The cells of .* rows in 'own' have more than 0 MB"):
        read_rows_at(path, ["own"], positions, max_bytes=1_000)


def test_positions_are_found_by_values(path: Path) -> None:
    ids = load_frame(path)["id"]
    wanted = np.array([12, 400, 1_199, 1])
    assert row_positions(path, "id", wanted).tolist() == np.flatnonzero(ids.isin(wanted)).tolist()


def test_the_highest_numbers_are_those_of_a_stable_sort(path: Path) -> None:
    whole = load_frame(path)
    for column in ("a", "a.b"):
        expected = whole[column].sort_values(ascending=False, kind="stable", na_position="last").index[:700]
        assert top_positions(path, column, 700).tolist() == expected.tolist()
    together = np.concatenate(list(iter_numbers(path, "a.b")))
    np.testing.assert_array_equal(together, whole["a.b"].to_numpy())


def test_columns_of_texts_are_known(path: Path) -> None:
    assert text_columns(path) == ["text", "own"]


@pytest.mark.parametrize("coded", [True, False])
def test_memory_does_not_grow_with_the_texts(tmp_path: Path, coded: bool) -> None:
    """Texts of 200 MB are read with little more than what a page of the file has."""
    with pq.ParquetWriter(
        tmp_path / "texts", pa.schema({"text": pa.string()}), use_dictionary=coded, compression="zstd"
    ) as writer:
        for start in range(0, 8_000, 2_000):
            writer.write_batch(
                pa.record_batch({"text": [f"{row % 40} {'x' * 25_000}" for row in range(start, start + 2_000)]})
            )
    pool = pa.default_memory_pool()
    before, peak = pool.bytes_allocated(), 0
    for _ in iter_text_reads(tmp_path / "texts"):
        peak = max(peak, pool.bytes_allocated() - before)
    assert peak < 50 * MB


def iter_text_reads(path: Path):
    """Yield after each of the reads, with what it returned still there."""
    yield read_sample(path, max_bytes=8 * MB)
    yield read_first_rows(path, 1_000, max_chars=2_000)
    yield read_rows_at(path, None, np.arange(0, 8_000, 100), max_bytes=8 * MB)
