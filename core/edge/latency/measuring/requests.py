"""Requests for a session: random ones in the shapes of the graph, or rows that are cycled and put into batches."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, SettingsError

if TYPE_CHECKING:
    from core.finetune import Text

__all__ = ["Feeds", "SessionInput", "batches", "count_rows", "random_feeds", "read_texts", "stack"]

Feeds = dict[str, NDArray[Any]]
"""One array per input; their types are as the graph has them."""
_ITEMS = 16  # different random requests, so that no cache holds the answer
_LENGTH = 128  # of a free dimension, where no length is set
_MAX_BATCHES = 4_096
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


class SessionInput(Protocol):
    """An input as a session describes it; free dimensions are names or None."""

    name: str
    type: str
    shape: Sequence[int | str | None]


def read_texts(folder: Path) -> list[Text]:
    """Return the texts, or pairs, that were written for the measuring process."""
    stored = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    return [text if isinstance(text, str) else (text[0], text[1]) for text in stored]


def random_feeds(
    inputs: Sequence[SessionInput],
    batch_size: int,
    length: int | None,
    seed: int,
    limits: Mapping[str, int] | None = None,
) -> list[Feeds]:
    """Return random requests for a session's inputs.

    Whole numbers are ids in [0, 1000), or below the limit of their input, but masks are ones, token types zeros and
    positions rising; strings are short words.

    Parameters
    ----------
    inputs : sequence of SessionInput
        The inputs.
    batch_size : int
        Size of a free first dimension.
    length : int or None
        Size of every other free dimension; None means 128.
    seed : int
        Seed of the random number generator that draws the values.
    limits : mapping of str to int, optional
        Number of ids that an input may take, by its name.

    Raises
    ------
    SettingsError
        When an input takes batches of another size only.
    InputError
        When an input is not a tensor of numbers, truth values or strings.
    """
    generator = np.random.default_rng(seed)
    return [
        {
            port.name: _random_values(port, batch_size, length or _LENGTH, generator, (limits or {}).get(port.name))
            for port in inputs
        }
        for _ in range(_ITEMS)
    ]


def _random_values(
    port: SessionInput, batch_size: int, length: int, generator: np.random.Generator, limit: int | None
) -> NDArray[Any]:
    shape = [
        size if isinstance(size, int) else batch_size if axis == 0 else length for axis, size in enumerate(port.shape)
    ]
    if shape and shape[0] != batch_size:
        raise SettingsError(
            f"The model's input '{port.name}' takes batches of {shape[0]}, not of {batch_size}.",
            f"Set batch_size to {shape[0]}.",
        )
    name, element_type = port.name.lower(), port.type
    if element_type == "tensor(string)":
        return generator.choice(np.array(["a", "bb", "ccc", "dddd"], dtype=object), size=shape)
    if element_type == "tensor(bool)":
        return generator.random(shape) < 0.5
    if element_type == "tensor(bfloat16)":
        raise InputError(
            f"The model's input '{port.name}' is bfloat16, which ONNX Runtime does not take from Python.",
            "Export it with float32 inputs; its weights may stay bfloat16.",
        )
    if element_type not in _NUMBERS:
        raise InputError(f"The model's input '{port.name}' is a {element_type}.", "Only tensors can be measured.")
    dtype = np.dtype(_NUMBERS[element_type])
    if dtype.kind == "f":
        return generator.standard_normal(shape).astype(dtype)
    if "mask" in name:
        return np.ones(shape, dtype=dtype)
    if "token_type" in name or "segment" in name:
        return np.zeros(shape, dtype=dtype)
    if "position" in name and (limit is None or shape[-1] <= limit):
        return np.broadcast_to(np.arange(shape[-1], dtype=dtype), shape).copy()
    most = min(1_000, 2 ** (8 * dtype.itemsize - 1) - 1, 1_000 if limit is None else max(limit, 1))
    return generator.integers(0, most, size=shape).astype(dtype)


def count_rows(feeds: Mapping[str, NDArray[Any]]) -> int | None:
    """Return how many rows all inputs have; None when they do not agree.

    Examples
    --------
    >>> count_rows({"a": np.zeros((3, 1)), "b": np.zeros(3)})
    3
    """
    sizes = {len(array) if array.ndim else None for array in feeds.values()}
    return sizes.pop() if len(sizes) == 1 else None


def stack(feeds: Sequence[Mapping[str, NDArray[Any]]]) -> Feeds | None:
    """Put the rows of all requests together; None when the inputs differ in shape or have no rows."""
    names = list(feeds[0])
    alike = all(list(feed) == names and count_rows(feed) is not None for feed in feeds)
    if not alike or any(len({feed[name].shape[1:] for feed in feeds}) > 1 for name in names):
        return None
    return {name: np.concatenate([feed[name] for feed in feeds]) for name in names}


def batches(size: int, rows: int) -> list[NDArray[np.intp]]:
    """Return the rows of each batch: all rows in turn, again and again.

    Parameters
    ----------
    size : int
        Rows per batch.
    rows : int
        Number of rows.

    Examples
    --------
    >>> [batch.tolist() for batch in batches(2, 3)]
    [[0, 1], [2, 0], [1, 2]]
    """
    period = int(np.lcm(size, rows)) // size  # batches until the first one comes again
    count = min(period, max(_MAX_BATCHES // size, -(-rows // size), 1))
    return list((np.arange(count * size) % rows).reshape(-1, size))
