"""One threshold for all rows decides the same wherever a model scores: registry, ONNX, bundle, MLflow, download."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import exports, jobs, models, policies
from core.access import LOCAL
from core.automl import AutoMLSettings, bundle, search
from core.catalog import artifacts
from core.decisions import LabeledScores, decision_curve
from core.edge import Metadata, TableScorer, export_onnx, write_bundle
from core.edge.portable.cli import predict
from core.edge.portable.rules import Rules
from core.fairness import ThresholdPolicy
from core.models._mlflow_loader import _load_pyfunc
from core.storage import get_store
from core.tasks import export


@pytest.fixture(scope="module")
def tied(tmp_path_factory):
    """A table of few different rows, so that many scores are equal, and a search of it."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"plan": random.choice(["a", "b", "c"], 400), "calls": random.integers(0, 4, 400)})
    chance = 0.15 + 0.15 * frame["calls"] + 0.2 * (frame["plan"] == "a")
    frame["left"] = np.where(random.random(400) < chance, "yes", "no")
    quick = {"time_budget_s": None, "max_trials": 2, "folds": 2, "cv_repeats": 1, "learners": ("lgbm",)}
    result = search(frame, AutoMLSettings(target="left", explain=False, **quick))
    model = export_onnx(
        result.model, tmp_path_factory.mktemp("tied") / "m.onnx", train=frame.head(300), held_out=frame.tail(100)
    )
    return frame, result, model


def thresholds(frame, result):
    """Yield thresholds between scores, and one that is the score of many rows, as other tools make them."""
    rows = LabeledScores.from_predictions(result.oof, "left", "yes")
    curve = decision_curve(rows.truth, rows.score, costs={"fn": 3})
    yield curve.best.threshold
    yield float(pd.Series(result.model.predict_proba(frame)[:, 1]).mode()[0])


def test_all_places_decide_the_same(tied, finish, tmp_path):
    frame, result, exported = tied
    run = finish(result, frame, "left from Plans")
    version = models.resolve(models.register(run.id, access=LOCAL).id, access=LOCAL)
    rows = frame.drop(columns="left")
    rows.to_csv(tmp_path / "rows.csv", index=False)
    score = result.model.predict_proba(frame)[:, 1]
    assert len(np.unique(score)) < 20
    for number, threshold in enumerate(thresholds(frame, result)):
        policy = ThresholdPolicy.for_all(threshold, settings={"positive": "yes"})
        kept = policies.keep(run, f"threshold {number}", policy, access=LOCAL)
        expected = policy.predict(score).tolist()
        assert 0 < sum(expected) < len(expected)
        scored = models.score_rows(version.id, rows, access=LOCAL)
        assert (scored.policy, scored.table["decision"].tolist()) == (kept, expected)
        by_onnx = TableScorer(exported.path).outputs(rows)[:, 1]
        names = ["all rows"] * len(rows)
        assert Rules(json.loads(json.dumps(policy.to_dict()))).decide(by_onnx, names).tolist() == expected
        folder = tmp_path / str(number)
        folder.mkdir()
        served = _load_pyfunc(str(models.save_mlflow(version.id, folder / "mlflow", access=LOCAL) / "data"))
        assert served.predict(rows)["decision"].tolist() == expected
        files = {item.name: get_store().local_path(item.digest) for item in artifacts.find(run.id, access=LOCAL)}
        bundle(files, folder / "model.zip")
        unzip(folder / "model.zip", folder)
        downloaded = models.DownloadedModel(folder / "model").score(tmp_path / "rows.csv").table
        assert downloaded["decision"].tolist() == expected, "by the rule in force, of several that were kept"
        assert f"by `{kept}`, the rule in force" in (folder / "model" / "README.md").read_text()
        made = write_bundle(folder / "edge.zip", exported, sample=frame.head(20), card="", license="", policy=policy)
        unzip(made, folder / "edge")
        assert "follows one threshold for all rows" in (folder / "edge" / "README.md").read_text()
        with (folder / "out.csv").open("w", newline="") as target:
            predict(folder / "edge", tmp_path / "rows.csv", target)
        assert pd.read_csv(folder / "out.csv")["decision"].tolist() == expected
    policies.choose(run, policies.NO_POLICY, access=LOCAL)
    assert "decision" not in models.score(version.id, rows, access=LOCAL)


