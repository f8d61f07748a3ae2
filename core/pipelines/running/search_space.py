"""The values that a sweep tries: all combinations of choices, or draws from distributions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from core.errors import SettingsError
from core.jsonable import JsonObject
from core.registry import unknown_name

__all__ = ["grid", "random_draws"]

Draw = Callable[[JsonObject, np.random.Generator], Any]


def _rounded(value: float, record: JsonObject) -> float:
    step = float(record["q"])
    return float(round(value / step) * step)


def _uniform(record: JsonObject, random: np.random.Generator) -> float:
    return float(random.uniform(record["min_value"], record["max_value"]))


def _log_uniform(record: JsonObject, random: np.random.Generator) -> float:
    return math.exp(_uniform(record, random))  # the bounds are logarithms, as in Azure ML


def _normal(record: JsonObject, random: np.random.Generator) -> float:
    return float(random.normal(record["mu"], record["sigma"]))


def _choice(record: JsonObject, random: np.random.Generator) -> Any:
    return record["values"][int(random.integers(len(record["values"])))]


_DRAWS: dict[str, Draw] = {
    "choice": _choice,
    "randint": lambda record, random: int(random.integers(record["upper"])),
    "uniform": _uniform,
    "quniform": lambda record, random: _rounded(_uniform(record, random), record),
    "loguniform": _log_uniform,
    "qloguniform": lambda record, random: _rounded(_log_uniform(record, random), record),
    "normal": _normal,
    "qnormal": lambda record, random: _rounded(_normal(record, random), record),
    "lognormal": lambda record, random: math.exp(_normal(record, random)),
    "qlognormal": lambda record, random: _rounded(math.exp(_normal(record, random)), record),
}
"""Draws by the type of a distribution."""


def _record(name: str, record: object) -> JsonObject:
    if not isinstance(record, Mapping) or record.get("type") not in _DRAWS:
        kind = record.get("type") if isinstance(record, Mapping) else record
        raise SettingsError(f"The search space of '{name}' has the type '{kind}'.", unknown_name(str(kind), _DRAWS))
    if record["type"] == "choice" and not record.get("values"):
        raise SettingsError(f"The choices of '{name}' are empty.", "List its values under 'values'.")
    return dict(record)


def grid(space: Mapping[str, object]) -> Iterator[dict[str, Any]]:
    """Yield all combinations of choices.

    Raises
    ------
    SettingsError
        When a part of the space is not a choice.

    Examples
    --------
    >>> list(grid({"depth": {"type": "choice", "values": [2, 4]}}))
    [{'depth': 2}, {'depth': 4}]
    """
    records = {name: _record(name, record) for name, record in space.items()}
    for name, record in records.items():
        if record["type"] != "choice":
            raise SettingsError(
                f"A grid needs choices, and '{name}' is of the type '{record['type']}'.",
                "Use the sampling algorithm 'random', or list the values.",
            )
    for values in itertools.product(*(record["values"] for record in records.values())):
        yield dict(zip(records, values, strict=True))


def random_draws(space: Mapping[str, object], seed: int) -> Iterator[dict[str, Any]]:
    """Yield draws without end; the same seed gives the same draws.

    Examples
    --------
    >>> next(random_draws({"rate": {"type": "uniform", "min_value": 0, "max_value": 1}}, 0))
    {'rate': 0.6369616873214543}
    """
    records = {name: _record(name, record) for name, record in space.items()}
    random = np.random.default_rng(seed)
    while True:
        yield {name: _DRAWS[record["type"]](record, random) for name, record in records.items()}
