"""Texts with any number of labels: trained, tested, exported, scored and trained again by the script."""

from __future__ import annotations

import itertools
import json
import runpy
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from core.decisions import LabeledScores
from core.edge import HeldOut, TextScorer, export_onnx, make_variants, write_bundle
from core.errors import StoppedError
from core.finetune import FineTuneResult, fine_tune, label_matrix
from tests.unit.edge.test_edge_bundle import run as run_bundle

pytestmark = pytest.mark.filterwarnings("ignore")

LABELS = ["battery", "price", "screen"]


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    """Sentences about any of three parts of a product."""
    random = np.random.default_rng(0)
    said = {
        "battery": ["the battery is empty at noon", "it charges quickly"],
        "price": ["too expensive", "it costs little"],
        "screen": ["the display is bright", "a scratched glass"],
    }
    rows = []
    for _ in range(320):
        chosen = [label for label in LABELS if random.random() < 0.4]
        parts = [random.choice(said[label]) for label in chosen] or ["nothing to add"]
        rows.append({"text": " and ".join(random.permutation(parts)), "topics": "; ".join(chosen) or "[]"})
    frame = pd.DataFrame(rows)
    frame["topics"] = frame["topics"].map(lambda cell: json.dumps([] if cell == "[]" else cell.split("; ")))
    y = label_matrix(LABELS, frame["topics"].map(lambda cell: "; ".join(json.loads(cell))))
    return frame.assign(**{label: y[:, code] for code, label in enumerate(LABELS)}, group=["x", "y"] * 160)


@pytest.fixture(scope="session")
def trained(train: Any, table: pd.DataFrame, shared: Any) -> FineTuneResult:
    """Cells with lists; the sensitive column is kept with the predictions."""
    values = {"task": "multilabel", "epochs": 12, "sensitive_columns": ("group",)}
    return shared("finetune-labels", lambda: train(table, label_column="topics", **values)).result


def test_metrics_are_those_of_scikit_learn_on_the_stored_predictions(trained):
    y, predicted = (label_matrix(LABELS, trained.test[name]) for name in ("topics", "prediction"))
    output = trained.test[[f"p({label})" for label in LABELS]].to_numpy()
    assert (predicted == (output >= 0.5)).all()
    expected = {
        "f1_micro": sk.f1_score(y, predicted, average="micro"),
        "f1_labels": sk.f1_score(y, predicted, average="macro"),
        "exact_match": sk.accuracy_score(y, predicted),
        "hamming_loss": sk.hamming_loss(y, predicted),
    }
    values = {name: estimate.value for name, estimate in trained.test_metrics.items() if name in expected}
    assert values == pytest.approx(expected)
    assert trained.metric == "f1_micro"
    table = sk.classification_report(y, predicted, target_names=LABELS, output_dict=True, zero_division=0)
    for item in trained.per_class:
        assert item["f1"] == pytest.approx(table[item["label"]]["f1-score"])
        assert item["support"] == table[item["label"]]["support"]
    assert trained.confusion is None


def test_it_learns_what_the_words_say(trained):
    assert trained.test_metrics["f1_micro"].value > 0.7
    assert trained.differences["majority"].low > 0
    assert trained.baseline_metrics["tfidf"]["f1_micro"].value > 0.9
    assert trained.task == "multilabel"
    assert trained.verdict.startswith("Better than guessing by 0.")


def test_guessing_predicts_the_share_of_each_label(trained, table):
    losses = trained.baseline_metrics["majority"]["label_log_loss"].value
    rows = ~table.index.isin([*trained.test["row_id"], *trained.validation["row_id"]])
    shares = table.loc[rows, LABELS].mean().to_numpy()
    y = table.loc[trained.test["row_id"], LABELS].to_numpy()
    assert losses == pytest.approx(-np.log(np.where(y == 1, shares, 1 - shares)).mean())


def test_predictions_have_every_label_from_a_half_on(trained):
    texts = ["too expensive and the display is bright", "nothing to add"]
    answers = trained.predict(texts)
    shares = answers[[f"p({label})" for label in LABELS]]
    named = ["; ".join(label for label in LABELS if row[f"p({label})"] >= 0.5) for _, row in shares.iterrows()]
    assert answers["label"].tolist() == named
    assert shares["p(price)"].iloc[0] > shares["p(price)"].iloc[1] + 0.2
    assert shares.sum(axis=1).between(0.9, 1.1).sum() < 2  # they are no shares of one
    words = trained.attribution(texts[0], "price").set_index("token")["weight"]
    assert words[["too", "expensive"]].max() == words.max()


def test_mistakes_name_both_sets(trained, table):
    wrong = trained.test[trained.test["topics"] != trained.test["prediction"]]
    assert set(trained.errors["row_id"]) == set(wrong["row_id"])
    assert trained.errors["confidence"].is_monotonic_decreasing
    assert trained.errors["confidence"].between(0.5, 1).all()


def test_columns_of_yes_and_no_give_the_same_model(train, trained, table, shared):
    values = {"label_column": "topics", "label_columns": tuple(LABELS), "epochs": 12, "sensitive_columns": ("group",)}
    other = train(table, **values).result
    assert other.task == "multilabel"
    assert other.test.equals(trained.test)


