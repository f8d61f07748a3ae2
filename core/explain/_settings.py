"""How much an explanation may take, and how much it shows: typed once, stored with it."""

from __future__ import annotations

from pydantic import Field

from core.checked import CheckedSettings

__all__ = ["ExplainSettings"]


class ExplainSettings(CheckedSettings):
    """Settings of `explain`.

    Parameters
    ----------
    budget_s : float
        Seconds for all of it. What does not fit is shortened or left out, and said to be.
    rows : int
        Test rows that permutation importance looks at, at most; the other parts take the first of the same sample.
    repeats : int
        Permutations of each column, at most.
    top : int
        Columns with curves of dependence; pairs are made of the first six of them.
    seed : int
        Of samples and permutations.

    Raises
    ------
    SettingsError
        When a value is invalid.

    Examples
    --------
    >>> ExplainSettings(budget_s=5).top
    10
    """

    budget_s: float = Field(default=20, gt=0, le=86_400)
    rows: int = Field(default=2_000, ge=20, le=100_000)
    repeats: int = Field(default=5, ge=1, le=100)
    top: int = Field(default=10, ge=1, le=100)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
