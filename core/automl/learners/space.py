"""The domain of a hyperparameter, and where the search in it starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flaml.tune.sample import Domain

__all__ = ["Hyperparameter"]

Value = int | float | str | bool | None


@dataclass(frozen=True)
class Hyperparameter:
    """One dimension of a learner's search space.

    Parameters
    ----------
    domain : flaml.tune domain
        Values that may be tried. `integer`, `real` and `choice` make one.
    initial : value, optional
        Value of the first trial.
    low_cost : value, optional
        Value that makes a trial cheap; the cost-frugal search starts there.

    Examples
    --------
    >>> Hyperparameter.integer(1, 50, log=True, initial=5).initial
    5
    """

    domain: Domain
    initial: Value = None
    low_cost: Value = None

    @classmethod
    def integer(
        cls, low: int, high: int, *, log: bool = False, initial: int | None = None, low_cost: int | None = None
    ) -> Hyperparameter:
        """Return whole numbers from `low` to `high`, both included, on a logarithmic scale if `log`."""
        from flaml import tune

        domain = tune.lograndint(low, high + 1) if log else tune.randint(low, high + 1)
        return cls(domain, initial, low_cost)

    @classmethod
    def real(
        cls, low: float, high: float, *, log: bool = False, initial: float | None = None, low_cost: float | None = None
    ) -> Hyperparameter:
        """Return numbers from `low` to `high`, on a logarithmic scale if `log`."""
        from flaml import tune

        return cls(tune.loguniform(low, high) if log else tune.uniform(low, high), initial, low_cost)

    @classmethod
    def choice(cls, values: Sequence[Value], *, initial: Value = None) -> Hyperparameter:
        """Return one of several values."""
        from flaml import tune

        return cls(tune.choice(list(values)), initial)
