"""Requests: random ones that fit the graph, and rows that are cycled into batches."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.edge.latency.measuring.requests import batches, random_feeds, stack
from core.errors import InputError


def port(name, kind, shape):
    return SimpleNamespace(name=name, type=f"tensor({kind})", shape=shape)


def test_random_values_by_name_and_type():
    ports = [
        port("input_ids", "int64", ["batch", "length"]),
        port("attention_mask", "int64", ["batch", "length"]),
        port("token_type_ids", "int64", ["batch", "length"]),
        port("position_ids", "int64", ["batch", "length"]),
        port("image", "float", ["batch", 3, 4]),
        port("word", "string", [None, 1]),
        port("flag", "bool", ["batch"]),
        port("small", "uint8", ["batch"]),
        port("half", "float16", ["batch", 2]),
    ]
    feeds = random_feeds(ports, 2, 7, seed=0)
    first = feeds[0]
    assert first["input_ids"].shape == (2, 7)
    assert first["input_ids"].min() >= 0
    assert first["input_ids"].max() < 1_000
    assert (first["attention_mask"] == 1).all()
    assert (first["token_type_ids"] == 0).all()
    assert first["position_ids"].tolist() == [list(range(7))] * 2
    assert first["image"].shape == (2, 3, 4)
    assert first["image"].dtype == np.float32
    assert isinstance(first["word"][0, 0], str)
    assert first["flag"].dtype == bool
    assert first["small"].dtype == np.uint8
    assert first["half"].dtype == np.float16
    assert not np.array_equal(first["input_ids"], feeds[1]["input_ids"])
    assert np.array_equal(random_feeds(ports, 2, 7, seed=0)[3]["input_ids"], feeds[3]["input_ids"])


def test_an_open_length_is_128():
    assert random_feeds([port("input_ids", "int64", ["b", "s"])], 1, None, seed=0)[0]["input_ids"].shape == (1, 128)


def test_what_is_no_tensor_is_refused():
    with pytest.raises(InputError, match="is a seq"):
        random_feeds([SimpleNamespace(name="x", type="seq(tensor(float))", shape=["n"])], 1, None, seed=0)


@given(st.integers(1, 70), st.integers(1, 300))
def test_batches_use_all_rows_in_turn(size, rows):
    groups = batches(size, rows)
    assert {len(batch) for batch in groups} == {size}
    flat = np.concatenate(groups)
    assert (flat == np.arange(len(flat)) % rows).all()
    assert set(flat) == set(range(rows))


def test_feeds_are_stacked_where_they_can_be():
    a, b = {"x": np.ones((1, 3)), "y": np.ones((1, 1))}, {"x": np.zeros((2, 3)), "y": np.zeros((2, 1))}
    assert stack([a, b])["x"].shape == (3, 3)
    assert stack([a, {"x": np.ones((1, 4)), "y": np.ones((1, 1))}]) is None  # another length
    assert stack([{"x": np.ones((1, 3)), "n": np.float32(1.0)}]) is None  # a scalar has no rows
    assert stack([a, {"x": np.ones((1, 3))}]) is None
