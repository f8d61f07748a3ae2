"""Numbers with anything around them: the database reads them as the code of a model does, which shares none of it."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pytest

from core.datasets import NUMBER_STYLES, ReadOptions, cell_format, read_table
from core.edge.portable.written import read_cell

PIECES = (
    *(
        "0",
        "1",
        "5",
        "12",
        "007",
        "1,234",
        "1.234",
        "1 234",
        "1'234",
        "12,34,567",
        "1234567890123456789",
        ".",
        ",",
        " ",
    ),
    *(
        "  ",
        "\t",
        "-",
        "+",
        "(",
        ")",
        "\u2212",
        "\u00a0",
        "\u2019",
        "$",
        "€",
        "US$",
        "S$",
        "USD",
        "Rs.",
        "Rs",
        "kr.",
        "zł",
    ),
    *(
        "k",
        "K",
        "M",
        "bn",
        "B",
        "e",
        "E5",
        "e-12",
        "e400",
        "²",
        "Mio",
        "Mio.",
        "Mrd",
        "%",
        "‰",
        "°C",
        "km",
        "kg/m²",
        "k/h",
        "k.m",
        "Mé",
        "x1",
        "st",
    ),
)


def cells(seed: int, count: int) -> list[str]:
    draw = random.Random(seed)
    made = {"".join(draw.choices(PIECES, k=draw.randint(1, 6))) for _ in range(count)}
    sure = {
        f"{sign}{head}{digits}{tail}"
        for sign in ("", "-", "(")
        for head in ("", "$", "Rs.")
        for digits in ("1,234.5", "12", ".5", "1 234", "0,5")
        for tail in ("", " km", " M", " Mio. €", "%", "-", ")", " k/h")
    }
    return sorted(cell for cell in made | sure if cell.strip(" \t\u00a0"))


@pytest.mark.parametrize("style", NUMBER_STYLES)
def test_a_number_is_what_another_reader_takes_it_for(tmp_path: Path, style: str) -> None:
    spec = f"number:{style}"
    texts = cells(seed=len(style), count=1_500)
    pd.DataFrame({"v": texts}).to_csv(tmp_path / "t.csv", index=False)
    options = ReadOptions(column_types={"v": spec}, delimiter=",", header=0, missing_values=("",))
    table = read_table(tmp_path / "t.csv", workdir=tmp_path / "w", options=options)
    record = cell_format(spec, ("",))
    numbers = 0
    for text, value in zip(texts, table.frame["v"], strict=True):
        try:
            expected = read_cell(record, text)
        except ValueError:
            assert pd.isna(value), text
        else:
            numbers += 1
            assert value == pytest.approx(expected, rel=1e-15), text
    assert numbers > 100
    assert table.report.lost["v"] == len(texts) - numbers
