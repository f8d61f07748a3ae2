"""Within a budget: what there is no time for is left out or shortened, and named; stopping keeps what is there."""

import time

import pandas as pd
import pytest

from core.explain import ExplainSettings, explain
from tests.unit.explain.explain_models import function_model, odd_result

PARTS = {"permutation", "shap", "dependence", "interactions"}


def slowed(result, seconds_per_row):
    """Let the model take so many seconds per row."""
    model, calls = result.model, []

    def function(frame):
        calls.append(len(frame))
        time.sleep(seconds_per_row * len(frame))
        return model.predict_proba(frame)

    result.model = function_model(function, 2)
    return calls


def missing(explanation):
    return {item["part"] for item in explanation.left_out if item["what"].startswith("all")}


def test_a_budget_of_nearly_zero_gives_an_explanation_that_says_what_is_missing(tmp_path):
    result, frame = odd_result("lgbm", "binary")
    explanation = explain(result, frame, ExplainSettings(budget_s=1e-6))
    assert missing(explanation) == PARTS
    assert explanation.shap is None
    assert explanation.permutation.empty
    assert all(item["why"] == "there was no time left" for item in explanation.left_out)
    explanation.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["explain.json"]
    assert type(explanation).load(tmp_path).to_dict() == explanation.to_dict()


@pytest.mark.parametrize("budget", [1.0, 3.0])
def test_a_slow_model_gets_what_fits_and_the_rest_is_named(budget):
    result, frame = odd_result("linear", "binary", rows=200)
    calls = slowed(result, 2e-4)
    explanation = explain(result, frame, ExplainSettings(budget_s=budget))
    # Without a budget: 5 x 9 x 200 rows permuted, 200 x 640 sampled, 9 x 6000 moved, 21 x 10,000 in pairs, 80 s.
    assert sum(calls) * 2e-4 < budget + 1
    shortened = {item["part"] for item in explanation.left_out}
    assert {"shap", "interactions"} <= shortened
    for name in ("permutation", "dependence"):  # a part that is not named is there for all nine columns
        assert name in shortened or len(getattr(explanation, name)) == 9
    said = [item["what"] for item in explanation.left_out if item["part"] == "permutation"]
    if len(explanation.permutation) == 9:
        n, repeats = explanation.permutation["n"].min(), explanation.permutation["repeats"].min()
        assert (n == 200) != (f"{200 - n} of 200 rows" in said)
        assert (repeats == 5) != (f"{5 - repeats} of 5 repeats" in said)
    if explanation.shap is not None:
        assert 0 < len(explanation.shap) < 200
        assert f"{200 - len(explanation.shap)} of 200 rows" in [item["what"] for item in explanation.left_out]


def test_a_quick_model_leaves_nothing_out():
    result, frame = odd_result("linear", "binary")
    assert explain(result, frame, ExplainSettings(budget_s=200)).left_out == []


@pytest.mark.parametrize("part", ["Permuting columns", "Explaining single rows", "Changing single columns"])
def test_stopping_keeps_what_is_there(part):
    result, frame = odd_result("lgbm", "binary")
    stop = []

    def report(event):
        if event.message == part:
            stop.append(True)

    explanation = explain(result, frame, ExplainSettings(budget_s=200), report=report, should_stop=lambda: bool(stop))
    done = {"Permuting columns": 0, "Explaining single rows": 1, "Changing single columns": 2}[part]
    order = ["permutation", "shap", "dependence", "interactions"]
    assert missing(explanation) == set(order[done:])
    assert {item["why"] for item in explanation.left_out} == {"it was stopped"}
    assert [name for name in order if name not in missing(explanation) and not len(getattr(explanation, name))] == []


def test_the_same_seed_gives_the_same_explanation():
    result, frame = odd_result("xgboost", "binary")
    first, second = (explain(result, frame, ExplainSettings(seed=3, budget_s=200)).to_dict() for _ in range(2))
    first.pop("elapsed_s"), second.pop("elapsed_s")
    assert first == second
    other = explain(result, frame, ExplainSettings(seed=4)).permutation
    assert not other.equals(pd.DataFrame(first["permutation"]))
