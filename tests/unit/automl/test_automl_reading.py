"""Reading a result: which hyperparameters mattered, trials as a table, sizes, and two models compared."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from core.automl import (
    AutoMLResult,
    compare_results,
    compare_tables,
    hyperparameter_importance,
    hyperparameter_table,
)
from core.errors import InputError


def trials(count, score, learner="lgbm", seed=0):
    """Trials whose score is a function of the configuration."""
    random = np.random.default_rng(seed)
    items = []
    for number in range(count):
        config = {
            "rate": float(random.uniform(0, 1)),
            "leaves": int(random.integers(4, 200)),
            "fixed": 1,
            "criterion": str(random.choice(["gini", "entropy"])),
        }
        items.append(
            {
                "trial": number + 1,
                "learner": learner,
                "status": "finished",
                "seconds": 1.0,
                "config": config,
                "score": score(config, random),
            }
        )
    return items


def test_what_decides_the_score_is_first_and_the_rest_is_nothing():
    result = hyperparameter_importance(trials(120, lambda config, random: (config["rate"] - 0.3) ** 2), "lgbm")
    assert next(iter(result)) == "rate"
    assert result["rate"].low > 0.3
    for name in ("leaves", "criterion"):
        assert abs(result[name].value) < 0.1
    assert "fixed" not in result, "it never varied"
    assert all(estimate.n == 120 and estimate.low <= estimate.value <= estimate.high for estimate in result.values())


def test_a_choice_of_words_counts_like_any_other():
    result = hyperparameter_importance(
        trials(80, lambda config, random: (config["criterion"] == "gini") + 0.1 * random.normal()), "lgbm"
    )
    assert next(iter(result)) == "criterion"


def test_scores_by_chance_make_nothing_important():
    result = hyperparameter_importance(trials(100, lambda config, random: random.normal()), "lgbm")
    assert all(abs(estimate.value) < 0.15 for estimate in result.values())


@pytest.mark.parametrize(
    "few",
    [trials(11, lambda config, random: config["rate"]), trials(40, lambda config, random: 0.5), []],
    ids=["eleven trials", "one score", "none"],
)
def test_too_little_to_say_is_nothing_said(few):
    assert hyperparameter_importance(few, "lgbm") == {}


def test_only_finished_trials_of_the_learner_are_in_the_table():
    mixed = [*trials(3, lambda config, random: 1.0), *trials(2, lambda config, random: 1.0, learner="rf")]
    mixed[1] = {"trial": 2, "learner": "lgbm", "status": "timed_out", "seconds": 9.0, "config": {"rate": 0.1}}
    table = hyperparameter_table(mixed, "lgbm")
    assert table["trial"].tolist() == [1, 3]
    assert list(table.columns) == ["trial", "score", "seconds", "rate", "leaves", "fixed", "criterion"]
    assert hyperparameter_table([], "rf").empty


def test_a_search_stores_what_mattered(run_search, quick, yes_or_no, tmp_path):
    learner, config = quick
    configs = [[learner, config | {"n_estimators": 2 + index, "max_depth": 1 + index % 4}] for index in range(16)]
    result = run_search(
        yes_or_no, target="y", time_budget_s=None, max_trials=16, folds=2, configs=configs, early_stopping=False
    ).result
    assert set(result.hyperparameters) == {"xgb_limitdepth"}
    assert set(result.hyperparameters["xgb_limitdepth"]) == {"n_estimators", "max_depth"}
    result.save(tmp_path)
    assert AutoMLResult.load(tmp_path).hyperparameters == result.hyperparameters
    board = result.leaderboard.set_index("trial")
    assert board.loc[16, "size_bytes"] > board.loc[1, "size_bytes"] > 100, "more trees take more room"


def test_comparison_of_results_is_that_of_their_test_rows(credit, run_search):
    other = run_search(
        credit.frame,
        target="credit",
        time_budget_s=None,
        max_trials=2,
        folds=2,
        drop_columns=("status",),
        learners=("rf",),
        ensemble=False,
    ).result
    actual = compare_results(credit.result, other)
    gap = [roc_auc_score(result.test["credit"] == "good", result.test["p(good)"]) for result in (credit.result, other)]
    gain = actual.gains["other"]
    assert gain.value == pytest.approx(gap[0] - gap[1])
    assert gain.low < gain.value < gain.high
    assert gain.n == len(credit.result.test)
    back = compare_results(other, credit.result).gains["other"]
    assert (back.value, back.low, back.high) == pytest.approx((-gain.value, -gain.high, -gain.low))
    assert actual.metrics["first"]["roc_auc"].value == pytest.approx(credit.result.test_metrics["roc_auc"].value)


def test_a_model_is_as_good_as_itself_in_whatever_order_the_rows_are(credit):
    table = credit.result.test
    shuffled = table.sample(frac=1, random_state=0)[[*table.columns[::-1]]]
    actual = compare_tables(table, shuffled, target="credit", task="binary", metric="log_loss")
    gain = actual.gains["other"]
    assert gain.value == 0
    assert gain.low < 0 < gain.high  # rows of which the two models differ may be among those that were not drawn


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.iloc[1:], "not tested on the same rows"),
        (lambda table: table.assign(credit=["good"] * len(table)), "different values of 'credit'"),
        (lambda table: table.drop(columns="p(bad)"), "different labels"),
    ],
)
def test_what_cannot_be_compared_is_said(credit, change, message):
    table = credit.result.test
    with pytest.raises(InputError, match=message):
        compare_tables(table, change(table), target="credit", task="binary", metric="roc_auc")


def test_results_of_other_tables_cannot_be_compared(credit, wine):
    with pytest.raises(InputError, match="different tables"):
        compare_results(credit.result, wine.result)
    with pytest.raises(InputError, match="'r2' does not fit"):
        compare_results(credit.result, credit.result, metric="r2")


def test_numbers_are_compared_by_their_errors():
    random = np.random.default_rng(0)
    truth = random.normal(size=200)
    one = pd.DataFrame({"row_id": range(200), "y": truth, "prediction": truth + random.normal(scale=0.1, size=200)})
    two = one.assign(prediction=truth + random.normal(scale=1.0, size=200))
    gain = compare_tables(one, two, target="y", task="regression", metric="rmse").gains["other"]
    assert gain.low > 0.5
