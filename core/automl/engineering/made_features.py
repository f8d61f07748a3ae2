"""Features that are made of encoded columns: means of the target, arithmetic, differences from a group's mean.

Each is computed in float32 with operations that ONNX has, so that an exported graph makes the same bits: trees split
between values that are close.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.automl._types import Codes, Features

__all__ = [
    "MADE_LIMIT",
    "OPERATORS",
    "Arithmetic",
    "GroupDifference",
    "MadeFeature",
    "Operator",
    "TargetMeans",
    "calculate",
    "category_codes",
]

Operator = Literal["+", "-", "*", "/"]
OPERATORS: dict[Operator, str] = {"+": "+", "-": "−", "*": "×", "/": "÷"}
"""Operators, and their signs in a feature's name."""
MADE_LIMIT = np.float32(1e30)
"""Size above which no made number goes: learners that scale their features need some digits of the exponent left."""


class MadeFeature(Protocol):
    """One feature, or one for each of several classes."""

    kind: ClassVar[str]

    @property
    def columns(self) -> list[str]:
        """Columns that it is made of."""
        ...

    @property
    def title(self) -> str:
        """Name of the feature, with the names of the columns that it is made of."""
        ...

    @property
    def width(self) -> int:
        """Number of its columns."""
        ...

    def values(self, X: Features) -> Features:
        """Return the feature of encoded rows, shape (n, m)."""
        ...


def category_codes(X: Features, positions: list[int]) -> Codes:
    """Return the code of each row's category, from 1; 0 is a value that the encoder has not seen.

    Parameters
    ----------
    X : array of shape (n, features)
        Encoded rows.
    positions : list of int
        Positions of the category, as `FeatureGroups` has them.

    Examples
    --------
    >>> X = np.array([[1, 0, 0, 2], [0, 0, 1, -1], [0, 0, 0, 0]], dtype=np.float32)
    >>> category_codes(X, [0, 1, 2]).tolist(), category_codes(X, [3]).tolist()
    ([1, 3, 0], [3, 0, 1])
    """
    if len(positions) == 1:
        return np.asarray(X[:, positions[0]], dtype=np.intp) + 1
    return np.asarray(X[:, positions] @ np.arange(1, len(positions) + 1, dtype=X.dtype), dtype=np.intp)


@dataclass(frozen=True)
class TargetMeans:
    """The mean of the target in each category, or in each pair of categories; shrunk towards the mean of all rows.

    Parameters
    ----------
    columns : list of str
        One category, or two.
    positions : list of list of int
        Their positions.
    sizes : list of int
        Number of codes of each.
    table : array of shape (codes, m), float32
        Means by code; of two categories the code is the first one's times the number of the second one's codes, plus
        the second one's.
    """

    kind: ClassVar[str] = "target_means"

    columns: list[str]
    positions: list[list[int]]
    sizes: list[int]
    table: NDArray[np.float32]

    @property
    def title(self) -> str:
        return f"Target mean by {' and '.join(self.columns)}"

    @property
    def width(self) -> int:
        return int(self.table.shape[1])

    def codes(self, X: Features) -> Codes:
        """Return the row of the table of each row."""
        codes = category_codes(X, self.positions[0])
        return codes if len(self.sizes) == 1 else codes * self.sizes[1] + category_codes(X, self.positions[1])

    def values(self, X: Features) -> Features:
        return self.table[self.codes(X)]


@dataclass(frozen=True)
class GroupDifference:
    """A number less its mean in a category.

    Parameters
    ----------
    columns : list of str
        The number and the category.
    number : int
        Position of the number.
    positions : list of int
        Positions of the category.
    table : array of shape (codes,), float32
        Means by code.
    """

    kind: ClassVar[str] = "group_differences"

    columns: list[str]
    number: int
    positions: list[int]
    table: NDArray[np.float32]

    @property
    def title(self) -> str:
        return f"{self.columns[0]} − its mean by {self.columns[1]}"

    @property
    def width(self) -> int:
        return 1

    def values(self, X: Features) -> Features:
        number = np.asarray(X[:, self.number], dtype=np.float32)
        return calculate("-", number, self.table[category_codes(X, self.positions)])[:, None]


@dataclass(frozen=True)
class Arithmetic:
    """The sum, difference, product or ratio of two numbers.

    Parameters
    ----------
    columns : list of str
        The two numbers.
    operator : {"+", "-", "*", "/"}
        Operator between them.
    first, second : int
        Their positions.
    otherwise : float, default=0.0
        Value of a ratio whose divisor is zero.
    """

    kind: ClassVar[str] = "arithmetic"

    columns: list[str]
    operator: Operator
    first: int
    second: int
    otherwise: float = 0.0

    @property
    def title(self) -> str:
        return f"{self.columns[0]} {OPERATORS[self.operator]} {self.columns[1]}"

    @property
    def width(self) -> int:
        return 1

    def values(self, X: Features) -> Features:
        first, second = (np.asarray(X[:, index], dtype=np.float32) for index in (self.first, self.second))
        return calculate(self.operator, first, second, self.otherwise)[:, None]


def calculate(operator: Operator, first: Features, second: Features, otherwise: float = 0.0) -> Features:
    """Return a column from two numbers, float32, at most `MADE_LIMIT` in size.

    Parameters
    ----------
    operator : {"+", "-", "*", "/"}
        Operator between them.
    first, second : array of shape (n,), float32
        The numbers.
    otherwise : float, default=0.0
        Value of a ratio whose divisor is zero.

    Examples
    --------
    >>> one = np.ones(2, dtype=np.float32)
    >>> calculate("/", one, np.array([0, 4], dtype=np.float32), otherwise=7.0).tolist()
    [7.0, 0.25]
    """
    with np.errstate(over="ignore"):
        if operator == "/":
            zero = second == 0
            ratio = first / np.where(zero, np.float32(1), second)
            values = np.where(zero, np.float32(otherwise), ratio)
        else:
            values = {"+": np.add, "-": np.subtract, "*": np.multiply}[operator](first, second)
    return np.clip(values, -MADE_LIMIT, MADE_LIMIT)
