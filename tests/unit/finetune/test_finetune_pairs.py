"""Pairs of texts: tokens, training, export and what is said of them, against transformers alone."""

from __future__ import annotations

import json
import runpy
import zipfile
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.edge import TextScorer, export_onnx, text_rows, write_bundle
from core.errors import InputError
from core.finetune import FineTuneResult, FineTuneSettings, encode_texts, fine_tune
from core.finetune.data import prepare
from tests.unit.edge.test_edge_bundle import run as run_bundle
from tests.unit.finetune.families import write_base

pytestmark = pytest.mark.filterwarnings("ignore")

WORDS = ["battery", "screen", "price", "camera", "sound", "case"]


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    """Questions and answers; an answer belongs to the question when both are about the same part."""
    random = np.random.default_rng(1)
    rows = []
    for _ in range(300):
        asked, same = random.choice(WORDS), bool(random.random() < 0.5)
        answered = asked if same else random.choice([word for word in WORDS if word != asked])
        rows.append({"question": f"how is the {asked}", "answer": f"the {answered} is fine", "fits": same})
    return pd.DataFrame(rows)


VALUES = {"text_column": "question", "second_text_column": "answer", "label_column": "fits"}


@pytest.fixture(scope="session")
def trained(train: Any, table: pd.DataFrame, shared: Any) -> FineTuneResult:
    return shared("finetune-pairs", lambda: train(table, **VALUES)).result


