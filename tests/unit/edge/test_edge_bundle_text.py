"""Bundles of text models: our own tokenizer for BERT's kind, the package for others."""

import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.edge import TextScorer, export_onnx, write_bundle
from core.errors import ExportError
from core.fairness import ThresholdPolicy
from tests.unit.edge.edge_models import minilm_tokenizer, reviews, tiny_bert, word_tokenizer
from tests.unit.edge.test_edge_bundle import run

# torch's exporter and transformers warn of their own future and of packages that are not there.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    tiny_bert(folder, minilm_tokenizer())
    texts = reviews(60)
    return folder, texts, export_onnx(folder, folder / "m.onnx", train=texts[:20], held_out=texts[20:], max_length=48)


def unpack(folder, result, **options):
    target = folder / "bundle"
    write_bundle(folder / "b.zip", result, card="card", license="license", **options)
    with zipfile.ZipFile(folder / "b.zip") as archive:
        archive.extractall(target)
    return target


def test_texts_are_scored_as_the_product_does(exported, tmp_path):
    folder, texts, result = exported
    target = unpack(tmp_path, result, sample=texts[:10], tokenizer=folder / "tokenizer.json")
    assert "tokenizers" not in (target / "requirements.txt").read_text()
    done = run(target, "--check")
    assert done.returncode == 0, done.stderr
    pd.DataFrame({"id": range(len(texts)), "review": texts}).to_csv(tmp_path / "rows.csv", index=False)
    done = run(target, tmp_path / "rows.csv", tmp_path / "out.csv", "--text", "review", "--id", "id")
    assert done.returncode == 0, done.stderr
    ours = pd.read_csv(tmp_path / "out.csv")
    theirs = TextScorer(result.path, folder / "tokenizer.json", result.labels, result.max_length).predict(texts)
    assert list(ours.columns) == ["id", *theirs.columns]
    assert ours["label"].tolist() == theirs["label"].tolist()
    assert np.abs(ours[theirs.columns[1:]].to_numpy() - theirs.iloc[:, 1:].to_numpy()).max() < 1e-5


def test_a_text_a_line_is_read_too(exported, tmp_path):
    folder, texts, result = exported
    target = unpack(tmp_path, result, sample=texts[:3], tokenizer=folder / "tokenizer.json")
    (tmp_path / "t.txt").write_text("\n\n".join(" ".join(text.split()) for text in texts[:5]) + "\n", encoding="utf-8")
    done = run(target, tmp_path / "t.txt", tmp_path / "out.csv")
    assert done.returncode == 0, done.stderr
    assert len(pd.read_csv(tmp_path / "out.csv")) == 5


def test_a_policy_decides_on_texts(exported, tmp_path):
    folder, texts, result = exported
    policy = ThresholdPolicy({"a": ((-np.inf, 1.0),), "b": ((np.inf, 1.0),)}, ("who",))
    sample = pd.DataFrame({"text": texts[:6], "who": list("ababab")})
    target = unpack(tmp_path, result, sample=sample, tokenizer=folder / "tokenizer.json", policy=policy)
    assert pd.read_csv(target / "expected_output.csv")["decision"].tolist() == [1, 0, 1, 0, 1, 0]


def test_another_kind_of_tokenizer_comes_with_its_package(exported, tmp_path):
    result = replace(exported[2], original=None)  # its own tokenizer is another one
    word_tokenizer().save(str(tmp_path / "tokenizer.json"))
    target = unpack(tmp_path, result, sample=["good film", "bad film"], tokenizer=tmp_path / "tokenizer.json")
    assert "tokenizers==" in (target / "requirements.txt").read_text()
    assert "tokenizers" in (target / "README.md").read_text()
    done = run(target, "--check")
    assert done.returncode == 0, done.stderr


def test_a_device_without_the_package_of_its_tokenizer_is_told_what_to_install(exported, tmp_path):
    result = replace(exported[2], original=None)  # its own tokenizer is another one
    word_tokenizer().save(str(tmp_path / "tokenizer.json"))
    target = unpack(tmp_path, result, sample=["good film", "bad film"], tokenizer=tmp_path / "tokenizer.json")
    hide = "import runpy, sys; sys.modules['tokenizers'] = None; sys.path.insert(0, ''); "
    code = hide + "sys.argv = ['predict.py', '--check']; runpy.run_path('predict.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=target, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "tokenizer (WordLevel) needs the package 'tokenizers', which is not installed" in done.stderr
    assert "pip install -r requirements.txt" in done.stderr
    assert "Traceback" not in done.stderr
    (target / "tokenizer.json").write_text('{"model": {"type": "of the future"}}')
    done = run(target, "--check")
    assert done.returncode == 1
    assert "'tokenizers' cannot read this model's tokenizer.json" in done.stderr


def test_a_blank_text_is_refused_with_its_row(exported, tmp_path):
    folder, texts, result = exported
    target = unpack(tmp_path, result, sample=[" ", *texts[:3]], tokenizer=folder / "tokenizer.json")
    assert len(pd.read_csv(target / "expected_output.csv")) == 3
    pd.DataFrame({"text": [texts[0], " "]}).to_csv(tmp_path / "rows.csv", index=False)
    done = run(target, tmp_path / "rows.csv", tmp_path / "out.csv")
    assert done.returncode == 1
    assert "Row 2: the text is empty" in done.stderr
    assert not (tmp_path / "out.csv").exists()


def test_the_tokenizer_of_another_model_is_refused(exported, tmp_path):
    word_tokenizer().save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ExportError, match="answers rows of a file unlike the model: of 2 rows, 2 differ"):
        unpack(tmp_path, exported[2], sample=["good film", "bad film"], tokenizer=tmp_path / "tokenizer.json")


def test_a_text_model_needs_its_tokenizer(exported, tmp_path):
    with pytest.raises(ExportError, match="needs its tokenizer"):
        write_bundle(tmp_path / "b.zip", exported[2], sample=["a"], card="", license="")
