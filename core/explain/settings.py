"""Settings of an explanation, stored with it."""

from __future__ import annotations

from pydantic import Field

from core.checked import CheckedSettings

__all__ = ["ExplainSettings"]


class ExplainSettings(CheckedSettings):
    """Settings of `explain`.

    Parameters
    ----------
    budget_s : float, default=20
        Seconds for the whole explanation. What does not fit is shortened or left out, and listed.
    rows : int, default=2000
        Maximum test rows of permutation importance; the other parts take the first of the same sample.
    repeats : int, default=5
        Maximum permutations of each column.
    top : int, default=10
        Number of columns with dependence curves; pairs are made of the first six of them.
    seed : int, default=0
        Seed of samples and permutations.
    nodes : int, default=1
        Number of nodes of the cluster that permute columns at the same time; more than one needs an installation that
        runs on a Ray cluster.

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
    nodes: int = Field(default=1, ge=1, le=64)
