"""A bundle unpacked: it predicts as the pipeline and the policy do, checks itself, and says what is wrong."""

import csv
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import onnx
import pandas as pd
import pytest

from core.edge import Metadata, export_onnx, write_bundle
from core.errors import ExportError
from core.fairness import ThresholdPolicy, optimize_thresholds
from tests.unit.edge.edge_models import adult_model, fitted, odd_table


@pytest.fixture(scope="module")
def adult(tmp_path_factory):
    """Return a model of Adult, its policy by sex, other rows, and the folder of its bundle."""
    folder = tmp_path_factory.mktemp("bundle")
    model, train, others, y = adult_model()
    policy = optimize_thresholds(
        y[: len(train)] == ">50K", model.predict_proba(train)[:, 1], train["sex"], constraint="equalized_odds"
    )
    assert policy.randomized
    exported = export_onnx(model, folder / "m.onnx", train=train, held_out=others, policy=policy, target="income")
    bundle = write_bundle(
        folder / "b.zip", exported, sample=others.head(50), card="# The card\n", license="MIT license\n"
    )
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder / "unpacked")
    return model, policy, others, folder / "unpacked"


def run(folder, *arguments):
    return subprocess.run(
        [sys.executable, "predict.py", *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=120
    )


def test_it_holds_what_an_edge_needs(adult):
    folder = adult[3]
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        "LICENSE",
        "README.md",
        "expected_output.csv",
        "model.onnx",
        "model_card.md",
        "portable/__init__.py",
        "portable/cells.py",
        "portable/characters.py",
        "portable/cli.py",
        "portable/expressions.py",
        "portable/groups.py",
        "portable/model.py",
        "portable/read_file.py",
        "portable/rules.py",
        "portable/session.py",
        "portable/steps.py",
        "portable/ties.py",
        "portable/tokenizer.py",
        "portable/wordpiece.py",
        "portable/words.py",
        "portable/written.py",
        "predict.py",
        "requirements.txt",
        "sample_input.csv",
    ]
    assert [line.split("==")[0] for line in (folder / "requirements.txt").read_text().splitlines()] == [
        "onnxruntime",
        "numpy",
    ]
    assert (folder / "model_card.md").read_text() == "# The card\n"
    assert (folder / "LICENSE").read_text() == "MIT license\n"
    text = (folder / "README.md").read_text()
    for message in ("python predict.py --check", "`marital-status` | a word", "`sex`", "`row_id`", "| edge cases |"):
        assert message in text


def test_predictions_and_decisions_are_the_pipelines_and_the_policys(adult, tmp_path):
    model, policy, others, folder = adult
    rows = others.assign(row_id=[f"r{index}" for index in range(len(others))])
    rows[rows.columns[::-1]].to_csv(tmp_path / "rows.csv", index=False)
    done = run(folder, tmp_path / "rows.csv", tmp_path / "out.csv")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "out.csv")
    assert list(table.columns) == ["row_id", "label", "p(<=50K)", "p(>50K)", "decision"]
    assert table["row_id"].tolist() == rows["row_id"].tolist()
    assert table["label"].tolist() == model.predict(others).tolist()
    assert np.abs(table[["p(<=50K)", "p(>50K)"]].to_numpy() - model.predict_proba(others)).max() < 1e-6
    # A score that lies on a threshold in float32 may lie beside it in float64: decide by what the file says.
    scores = table["p(>50K)"].to_numpy(dtype=np.float32).astype(float)
    expected = policy.predict(scores, others["sex"], row_ids=rows["row_id"])
    assert table["decision"].tolist() == expected.tolist()
    ours = policy.predict(model.predict_proba(others)[:, 1], others["sex"], row_ids=rows["row_id"])
    assert np.count_nonzero(table["decision"] != ours) <= 2