def unzip(path: Path, folder: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)


def test_the_card_and_the_history_name_the_rule(finish, other_credit, credit_frame):
    run = finish(other_credit, credit_frame)
    model = models.register(run.id, access=LOCAL)
    rows = LabeledScores.from_predictions(other_credit.oof, "credit", "bad")
    curve = decision_curve(rows.truth, rows.score, costs={"fn": 5, "tp": -2})
    policy = curve.policy(curve.best.threshold, positive="bad")
    kept = policies.keep(run, "five to one", policy, access=replace(LOCAL, actor="ann"))
    card = models.card(model.id, access=LOCAL)
    (sentence,) = [text for text in card["evaluation"].text if "rule in force" in text]
    assert f"'bad' from {curve.best.threshold:.4g} on, for all rows ('{kept}')" in sentence
    assert "true positive −2" in sentence
    assert f"selects {policy.expected['by_group']['all rows']['selection_rate']:.1%}" in sentence
    assert any(f"Policy '{kept}' (in force)" in table.title for table in card["groups"].tables)
    assert ("The decision rule of version 1 was chosen", "ann", kept) in [
        row[1:] for row in card["history"].tables[0].rows
    ]
    table = models.score(model.id, credit_frame, access=LOCAL)
    assert (table["decision"] == (table["p(bad)"] >= curve.best.threshold)).all()


def test_rows_are_ranked_by_the_score_that_decides(finish, wine_result, wine_frame):
    run = finish(wine_result, wine_frame, "cultivar from Wine")
    version = models.resolve(models.register(run.id, access=LOCAL).id, access=LOCAL)
    assert models.RowScorer(version, access=LOCAL).ranked_by is None, "of three classes none ranks by itself"
    policies.keep(run, "five", ThresholdPolicy.for_all(0.4, settings={"positive": "5"}), access=LOCAL)
    scorer = models.RowScorer(version, access=LOCAL)
    table = scorer.score(wine_frame)
    assert scorer.ranked_by == "p(5)"
    assert table["decision"].tolist() == (table["p(5)"] >= 0.4).astype(int).tolist()


def test_a_number_is_decided_by_a_threshold_too(diabetes, diabetes_frame):
    policies.keep(diabetes, "high", ThresholdPolicy.for_all(150.0), access=LOCAL)
    table = models.score(models.register(diabetes.id, access=LOCAL).id, diabetes_frame, access=LOCAL)
    assert table["decision"].tolist() == (table["prediction"] >= 150).astype(int).tolist()


@pytest.mark.nightly
def test_an_export_carries_the_rule_in_force(stocked, tmp_path):
    run = jobs.get(stocked.rival, access=LOCAL)
    policies.keep(run, "one for all", ThresholdPolicy.for_all(0.6, settings={"positive": "good"}), access=LOCAL)
    made = jobs.wait(export.submit(run, modes=(), access=LOCAL), 120, access=LOCAL)
    path = exports.variant_path(made, exports.read(made, access=LOCAL), "fp32", access=LOCAL)
    assert Metadata.read(path).policy["rules"] == {"all rows": [{"threshold": 0.6, "probability": 1.0}]}
    exports.bundle(made, "fp32", tmp_path / "bundle.zip", license="", access=LOCAL)
    unzip(tmp_path / "bundle.zip", tmp_path / "bundle")
    expected = pd.read_csv(tmp_path / "bundle" / "expected_output.csv")
    assert (expected["decision"].eq(1) == (expected["p(good)"] >= 0.6)).all()
    without = jobs.wait(export.submit(run, modes=(), policy="none", access=LOCAL), 120, access=LOCAL)
    assert exports.read(without, access=LOCAL).policy is None
