"""Columns that carry a large share of the gain; those with the same information are shuffled together."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from core.explain import ExplainSettings, Explanation, explain
from core.explain.same_information import same_information
from tests.unit.explain.explain_models import function_model, result_of

ROWS = 1_200


def offers(rows=ROWS):
    """A table whose target follows an offer, which is there twice, and a little an age."""
    random = np.random.default_rng(1)
    offer, age = random.random(rows) < 0.4, random.integers(20, 70, rows)
    chance = 1 / (1 + np.exp(-(4 * offer - 2 + 0.03 * (age - 45))))
    return pd.DataFrame(
        {
            "offer": np.where(offer, "Yes", "No"),
            "age": age,
            "offer code": np.where(offer, "A", "none"),
            "unused": np.where(offer, "x", "y"),
            "noise": random.normal(size=rows),
            "left": np.where(random.random(rows) < chance, "yes", "no"),
        }
    )


def probability(frame):
    """Use both copies, each for a half, as a forest does."""
    offer = 0.5 * (frame["offer"] == "Yes").to_numpy() + 0.5 * (frame["offer code"] == "A").to_numpy()
    chance = 1 / (1 + np.exp(-(4 * offer - 2 + 0.03 * (frame["age"].to_numpy() - 45))))
    return np.column_stack([1 - chance, chance])


@pytest.fixture(scope="module")
def explained():
    frame = offers()
    result = result_of(
        function_model(probability, 2), frame, "left", task="binary", metric="roc_auc", labels=["no", "yes"]
    )
    return frame, explain(result, frame, ExplainSettings(budget_s=60, top=1))


def test_columns_with_the_same_information_are_shuffled_together(explained):
    frame, made = explained
    (names,) = made.together["columns"]
    assert names == ["offer", "offer code", "unused"]
    y = frame["left"] == "yes"
    whole, random, losses = roc_auc_score(y, probability(frame)[:, 1]), np.random.default_rng(5), []
    for _ in range(30):
        shuffled = frame.copy()
        shuffled[names] = frame[names].to_numpy()[random.permutation(len(frame))]
        losses.append(whole - roc_auc_score(y, probability(shuffled)[:, 1]))
    row = made.together.iloc[0]
    assert row["importance"] == pytest.approx(np.mean(losses), abs=0.02)
    assert row["low"] < np.mean(losses) < row["high"]
    single = made.permutation.set_index("feature")["importance"]
    assert single["unused"] == 0
    assert single["offer"] < 0.75 * row["importance"]


def test_the_largest_share_comes_first_and_small_ones_are_not_named(explained):
    frame, made = explained
    gain = roc_auc_score(frame["left"] == "yes", probability(frame)[:, 1]) - 0.5
    (carrier,) = made.carriers(gain)
    assert carrier.columns == ("offer", "offer code", "unused")
    assert carrier.share == pytest.approx(made.together["importance"].iloc[0] / gain)
    assert 0.7 < carrier.share < 1
    assert (carrier.gain, carrier.rows) == (gain, ROWS)
    small = made.permutation.set_index("feature")["importance"]["age"]
    assert [item.columns for item in made.carriers(3 * small)] == [carrier.columns, ("age",)]
    assert made.carriers(3 * small)[0].share == 1


@pytest.mark.parametrize("gain", [0.0, -0.1, float("nan")])
def test_without_a_gain_nothing_carries_it(explained, gain):
    assert explained[1].carriers(gain) == []


def test_an_explanation_keeps_its_groups_and_one_without_them_opens(explained, tmp_path):
    made = explained[1]
    made.save(tmp_path)
    again = Explanation.load(tmp_path)
    assert again.carriers(0.3) == made.carriers(0.3)
    assert again.to_dict() == made.to_dict()
    record = json.loads((tmp_path / "explain.json").read_text())
    del record["together"]
    (tmp_path / "explain.json").write_text(json.dumps(record))
    old = Explanation.load(tmp_path)
    assert old.together.empty
    assert [carrier.columns for carrier in old.carriers(0.2)] == [("offer",), ("offer code",)]
    (tmp_path / "explain.json").write_text(json.dumps(record | {"rows_from": "training"}))
    assert Explanation.load(tmp_path).carriers(0.2) == []


def test_few_rows_and_weak_relations_prove_nothing():
    table = offers(12)[["offer", "offer code", "noise"]]
    assert same_information(table) == []
    random = np.random.default_rng(0)
    number = random.normal(size=500)
    near = pd.DataFrame({"a": number, "b": number + 0.6 * random.normal(size=500), "c": np.exp(number), "d": -number})
    assert same_information(near) == [("a", "c", "d")]
