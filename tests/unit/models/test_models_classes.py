"""Several classes with numbers for labels: through registry, scores, card, comparison and MLflow's signature."""

import json
from dataclasses import replace

import numpy as np
import pytest
import yaml
from fairlearn.metrics import MetricFrame
from sklearn.metrics import accuracy_score, log_loss

from core import models, policies
from core.access import LOCAL
from core.fairness import ThresholdPolicy
from core.models.mlflow_folder import label_type


@pytest.fixture
def wine(finish, wine_result, wine_frame):
    return finish(wine_result, wine_frame, "cultivar from Wine")


def test_scores_have_the_labels_own_type(wine, wine_result, wine_frame):
    table = models.score(models.register(wine.id, access=LOCAL).id, wine_frame, access=LOCAL)
    assert table.columns.tolist() == ["prediction", "p(1)", "p(5)", "p(9)"]
    assert table["prediction"].dtype == "int64"
    assert table["prediction"].tolist() == wine_result.model.predict(wine_frame).tolist()


def test_a_policy_is_about_one_class(wine, wine_frame):
    policies.keep(
        wine,
        "five",
        ThresholdPolicy({"north": ((0.3, 1.0),), "south": ((0.6, 1.0),)}, ("region",), {"positive": "5"}),
        access=LOCAL,
    )
    table = models.score(models.register(wine.id, access=LOCAL).id, wine_frame, access=LOCAL)
    least = np.where(wine_frame["region"] == "north", 0.3, 0.6)
    assert table["decision"].tolist() == (table["p(5)"] >= least).astype(int).tolist()


def test_groups_are_compared_by_accuracy(wine, wine_result):
    card = models.card_of_run(wine.id, access=LOCAL)
    test = wine_result.test
    expected = MetricFrame(
        metrics=accuracy_score, y_true=test["cultivar"], y_pred=test["prediction"], sensitive_features=test["region"]
    ).by_group
    figures = card.facts["groups"]["region"]
    assert {group: values["accuracy"]["value"] for group, values in figures.items()} == pytest.approx(
        expected.to_dict()
    )
    assert all(set(values) == {"count", "accuracy"} for values in figures.values())
    gap = 100 * (expected.max() - expected.min())
    assert card["groups"].text[0].startswith("'region': ")
    assert f"(gap {gap:.1f} points [" in card["groups"].text[0]


def test_versions_compare(finish, wine, wine_result, wine_frame):
    test = wine_result.test.copy()
    columns = ["p(1)", "p(5)", "p(9)"]
    test[columns] = 0.5 * test[columns] + 0.5 / 3
    other = finish(replace(wine_result, test=test), wine_frame, "cultivar from Wine")
    first, second = (
        models.register(wine.id, name="a", access=LOCAL),
        models.register(other.id, name="b", access=LOCAL),
    )
    comparison = models.compare(first.id, second.id, metric="log_loss", access=LOCAL)
    shares = [table[columns].to_numpy(dtype=float) for table in (wine_result.test, test)]
    losses = [log_loss(test["cultivar"], share / share.sum(axis=1, keepdims=True)) for share in shares]
    assert comparison.difference.value == pytest.approx(losses[0] - losses[1], abs=1e-6)
    assert "The second model is" in comparison.verdict
    assert json.loads(json.dumps(comparison.to_dict()))["difference"]["n"] == len(test)


def test_the_signature_has_the_labels_type(wine, tmp_path):
    folder = models.save_mlflow(models.register(wine.id, access=LOCAL).id, tmp_path / "out", access=LOCAL)
    outputs = json.loads(yaml.safe_load((folder / "MLmodel").read_text())["signature"]["outputs"])
    assert [column["type"] for column in outputs] == ["long", "double", "double", "double"]
    assert [label_type(labels) for labels in ([True, False], [0, 1], [0.5, 1], ["a", "b"])] == [
        "boolean",
        "long",
        "double",
        "string",
    ]


def test_every_name_that_is_offered_is_there():
    assert [name for name in models.__all__ if not hasattr(models, name)] == []