def alone(folder: Any, pairs: list[tuple[str, str]], max_length: int = 48) -> np.ndarray:
    """Return the logits of a saved model as transformers loads it, each pair by itself."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    options = {"truncation": True, "max_length": max_length, "return_tensors": "pt"}
    with torch.inference_mode():
        return np.concatenate([model(**tokenizer(*pair, **options)).logits for pair in pairs])


def probabilities(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


PAIRS = [
    ("how is the battery", "the battery is fine"),
    ("how", "the screen " * 60),
    ("how is the price " * 40, "fine"),
    ("how is the sound " * 30, "the sound is " * 30),
    ("[SEP] so [CLS]", "</s> it <pad>"),
]


def test_a_saved_model_answers_pairs_as_transformers_does(trained):
    answers = trained.predict(PAIRS)[["p(False)", "p(True)"]].to_numpy()
    assert answers == pytest.approx(probabilities(alone(trained.model_dir, PAIRS)), abs=2e-5)
    swapped = [(second, first) for first, second in PAIRS]
    assert np.abs(trained.predict(swapped)["p(True)"].to_numpy() - answers[:, 1]).max() > 1e-4


def test_the_exported_file_answers_pairs_as_the_model_does(trained, table, tmp_path):
    pairs = list(zip(table["question"], table["answer"], strict=True))
    model = export_onnx(trained.model_dir, tmp_path / "m.onnx", train=pairs[:40], held_out=pairs[40:80], max_length=48)
    scorer = TextScorer(model.path, trained.model_dir / "tokenizer.json", model.labels, model.max_length)
    assert scorer.pairs
    assert scorer.outputs(PAIRS) == pytest.approx(alone(trained.model_dir, PAIRS), abs=1e-4)
    assert model.original(PAIRS) == pytest.approx(probabilities(alone(trained.model_dir, PAIRS)), abs=1e-5)
    with pytest.raises(InputError, match="reads pairs of texts"):
        scorer.predict(["a single text"])
    with pytest.raises(InputError, match="1 of 2 texts are empty"):
        scorer.predict([("a", "b"), ("a", " ")])


def test_a_bundle_reads_pairs_as_the_model_does(trained, table, tmp_path):
    pairs = list(zip(table["question"], table["answer"], strict=True))
    model = export_onnx(trained.model_dir, tmp_path / "m.onnx", train=pairs[:20], held_out=pairs[20:40], max_length=48)
    sample = pd.DataFrame(PAIRS, columns=["text", "second_text"])
    tokenizer = trained.model_dir / "tokenizer.json"
    write_bundle(tmp_path / "b.zip", model, sample=sample, card="", license="", tokenizer=tokenizer)
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        archive.extractall(tmp_path / "bundle")
    assert "tokenizers==" in (tmp_path / "bundle" / "requirements.txt").read_text()
    done = run_bundle(tmp_path / "bundle", "--check")
    assert done.returncode == 0, done.stderr
    sample.rename(columns={"text": "q", "second_text": "a"}).to_csv(tmp_path / "own.csv", index=False)
    names = ["--text", "q", "--second-text", "a"]
    done = run_bundle(tmp_path / "bundle", str(tmp_path / "own.csv"), str(tmp_path / "out.csv"), *names)
    assert done.returncode == 0, done.stderr
    answers = pd.read_csv(tmp_path / "out.csv")[["p(False)", "p(True)"]].to_numpy()
    assert answers == pytest.approx(probabilities(alone(trained.model_dir, PAIRS)), abs=1e-5)
    (tmp_path / "own.txt").write_text("a text", encoding="utf-8")
    done = run_bundle(tmp_path / "bundle", str(tmp_path / "own.txt"), str(tmp_path / "out.csv"))
    assert "reads pairs of texts: give a CSV file with 'text' and 'second_text'" in done.stderr


@pytest.mark.parametrize(
    "family",
    [
        "roberta",
        *(
            pytest.param(name, marks=pytest.mark.nightly)
            for name in ("t5", "bert", "deberta-v2", "xlnet", "bart", "gpt2", "llama", "mpnet", "modernbert")
        ),
    ],
)
def test_families_read_pairs(family, table, tmp_path):
    texts = [*table["question"], *table["answer"]]
    base = write_base(family, tmp_path / "base", texts)
    frame = table.head(80).copy()
    frame.loc[3, "answer"] = "It ends </s> twice. </s>"
    values = {"base_model": str(base), "epochs": 1, "threads": 1, "max_length": 48, "test_fraction": 0.4}
    result = fine_tune(frame, FineTuneSettings(**VALUES, **values), output_dir=tmp_path / "out")
    answers = result.predict(PAIRS)[["p(False)", "p(True)"]].to_numpy()
    assert answers == pytest.approx(probabilities(alone(result.model_dir, PAIRS)), abs=2e-5)
    pairs = list(zip(frame["question"], frame["answer"], strict=True))
    model = export_onnx(result.model_dir, tmp_path / "m.onnx", train=pairs[:20], held_out=PAIRS, max_length=48)
    assert model.parity["held_out"]["rows_over"] == 0


def test_tokens_are_those_of_both_texts(trained):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(trained.model_dir)
    for pair, ours in zip(PAIRS, encode_texts(tokenizer, PAIRS, 20), strict=True):
        theirs = tokenizer(text=pair[0], text_pair=pair[1], truncation="longest_first", max_length=20)
        assert ours == {name: list(values) for name, values in theirs.items()}
        assert set(ours["token_type_ids"]) == {0, 1}


def test_rows_without_both_texts_are_left_out(table):
    frame = table.copy()
    frame.loc[[0, 1], "answer"] = [None, "  "]
    frame.loc[2, "question"] = ""
    data = prepare(frame, FineTuneSettings(**VALUES))
    said = {item.check: item.message for item in data.findings}
    assert said["empty_text"].startswith("3 of 300 rows have no text, or no second one, and are left out")
    assert data.texts[0] == (frame.loc[3, "question"], frame.loc[3, "answer"])


def test_words_of_both_texts_are_weighed(trained):
    words = trained.attribution(("how is the battery", "the screen is fine"), "True")
    assert words["token"].tolist() == ["how", "is", "the", "battery", "the", "screen", "is", "fine"]
    given = {"how is the battery": "how is the ", "the screen is fine": "the screen is "}
    for position, pair in (
        (3, (given["how is the battery"], "the screen is fine")),
        (7, ("how is the battery", given["the screen is fine"])),
    ):
        before, after = (
            trained.predict([item])["p(True)"].iloc[0] for item in (("how is the battery", "the screen is fine"), pair)
        )
        assert words["weight"].iloc[position] == pytest.approx(before - after, abs=1e-6)


def test_words_that_both_share_help_the_baseline(trained):
    """Without what both texts share, words alone could not tell which answer fits."""
    assert trained.baseline_metrics["tfidf"]["accuracy"].value > 0.9


def test_other_texts_are_refused(trained):
    with pytest.raises(InputError, match="'alone' is not a pair of texts"):
        trained.predict(["alone"])


def test_mistakes_show_both_texts(trained):
    assert list(trained.errors) == ["row_id", "text", "second_text", "label", "predicted", "confidence"]


def test_rows_of_a_table_are_pairs():
    frame = pd.DataFrame({"text": ["a", "b"], "second_text": ["c", "d"]})
    assert text_rows(frame) == [("a", "c"), ("b", "d")]
    assert text_rows(frame[["text"]]) == ["a", "b"]


def test_the_script_reaches_the_same_metrics(train, table, tmp_path, monkeypatch):
    frame = table.head(150).copy()
    frame.loc[[4, 40], "answer"] = [None, " "]
    result = train(frame, **VALUES).result
    result.save(tmp_path / "result")
    frame.to_csv(tmp_path / "table.csv", index=False)
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    script = runpy.run_path(str(tmp_path / "result" / "train.py"))
    script["main"](str(tmp_path / "table.csv"), str(tmp_path / "out"))
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert {name: result.test_metrics[name].value for name in written} == pytest.approx(written, abs=1e-6)
