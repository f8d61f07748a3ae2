"""How much of an error rate each look at a series may use."""

from __future__ import annotations

import math

from core.errors import SettingsError

__all__ = ["look_alpha"]

_SCALE = 0.07720838


def look_alpha(look: int, alpha: float = 0.05) -> float:
    """Return the level at which a look of a series is tested, so that the whole series has the level `alpha`.

    The level of look t is alpha times 0.0772 log(max(t, 2)) / (t exp(sqrt(log t))), the sequence of Javanmard and
    Montanari (2018, "Online rules for control of false discovery rate and false discovery exceedance"). These parts add
    up to less than 1 over all looks, so by Bonferroni's inequality a series without change raises a false alarm with a
    probability of at most alpha, however long it is and however its looks depend on each other. It falls slowly: look
    200 still has a level of 1 in 100,000 where alpha is 0.05.

    Parameters
    ----------
    look : int
        Number of the look in the series, from 1.
    alpha : float, default=0.05
        Level of the whole series.

    Examples
    --------
    >>> [round(look_alpha(look), 6) for look in (1, 2, 10, 200)]
    [0.002676, 0.000582, 0.000195, 1e-05]
    """
    if look < 1:
        raise SettingsError(f"The look has the number {look}.", "Number the looks of a series from 1.")
    if not 0 < alpha < 1:
        raise SettingsError(f"The level of the series is {alpha}.", "Give a number between 0 and 1.")
    return alpha * _SCALE * math.log(max(look, 2)) / (look * math.exp(math.sqrt(math.log(look))))
