"""The picture of the winner: every feature has its step, every member its weight and score."""

import numpy as np
import pandas as pd
import pytest

from core.automl import winner_picture
from core.features import TableEncoder, feature_steps


def frame():
    rows = np.arange(60)
    return pd.DataFrame(
        {
            "age": np.where(rows % 7 == 0, np.nan, rows * 1.5),
            "size": (rows * 7 % 31).astype(float),
            "member": rows % 2 == 0,
            "color": np.array(["red", "green", "blue"])[rows % 3],
            "city": [f"city {row % 25}" for row in rows],
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(rows * 11, unit="D"),
            "due": pd.Series(pd.Timestamp("2025-01-01") + pd.to_timedelta(rows, unit="D")).where(rows % 5 > 0),
            "note": [f"the parcel number {row} came late again, and nobody answered {row % 9}" for row in rows],
            "constant": 1,
        }
    )


@pytest.mark.parametrize("imputation", [{}, {"size": "zero", "due": "most_frequent"}])
def test_the_steps_make_all_features_of_all_columns(imputation):
    encoder = TableEncoder(column_imputation=imputation or None).fit(frame())
    steps = feature_steps(encoder)
    assert sum(step["features"] for step in steps) == encoder.transform(frame()).shape[1]
    assert {name for step in steps for name in step["columns"]} == set(encoder.columns_)
    by_step = {step["step"]: step for step in steps}
    assert set(by_step["number"]["columns"]) == {"age", "size", "member"}
    assert by_step["number"]["features"] == 3
    assert set(by_step["date"]["columns"]) == {"since", "due"}
    assert set(by_step["missing"]["columns"]) == {"age", "due"}
    assert (by_step["one_hot"]["columns"], by_step["one_hot"]["features"]) == (["color"], 3)
    assert (by_step["ordinal"]["columns"], by_step["ordinal"]["features"]) == (["city"], 1)
    assert by_step["text"]["columns"] == ["note"]


RECORD = {
    "task": "binary",
    "metric": "roc_auc",
    "labels": ["bad", "good"],
    "features": ["age", "job"],
    "feature_steps": [
        {"step": "number", "title": "Numbers", "columns": ["age"], "features": 1},
        {"step": "one_hot", "title": "One-hot categories", "columns": ["job"], "features": 4},
    ],
    "settings": {"target": "credit", "drop_columns": ["sex"]},
    "findings": [{"check": "left_out", "column": "id"}, {"check": "left_out", "column": "sex"}],
    "leaderboard": [
        {"learner": "lgbm", "trial": 3, "score": 0.80},
        {"learner": "linear", "trial": None, "score": 0.75},
        {"learner": "prior", "trial": None, "score": 0.50},
    ],
    "winner": {
        "trial": None,
        "learner": "blend",
        "fitted": 6,
        "config": {
            "members": [
                {"trial": 0, "learner": "linear", "weight": 0.25, "config": {}},
                {"trial": 3, "learner": "lgbm", "weight": 0.75, "config": {"reg_alpha": 0.1, "n_estimators": 40}},
            ]
        },
    },
}


def test_a_blend_has_its_members_the_heaviest_first():
    picture = winner_picture(RECORD)
    assert [(member.title, member.weight, member.score) for member in picture.members] == [
        ("LightGBM 3", 0.75, 0.80),
        ("Linear model", 0.25, 0.75),
    ]
    assert list(picture.members[0].parameters) == ["n_estimators", "reg_alpha"]
    assert (picture.columns, picture.left_out, picture.features) == (2, 2, 5)
    assert picture.joined == "Weighted mean of 2 members, 6 fitted models"
    assert picture.description == (
        "2 columns used; 5 features (numbers 1, one-hot categories 4); LightGBM 3 with 75%, score 0.8; "
        "Linear model with 25%, score 0.75; weighted mean of 2 members, 6 fitted models; "
        "Probability that credit is good"
    )


@pytest.mark.parametrize(
    ("fitted", "joined"), [(5, "Mean of 5 models of the folds"), (1, "One model"), (None, "One model")]
)
def test_a_single_learner_is_a_picture_with_one_member(fitted, joined):
    winner = {"trial": 3, "learner": "lgbm", "config": {"n_estimators": 40}, "fitted": fitted}
    picture = winner_picture(RECORD | {"winner": winner})
    assert [(member.title, member.weight, member.score) for member in picture.members] == [("LightGBM 3", 1.0, 0.80)]
    assert picture.joined == joined


def test_an_earlier_result_has_no_steps_and_no_number_of_models():
    winner = {key: value for key, value in RECORD["winner"].items() if key != "fitted"}
    record = {key: value for key, value in RECORD.items() if key != "feature_steps"} | {"winner": winner}
    picture = winner_picture(record)
    assert (picture.steps, picture.features, picture.fitted) == (None, None, 2)
    assert "features" not in picture.description


def test_a_search_stores_what_the_picture_needs(credit):
    record = credit.result.to_dict()
    picture = winner_picture(record)
    assert picture.features == credit.result.model[0].transform(credit.frame).shape[1]
    assert sum(member.weight for member in picture.members) == pytest.approx(1)
    assert all(member.score is not None for member in picture.members)
