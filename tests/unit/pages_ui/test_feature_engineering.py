"""The Winner tab says what feature engineering made and what it brought, also where it did not."""

import pytest
from streamlit.testing.v1 import AppTest

REPORT = {
    "features": [
        {"title": "debt ÷ income", "kind": "arithmetic", "columns": ["debt", "income"], "models": 5},
        {"title": "Target mean by town", "kind": "target_means", "columns": ["town"], "models": 2},
    ],
    "models": 7,
    "engineered": 5,
    "gains": [
        {
            "learner": "lgbm",
            "families": "all",
            "trial": 3,
            "plain_trial": 1,
            "score": 0.85,
            "plain_score": 0.84,
            "gain": 0.0101,
            "error": 0.0021,
        },
        {
            "learner": "gam",
            "families": "arithmetic",
            "trial": 4,
            "plain_trial": 2,
            "score": 0.83,
            "plain_score": 0.831,
            "gain": -0.001,
            "error": None,
        },
    ],
}


def shown(report, **settings):
    def page(record):
        from pages.automl import feature_engineering

        feature_engineering.show(record)

    record = {"metric": "roc_auc", "settings": settings, "feature_engineering": report}
    test = AppTest.from_function(page, kwargs={"record": record}).run()
    assert not test.exception
    return test


def test_gains_and_features_are_tables():
    test = shown(REPORT)
    assert test.caption[0].value == (
        "5 of the 7 models of the final one are given features that were made of the columns, 2 different ones. "
        "Each chose its own."
    )
    gains, features = (table.value for table in test.dataframe)
    assert gains["Learner"].tolist() == ["LightGBM", "Generalized additive model"]
    assert gains["Made"].tolist() == ["All", "Arithmetic, group differences"]
    assert gains["Gain"].tolist() == ["+0.0101 ± 0.0021", "−0.0010"]
    assert features["Feature"].tolist() == ["debt ÷ income", "Target mean by town"]
    assert features["Type"].tolist() == ["Arithmetic", "Target mean"]


@pytest.mark.parametrize(
    ("report", "settings", "sentence"),
    [
        (None, {"feature_engineering": False}, "Switched off in the settings."),
        (None, {}, "No further features were tried."),
        (
            {**REPORT, "features": [], "engineered": 0},
            {},
            "Further features were tried, and the final model does without them.",
        ),
        (
            {**REPORT, "models": 1, "engineered": 1},
            {},
            "The final model is given features that were made of the columns, 2 different ones.",
        ),
    ],
    ids=["off", "none tried", "tried in vain", "one model"],
)
def test_a_sentence_says_what_became_of_it(report, settings, sentence):
    assert shown(report, **settings).caption[0].value == sentence
