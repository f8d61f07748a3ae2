"""Amounts of resources as Kubernetes writes them: "250m" cores, "16000000Ki" of memory."""

from __future__ import annotations

import re
from fractions import Fraction

__all__ = ["quantity"]

_FORM = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)(?:([KMGTPE]i)|([numkMGTPE]?)|[eE]([+-]?\d{1,3}))", re.ASCII)
_BINARY = {f"{letter}i": Fraction(1024) ** power for power, letter in enumerate("KMGTPE", 1)}
_DECIMAL = {letter: Fraction(1000) ** power for power, letter in enumerate(("n", "u", "m", "", "k", *"MGTPE"), -3)}


def quantity(value: object) -> Fraction:
    """Return an amount exactly.

    Parameters
    ----------
    value : object
        Amount as the API server sends it, or a number of a YAML file.

    Raises
    ------
    ValueError
        When it is not an amount.

    Examples
    --------
    >>> quantity("250m"), quantity("1Gi"), quantity("1e3"), quantity(2)
    (Fraction(1, 4), Fraction(1073741824, 1), Fraction(1000, 1), Fraction(2, 1))
    """
    match = _FORM.fullmatch(str(value))
    if match is None or isinstance(value, bool):
        raise ValueError(f"not an amount: {str(value)[:40]!r}")
    sign, digits, binary, decimal, exponent = match.groups()
    factor = _BINARY[binary] if binary else _DECIMAL[decimal or ""] * Fraction(10) ** int(exponent or 0)
    # Fraction takes no number that ends with its point.
    return Fraction(sign + digits.removesuffix(".")) * factor
