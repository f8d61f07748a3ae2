"""Cells that readers of tables take for different things."""

from __future__ import annotations

__all__ = ["NASTY_CELLS"]

_AMOUNTS = (
    "1.234,5 1,234.5 1'234.5 1.234 1,234 12,34 1.2.3 1,2,3 0,5 0.5 .5 5. , 1e3 1E5 12E5 -5 (5) ((5)) -(5) −5 +5 5- $5 "
    "€5 £5 5% 1.2k 3M 007 00 0 -0 1 2 0x1F 1_000 １２ ٣ inf -inf Infinity nan NaN -nan 1e400 -1e400 3.5e38 "
    "99999999999999999 1234567890123456 0.1234567890123456789 9007199254740993 1e-400 +1.5 + 1/2 ½ 5e e5 5f"
)
_WORDS = (
    "true TRUE True tRUE false yes t ? - -- – . NA N/A null None none \\N #VALUE! 0000-00-00 (missing) a A b x;y =1+1 "
    "epoch 1;2"
)
_DATES = (
    "3/10/2024 03/10/2024 10/3/2024 31/12/2024 12/31/2024 3/10/24 3.10.2024 03.10.2024 3-Oct-24 2024-10-03 2024-10-3 "
    "2024-10-03T12:00 20241003 2024-W01-1 2024-277 2024-10-03T12:00:00Z 2024-10-03T12:00:00+02:00 2024-02-30 30/2/2024 "
    "1677-09-22 1/1/0001 2024-10-03T12:00:00.123456789 2024-10-03T12"
)
_SPACED = (
    *(
        "",
        " ",
        "\u00a0",
        "\t",
        "\u200b",
        "\u200b5",
        "5\u200b",
        " 5 ",
        "\t5",
        "\n5",
        "5\n",
        "\r5",
        "5 5",
        " a",
        "a ",
        " b",
    ),
    *("1 234,5", "5 €", "5 kg", "two\r\nlines", "two\nlines", 'say "hi"', "2024-10-03 12:00:00", "2024-10-03 24:00:00"),
    *("2024-10-03 12:00:60", "03.10.2024 12:30", "03.10.2024 12:30:59", "03.10.2024 24:00", "3.10.2024 9:05"),
    "03.10.2024 12:30 PM",
)

NASTY_CELLS = [*_AMOUNTS.split(), *_WORDS.split(), *_DATES.split(), *_SPACED]
"""Amounts, words and dates in many spellings, marks of missing values, blanks and line breaks."""
