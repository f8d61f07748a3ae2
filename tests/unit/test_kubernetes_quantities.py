"""Amounts of resources as Kubernetes writes them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.jobs.launchers.kubernetes_quantities import quantity

BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
NUMBERS = st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, allow_infinity=False, places=6)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("250m", Fraction(1, 4)),
        ("0", 0),
        ("1Gi", 2**30),
        ("16000000Ki", 16_000_000 * 1_024),
        ("1e9", 10**9),
        ("1E9", 10**9),
        ("1E", 10**18),
        ("1Ei", 2**60),
        ("500M", 500 * 10**6),
        ("1.5Gi", 3 * 2**29),
        (".5", Fraction(1, 2)),
        ("5.", 5),
        ("-3", -3),
        ("+3k", 3_000),
        ("100n", Fraction(1, 10**7)),
        ("12e-2", Fraction(3, 25)),
        (4, 4),
        (0.5, Fraction(1, 2)),
    ],
)
def test_amounts_are_exact(text, value):
    assert quantity(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *("", "1 Gi", "1gi", "1Kii", "K", "1e", "1e1.5", "1e1k", "--1", "1_000", "0x10", "∞", "٣", "1\n", "."),
        None,
        True,
        "nan",
    ],
)
def test_what_is_not_an_amount(text):
    with pytest.raises(ValueError, match="not an amount"):
        quantity(text)


@given(NUMBERS, st.sampled_from(BINARY))
def test_powers_of_1024(number: Decimal, suffix: str) -> None:
    assert quantity(f"{number:f}{suffix}") == Fraction(number) * 1_024 ** (BINARY.index(suffix) + 1)


@given(NUMBERS, st.sampled_from(sorted(DECIMAL)))
def test_powers_of_1000(number: Decimal, suffix: str) -> None:
    power = DECIMAL[suffix]
    assert quantity(f"{number:f}{suffix}") == Fraction(number) * Fraction(10) ** power
    assert quantity(f"{number:f}e{power}") == quantity(f"{number:f}{suffix}") == quantity(f"{number:f}E{power:+}")


@given(st.text("0123456789.+-eEKMGTPimnuk ", max_size=8))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        value = quantity(text)
    except ValueError:
        return
    assert value == quantity(f"+{text}" if text[0].isdigit() or text[0] == "." else text)


@given(st.integers(min_value=0, max_value=2**62))
def test_bytes_survive_the_form_that_kubelets_use(number: int) -> None:
    assert quantity(f"{number}Ki") / 2**20 == Fraction(number, 1_024)