def test_it_needs_nothing_but_numpy_and_onnx_runtime(adult, tmp_path):
    code = (
        "import runpy, sys\nsys.argv = ['predict.py', '--check']\nsys.path.insert(0, '')\n"
        "try:\n    runpy.run_path('predict.py', run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "others = {'pandas', 'onnx', 'tokenizers', 'sklearn', 'core', 'scipy'} & set(sys.modules)\n"
        "assert not others, others"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=adult[3], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "50 rows are as expected" in done.stdout


def test_the_check_notices_another_number_of_rows(adult, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(adult[3], folder)
    expected = folder / "expected_output.csv"
    expected.write_text("\n".join(expected.read_text().splitlines()[:-1]) + "\n")
    done = run(folder, "--check")
    assert done.returncode == 1
    assert "50 rows were predicted, 49 are expected" in done.stdout


def test_the_check_notices_another_answer(adult, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(adult[3], folder)
    lines = (folder / "expected_output.csv").read_text().splitlines()
    cells = lines[3].split(",")
    cells[-1] = str(1 - int(cells[-1]))
    lines[3] = ",".join(cells)
    (folder / "expected_output.csv").write_text("\n".join(lines) + "\n")
    done = run(folder, "--check")
    assert done.returncode == 1
    assert "1 of 50 rows differ" in done.stdout
    assert "[3]" in done.stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.drop(columns="sex"), "has no column 'sex'"),
        (lambda rows: rows.assign(age="old"), "Row 1: the column 'age' holds 'old'"),
        (lambda rows: rows.assign(sex="Other"), "no rule for the group 'Other' of 'sex'. It knows Female, Male"),
        (lambda rows: rows.drop(columns="row_id"), "name a column of unique ids with --id"),
        (lambda rows: rows.assign(row_id=1), "more than once"),
        (lambda rows: rows[:0], "has no rows"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(adult, tmp_path, change, message):
    rows = adult[2].head(5).assign(row_id=range(5))
    change(rows).to_csv(tmp_path / "rows.csv", index=False)
    done = run(adult[3], tmp_path / "rows.csv", tmp_path / "out.csv")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.csv").exists()


def test_every_kind_of_column_survives_the_sample(tmp_path):
    frame = odd_table(300)
    model = fitted("lgbm", "multiclass", frame, ("=a", "b", "c"))
    exported = export_onnx(model, tmp_path / "m.onnx", train=frame, held_out=frame)
    write_bundle(tmp_path / "b.zip", exported, sample=frame, card="", license="")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        archive.extractall(tmp_path / "b")
    with open(tmp_path / "b" / "expected_output.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == [{"=a": "'=a"}.get(label, label) for label in model.predict(frame)]
    shares = np.array([[float(row[f"p({label})"]) for label in ("=a", "b", "c")] for row in rows])
    assert np.abs(shares - model.predict_proba(frame)).max() < 1e-6


def test_a_number_is_predicted_and_checked(tmp_path):
    frame = odd_table(200)
    model = fitted("xgboost", "regression", frame)
    exported = export_onnx(model, tmp_path / "m.onnx", train=frame, held_out=frame)
    write_bundle(tmp_path / "b.zip", exported, sample=frame.head(10), card="", license="")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        archive.extractall(tmp_path / "b")
    done = run(tmp_path / "b", "--check")
    assert done.returncode == 0, done.stderr
    numbers = [float(line) for line in (tmp_path / "b" / "expected_output.csv").read_text().splitlines()[1:]]
    assert numbers == pytest.approx(model.predict(frame.head(10)).tolist(), rel=1e-5)


def test_a_policy_that_is_given_replaces_the_models(tmp_path):
    frame = odd_table(200)
    exported = export_onnx(
        fitted("lgbm", "binary", frame, ("no", "yes")), tmp_path / "m.onnx", train=frame, held_out=frame
    )
    rules = dict.fromkeys(("red", "green", "blue", "NA", "(missing)"), ((0.5, 1.0),))
    policy = ThresholdPolicy(rules, ("大小",), {"positive": "no"})
    write_bundle(tmp_path / "b.zip", exported, sample=frame, card="", license="", policy=policy)
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        (tmp_path / "n.onnx").write_bytes(archive.read("model.onnx"))
        lines = archive.read("expected_output.csv").decode().splitlines()
    assert Metadata.read(tmp_path / "n.onnx").policy == policy.to_dict()
    assert Metadata.read(exported.path).policy is None
    rows = list(csv.DictReader(lines))
    assert {row["decision"] for row in rows} == {"0", "1"}
    assert all((float(row["p(no)"]) >= 0.5) == (row["decision"] == "1") for row in rows)


def test_the_same_bundle_has_the_same_content(tmp_path):
    frame = odd_table(100)
    exported = export_onnx(fitted("linear", "regression", frame), tmp_path / "m.onnx", train=frame, held_out=frame)
    for name in ("a.zip", "b.zip"):
        write_bundle(tmp_path / name, exported, sample=frame.head(3), card="", license="")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_what_cannot_be_bundled_is_refused(tmp_path):
    frame = odd_table(200)
    model = fitted("lgbm", "binary", frame, ("no", "yes"))
    exported = export_onnx(model, tmp_path / "m.onnx", train=frame, held_out=frame)
    options = {"card": "", "license": ""}
    policy = ThresholdPolicy({"red": ((0.5, 1.0),)}, ("大小",))
    with pytest.raises(ExportError, match="has no column 'a b'"):
        write_bundle(tmp_path / "b.zip", exported, sample=frame.drop(columns="a b"), **options)
    with pytest.raises(ExportError, match="no rule for the group"):
        write_bundle(tmp_path / "b.zip", exported, sample=frame, policy=policy, **options)
    with pytest.raises(ExportError, match="no rows"):
        write_bundle(tmp_path / "b.zip", exported, sample=frame[:0], **options)
    bare = onnx.load(exported.path)
    Metadata().write(bare)
    onnx.save(bare, tmp_path / "bare.onnx")
    with pytest.raises(ExportError, match="was not exported by Plumbline"):
        write_bundle(tmp_path / "b.zip", replace(exported, path=tmp_path / "bare.onnx"), sample=frame, **options)
    assert not (tmp_path / "b.zip").exists()
