"""Columns that carry the same information: a model can use any of them, so they are shuffled together as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core.datasets import relate_columns
from core.explain.explained_model import ExplainedModel

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SAME", "joined", "same_information"]

SAME = 0.95
"""Strength of a relation from which two columns count as carrying the same information."""
_SURE = 0.8  # the lower bound of its interval: few rows prove nothing
_ROWS = 1_000


def same_information(cells: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the groups of columns that carry the same information, each in the order of the table.

    Parameters
    ----------
    cells : DataFrame
        Rows of the table; the first 1,000 are compared.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> offer = rng.integers(0, 2, 300)
    >>> table = pd.DataFrame({"offer": offer, "age": rng.integers(20, 70, 300), "code": np.where(offer == 1, "A", "B")})
    >>> same_information(table)
    [('offer', 'code')]
    """
    leader = {str(name): str(name) for name in cells.columns}

    def first(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    for pair in relate_columns(cells.head(_ROWS)).pairs:
        if pair.strength >= SAME and (pair.low or 0.0) >= _SURE:
            leader[first(pair.other)] = first(pair.one)
    groups: dict[str, list[str]] = {}
    for name in leader:
        groups.setdefault(first(name), []).append(name)
    return [tuple(names) for names in groups.values() if len(names) > 1]


def joined(model: ExplainedModel, groups: Sequence[Sequence[str]]) -> ExplainedModel:
    """Return a model whose columns are these groups of columns, named by their position, to be exchanged together."""
    indices = [np.concatenate([model.indices_of(name) for name in group]) for group in groups]
    return replace(model, columns=[str(position) for position in range(len(groups))], indices=indices)
