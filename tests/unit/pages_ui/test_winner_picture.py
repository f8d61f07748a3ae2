"""The tab with the winner: a figure for wide and one for narrow screens with the same cards, and tables that say it."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

MEMBERS = [
    {"trial": number, "learner": "lgbm", "weight": 0.1, "config": {"n_estimators": number, "learning_rate": 0.123456}}
    for number in range(1, 11)
]
RECORD = {
    "task": "regression",
    "metric": "r2",
    "labels": None,
    "features": ["age", "<b>job</b>"],
    "feature_steps": [
        {"step": "number", "title": "Numbers", "columns": ["age"], "features": 1},
        {"step": "one_hot", "title": "One-hot categories", "columns": ["<b>job</b>"], "features": 4},
    ],
    "settings": {"target": "<i>size</i>", "drop_columns": []},
    "findings": [],
    "leaderboard": [{"learner": "lgbm", "trial": 1, "score": 0.8}],
    "winner": {"trial": None, "learner": "blend", "fitted": 10, "config": {"members": MEMBERS}},
}


def drawn(record):
    def script(record):
        from pages.automl import winner

        winner.show(record)

    test = AppTest.from_function(script, args=(record,), default_timeout=30).run()
    assert not test.exception, test.exception
    figures = [json.loads(figure.proto.spec) for figure in test.get("plotly_chart")]
    texts = [
        [text for trace in figure["data"] if trace["type"] == "bar" for text in trace["text"]] for figure in figures
    ]
    return test, texts


def test_both_figures_show_the_way_from_the_columns_to_the_prediction():
    test, (wide, narrow) = drawn(RECORD)
    for texts in (wide, narrow):
        assert len(texts) == 1 + 2 + 1 + 8 + 1
        assert [text.split("<br>")[0] for text in (texts[0], texts[1], texts[3])] == [
            "<b>2 columns</b>",
            "<b>Numbers</b>",
            "<b>5</b>",
        ]
        assert "3 more members" in texts[-2]
        assert "weight 30%" in texts[-2]
        assert not any("<i>" in text for text in texts), "names of columns are text"
    assert test.dataframe[0].value["Weight"].sum() == pytest.approx(100)
    assert test.dataframe[1].value["Features"].tolist() == [1, 4]


def test_an_earlier_result_has_no_steps_and_says_so():
    record = {key: value for key, value in RECORD.items() if key != "feature_steps"}
    record["winner"] = {"trial": 1, "learner": "lgbm", "config": {"n_estimators": 40}}
    test, (wide, _) = drawn(record)
    assert len(wide) == 3
    assert "LightGBM 1" in wide[1]
    assert "earlier version" in " ".join(caption.value for caption in test.caption)
