"""Requests for a session: random ones by the graph's shapes, or rows that are cycled and put together to batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, SettingsError

__all__ = ["Feeds", "batches", "random_feeds", "rows_of", "stack"]

Feeds = dict[str, NDArray[Any]]
_ITEMS = 16  # different random requests, so that no cache holds the answer
_LENGTH = 128  # of a dimension that is left open, where no length is set
_MOST_BATCHES = 4_096
_NUMBERS = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int16)": np.int16,
    "tensor(int8)": np.int8,
    "tensor(uint64)": np.uint64,
    "tensor(uint32)": np.uint32,
    "tensor(uint16)": np.uint16,
    "tensor(uint8)": np.uint8,
}


def random_feeds(inputs: Sequence[Any], batch_size: int, length: int | None, seed: int) -> list[Feeds]:
    """Return random requests for a session's inputs.

    An open first dimension is the batch; every other open one is `length`, or 128. Whole numbers are ids in
    [0, 1000), but masks are ones, token types zeros and positions rising; strings are short words.

    Raises
    ------
    SettingsError
        When an input takes batches of another size only.
    InputError
        When an input is no tensor of numbers, truth values or strings.
    """
    random = np.random.default_rng(seed)
    return [{each.name: _random(each, batch_size, length or _LENGTH, random) for each in inputs} for _ in range(_ITEMS)]


def _random(each: Any, batch_size: int, length: int, random: np.random.Generator) -> NDArray[Any]:
    shape = [
        size if isinstance(size, int) else batch_size if place == 0 else length for place, size in enumerate(each.shape)
    ]
    if shape and shape[0] != batch_size:
        raise SettingsError(
            f"The model's input '{each.name}' takes batches of {shape[0]}, not of {batch_size}.",
            f"Set batch_size to {shape[0]}.",
        )
    name, kind = each.name.lower(), each.type
    if kind == "tensor(string)":
        return random.choice(np.array(["a", "bb", "ccc", "dddd"], dtype=object), size=shape)
    if kind == "tensor(bool)":
        return random.random(shape) < 0.5
    if kind not in _NUMBERS:
        raise InputError(f"The model's input '{each.name}' is a {kind}.", "Only tensors can be measured.")
    dtype = np.dtype(_NUMBERS[kind])
    if dtype.kind == "f":
        return random.standard_normal(shape).astype(dtype)
    if "mask" in name:
        return np.ones(shape, dtype=dtype)
    if "token_type" in name or "segment" in name:
        return np.zeros(shape, dtype=dtype)
    if "position" in name:
        return np.broadcast_to(np.arange(shape[-1], dtype=dtype), shape).copy()
    return random.integers(0, min(1_000, 2 ** (8 * dtype.itemsize - 1) - 1), size=shape).astype(dtype)


def rows_of(feeds: Mapping[str, NDArray[Any]]) -> int | None:
    """Return how many rows all inputs have, None when they do not agree.

    Examples
    --------
    >>> rows_of({"a": np.zeros((3, 1)), "b": np.zeros(3)})
    3
    """
    sizes = {len(array) if array.ndim else None for array in feeds.values()}
    return sizes.pop() if len(sizes) == 1 else None


def stack(feeds: Sequence[Mapping[str, NDArray[Any]]]) -> Feeds | None:
    """Put all rows together; None when that cannot be done, for the inputs differ in shape or have no rows."""
    names = list(feeds[0])
    alike = all(list(each) == names and rows_of(each) is not None for each in feeds)
    if not alike or any(len({each[name].shape[1:] for each in feeds}) > 1 for name in names):
        return None
    return {name: np.concatenate([each[name] for each in feeds]) for name in names}


def batches(size: int, rows: int) -> list[NDArray[np.intp]]:
    """Return which rows make up each batch: all in turn, begun again when they run out.

    Examples
    --------
    >>> [batch.tolist() for batch in batches(2, 3)]
    [[0, 1], [2, 0], [1, 2]]
    """
    period = int(np.lcm(size, rows)) // size  # batches until the first one comes again
    places = np.arange(min(period, max(_MOST_BATCHES // size, -(-rows // size), 1)) * size) % rows
    return list(places.reshape(-1, size))
