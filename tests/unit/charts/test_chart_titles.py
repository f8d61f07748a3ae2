"""Titles that are broken where there is no room; what Vega makes of them was looked at in a browser."""

from __future__ import annotations

import json
import re

import altair as alt
import pandas as pd

from core.charts import fitted, legend_columns

LONG = 'Probabilities of "5\' \\ <b>" agree with what happened in 7 of 10 bins'


def test_a_short_title_is_as_it_is_and_a_long_one_has_lines_for_a_narrow_plot() -> None:
    chart = alt.Chart(pd.DataFrame({"a": [1]})).mark_bar().encode(x="a:Q")
    assert chart.properties(title=fitted("ROC")).to_dict()["title"] == "ROC"
    expr = chart.properties(title=fitted(LONG)).to_dict()["title"]["text"]["expr"]
    match = re.fullmatch(r"width < (\d+) \? (\[.*\]) : (\".*\")", expr)
    assert match is not None
    lines = json.loads(match[2])
    assert json.loads(match[3]) == LONG == " ".join(lines)
    assert max(map(len, lines)) <= 36
    assert 350 < int(match[1]) < 500  # a telephone's plot is narrower, half of a wide page is not


def test_a_word_without_a_place_to_break_is_whole_in_the_wide_title() -> None:
    word = "x" * 80
    long = fitted(word)
    assert isinstance(long, alt.TitleParams)
    assert json.dumps(word) in long.to_dict()["text"]["expr"]


def test_a_legend_has_fewer_columns_on_a_narrow_plot() -> None:
    legend = alt.Legend(columns=legend_columns(5)).to_dict()
    assert re.fullmatch(r"width < \d+ \? 2 : 5", legend["columns"]["expr"])
