"""Bundles in a new environment that has only what their requirements name."""

import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

from core.edge import TextScorer, export_onnx, write_bundle
from core.fairness import optimize_thresholds
from tests.unit.edge.edge_models import adult_model, minilm_tokenizer, reviews, tiny_bert

# torch's exporter and transformers warn of their own future and of packages that are not there.
pytestmark = [pytest.mark.nightly, pytest.mark.filterwarnings("ignore")]


def bundles(folder):
    """Write a bundle of a table with a policy and one of texts; return what predicts the rows of each."""
    model, train, others, y = adult_model()
    score = model.predict_proba(train)[:, 1]
    policy = optimize_thresholds(y[: len(train)] == ">50K", score, train["sex"], randomized=False)
    exported = export_onnx(model, folder / "t.onnx", train=train, held_out=others, policy=policy)
    write_bundle(folder / "table.zip", exported, sample=others.head(20), card="", license="")
    tiny_bert(folder, minilm_tokenizer())
    texts = reviews(30)
    text = export_onnx(folder, folder / "x.onnx", train=texts[:15], held_out=texts[15:])
    write_bundle(folder / "text.zip", text, sample=texts[:5], card="", license="", tokenizer=folder / "tokenizer.json")
    return model, policy, others, texts, TextScorer(text.path, folder / "tokenizer.json", text.labels, text.max_length)


def test_bundles_run_where_only_their_requirements_are(tmp_path):
    model, policy, others, texts, scorer = bundles(tmp_path)
    for name in ("table", "text"):
        with zipfile.ZipFile(tmp_path / f"{name}.zip") as archive:
            archive.extractall(tmp_path / name)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True, timeout=120)
    python = tmp_path / "venv" / "bin" / "python"
    requirements = tmp_path / "table" / "requirements.txt"
    assert requirements.read_text() == (tmp_path / "text" / "requirements.txt").read_text()
    done = subprocess.run(
        [python, "-m", "pip", "install", "-q", "-r", requirements], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr

    def call(name, *arguments):
        done = subprocess.run([python, "predict.py", *arguments], cwd=tmp_path / name, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "20 rows are as expected" in call("table", "--check")
    assert "5 rows are as expected" in call("text", "--check")
    others.to_csv(tmp_path / "rows.csv", index=False)
    call("table", tmp_path / "rows.csv", tmp_path / "out.csv")
    table = pd.read_csv(tmp_path / "out.csv")
    shares = model.predict_proba(others)
    assert table["label"].tolist() == model.predict(others).tolist()
    assert np.abs(table[["p(<=50K)", "p(>50K)"]].to_numpy() - shares).max() < 1e-6
    assert np.count_nonzero(table["decision"] != policy.predict(shares[:, 1], others["sex"])) <= 2
    pd.DataFrame({"text": texts}).to_csv(tmp_path / "texts.csv", index=False)
    call("text", tmp_path / "texts.csv", tmp_path / "out.csv")
    assert (
        np.abs(pd.read_csv(tmp_path / "out.csv").iloc[:, 1:] - scorer.predict(texts).iloc[:, 1:]).max(axis=None) < 1e-5
    )