def test_the_exported_file_answers_the_same(trained, table, tmp_path):
    texts = table["text"].tolist()
    model = export_onnx(trained.model_dir, tmp_path / "m.onnx", train=texts[:50], held_out=texts[50:90], max_length=48)
    tokenizer = trained.model_dir / "tokenizer.json"
    scorer = TextScorer(model.path, tokenizer, model.labels, model.max_length)
    ours, theirs = trained.predict(texts[:40]), scorer.predict(texts[:40])
    assert ours["label"].tolist() == theirs["label"].tolist()
    assert theirs["p(price)"].to_numpy() == pytest.approx(ours["p(price)"].to_numpy(), abs=1e-5)
    assert model.original(texts[:5]) == pytest.approx(ours[[f"p({name})" for name in LABELS]].head(5).to_numpy())
    y = table.loc[:79, LABELS].to_numpy()
    variants = make_variants(
        model.path,
        tmp_path,
        modes=["dynamic-int8"],
        train=texts[80:120],
        held_out=HeldOut(texts[:80], y, "multilabel"),
        tokenizer=tokenizer,
    )
    assert set(variants[1].comparison.gains) == {"f1_micro", "exact_match"}
    assert 0 < variants[1].comparison.equal_labels.value <= 1


def test_a_bundle_names_the_same_labels(trained, table, tmp_path):
    texts = table["text"].tolist()
    model = export_onnx(trained.model_dir, tmp_path / "m.onnx", train=texts[:20], held_out=texts[20:40], max_length=48)
    tokenizer = trained.model_dir / "tokenizer.json"
    write_bundle(tmp_path / "b.zip", model, sample=texts[:30], card="", license="", tokenizer=tokenizer)
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        archive.extractall(tmp_path / "bundle")
    assert "several labels, with semicolons between them" in (tmp_path / "bundle" / "README.md").read_text()
    done = run_bundle(tmp_path / "bundle", "--check")
    assert done.returncode == 0, done.stderr
    (tmp_path / "own.txt").write_text("\n".join(texts[:30]), encoding="utf-8")
    run_bundle(tmp_path / "bundle", str(tmp_path / "own.txt"), str(tmp_path / "own.csv"))
    answers = pd.read_csv(tmp_path / "own.csv", keep_default_na=False)
    expected = trained.predict(texts[:30])
    assert answers["label"].tolist() == expected["label"].tolist()
    assert answers["p(price)"].to_numpy() == pytest.approx(expected["p(price)"].to_numpy(), abs=1e-5)


def test_a_pause_changes_nothing(settings_of, table, tmp_path):
    settings = settings_of(label_column="topics", task="multilabel")
    steps = itertools.count()
    with pytest.raises(StoppedError):
        fine_tune(table, settings, output_dir=tmp_path / "own", should_stop=lambda: next(steps) > 2)
    resumed = fine_tune(table, settings, output_dir=tmp_path / "own", resume=True)
    whole = fine_tune(table, settings, output_dir=tmp_path / "whole")
    assert resumed.test.equals(whole.test)


@pytest.mark.parametrize(
    "values",
    [
        {"label_column": "topics"},
        {"label_column": "topics", "class_weights": True, "label_smoothing": 0.1, "lora": 2},
        {"label_column": "all", "label_columns": tuple(LABELS)},
        {"label_column": "joined", "label_separator": ";"},
    ],
    ids=["lists", "weights", "columns", "separator"],
)
def test_the_script_reaches_the_same_metrics(train, table, tmp_path, monkeypatch, values):
    frame = table.head(160).assign(joined=["; ".join(json.loads(cell)) or ";" for cell in table["topics"].head(160)])
    result = train(frame, epochs=2, **{"task": "multilabel"} | values).result
    result.save(tmp_path / "result")
    frame.to_csv(tmp_path / "table.csv", index=False)
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    script = runpy.run_path(str(tmp_path / "result" / "train.py"))
    script["main"](str(tmp_path / "table.csv"), str(tmp_path / "out"))
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert {name: result.test_metrics[name].value for name in written} == pytest.approx(written, abs=1e-6)


def test_a_threshold_can_be_chosen_for_each_label(trained, table):
    scores = LabeledScores.from_predictions(trained.validation, "topics", "price", several=True)
    assert (scores.truth == table.loc[trained.validation["row_id"], "price"].to_numpy(bool)).all()


def test_the_result_is_read_again(trained, tmp_path):
    trained.save(tmp_path)
    again = FineTuneResult.load(tmp_path)
    assert again.predict(["too expensive"]).equals(trained.predict(["too expensive"]))
    assert again.settings == trained.settings


def test_the_saved_folder_is_plain_transformers(trained):
    """Loaded by transformers alone, with the sigmoid that its problem type means."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = Path(trained.model_dir)
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert model.config.problem_type == "multi_label_classification"
    with torch.inference_mode():
        logits = model(**tokenizer("too expensive", return_tensors="pt")).logits
    ours = trained.predict(["too expensive"])[[f"p({label})" for label in LABELS]].to_numpy()
    assert torch.sigmoid(logits).numpy() == pytest.approx(ours, abs=1e-5)
