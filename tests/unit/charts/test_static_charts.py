"""Charts for files: the colors are those of the light theme, and names become text in the drawing."""

from __future__ import annotations

import re
import tomllib
import xml.etree.ElementTree as ElementTree
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from core.charts import PRINT, Figure, StaticChart, bar_chart, confusion_chart, svg_of
from core.errors import ExportError

ROOT = Path(__file__).resolve().parents[3]
NAMES = ["<script>alert(1)</script>", "Ηλικία", "Возраст", "年齢", "عمر", 'a"b&c']


def test_colors_are_those_of_the_light_theme() -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    assert list(PRINT.categorical) == theme["chartCategoricalColors"]
    assert list(PRINT.sequential) == theme["chartSequentialColors"]


def test_drawings_hold_names_as_text_and_can_stand_on_one_page() -> None:
    table = pd.DataFrame({"name": NAMES, "value": range(6), "low": 0, "high": 6, "n": 10})
    bars = Figure("bars", partial(bar_chart, table, "Drop", "Heading <b>"))
    squares = Figure("confusion", partial(confusion_chart, NAMES[:2], [[3, 1], [0, 4]], "Right"))
    drawings = svg_of([StaticChart.of(figure) for figure in (bars, squares)])
    assert len(drawings) == 2
    words = []
    ids: list[str] = []
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        assert not [node for node in root.iter() if "script" in node.tag]
        words += ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("text")]
        ids += re.findall(r'\bid="([^"]+)"', drawing)
    assert set(NAMES) <= set(words)
    assert len(ids) == len(set(ids))
    for used in re.findall(r"url\(#([^)]+)\)", "".join(drawings)):
        assert used in ids


def test_a_chart_that_cannot_be_drawn_is_an_error_of_the_tree() -> None:
    with pytest.raises(ExportError, match="could not be drawn"):
        svg_of([StaticChart("no chart", {"mark": "no such mark"})])
    assert svg_of([]) == []
