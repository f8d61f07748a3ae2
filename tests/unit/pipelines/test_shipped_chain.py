"""The shipped components one after the other, on German credit, against independent references."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from xgboost import XGBClassifier

from core import charts
from core.automl import AutoMLResult
from core.datasets import Recipe
from core.errors import ExportError, InputError, SettingsError
from core.evaluation import split_test
from core.models import load_served_model
from core.pipelines.shipped import component_files, data_prep, feature_engineering, model_evaluation, train_xgboost
from core.pipelines.shipped.command import read_error
from core.pipelines.tables import read_data
from tests.unit.pipelines.shipped_chain import NUMBERS, PARAMETERS, SPLIT_SEED, credit_table, execute

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path):
    def make(name):
        path = tmp_path / name
        path.mkdir()
        return path

    return make


def test_a_table_without_a_recipe_stays_as_it_is(shipped_chain):
    log = shipped_chain.logs["data_prep"]
    assert "No recipe was given" in log
    assert "Target: 'credit' (the dataset's role)." in log
    prepared = shipped_chain.folder / "prepared"
    pd.testing.assert_frame_equal(read_data(prepared).frame, credit_table(), check_dtype=False)
    report = json.loads((prepared / "report.json").read_text())
    said = {item["check"] for item in report["findings"] if item["level"] != "passed"}
    assert {"identifier", "missing_target"} <= said


def test_rows_are_held_out_as_a_search_holds_them_out(shipped_chain):
    log = shipped_chain.logs["feature_engineering"]
    assert "3 of 1,000 rows have no 'credit'" in log
    assert "'customer' is left out: it identifies the rows" in log
    known = credit_table().dropna(subset=["credit"])
    train, test = split_test((known["credit"] == "good").to_numpy(dtype=int), True, 0.2, SPLIT_SEED)
    for part, rows in (("train", train), ("test", test)):
        expected = known.iloc[rows].drop(columns="customer").reset_index(drop=True)
        pd.testing.assert_frame_equal(read_data(shipped_chain.features, part).frame, expected, check_dtype=False)


def reference_scores(chain):
    """Return the probabilities of 'good' of the test rows by XGBoost alone."""
    train, test = read_data(chain.features, "train").frame, read_data(chain.features, "test").frame
    reference = XGBClassifier(**PARAMETERS, tree_method="hist", random_state=0)
    reference.fit(train[NUMBERS].to_numpy(np.float32), (train["credit"] == "good").astype(int))
    return test, reference.predict_proba(test[NUMBERS].to_numpy(np.float32))[:, 1]


def test_the_model_is_that_of_xgboost_whatever_the_order_of_the_columns(shipped_chain):
    assert "the training part of the data" in shipped_chain.logs["train_xgboost"]
    result = AutoMLResult.load(shipped_chain.model / "data")
    assert result.winner["learner"] == "xgb_limitdepth"
    assert result.features == NUMBERS
    test, scores = reference_scores(shipped_chain)
    shuffled = test.sample(frac=1, random_state=0)
    served = load_served_model(shipped_chain.model / "data").predict(shuffled[shuffled.columns[::-1]])
    np.testing.assert_allclose(served["p(good)"].sort_index(), scores, atol=1e-6)


def test_an_evaluation_computes_what_scikit_learn_does(shipped_chain, folder, monkeypatch):
    def cannot_draw(drawn):
        raise ExportError("There is no engine.")

    monkeypatch.setattr(charts, "svg_of", cannot_draw)  # it takes a process of its own
    results = folder("results")
    log = execute(
        model_evaluation, model=shipped_chain.model, test_data=shipped_chain.features, evaluation_results=results
    )
    assert "The report has no charts: There is no engine." in log
    assert "The figures are about 'good'" in log
    figures = json.loads((results / "metrics.json").read_text())
    test, scores = reference_scores(shipped_chain)
    truth, predicted = test["credit"] == "good", scores > 0.5
    expected = {
        "roc_auc": roc_auc_score(truth, scores),
        "accuracy": accuracy_score(truth, predicted),
        "log_loss": log_loss(truth, scores),
    }
    for name, value in expected.items():
        item = figures["metrics"][name]
        assert item["value"] == pytest.approx(value, abs=1e-6)
        assert item["low"] < value < item["high"]
    assert figures["held_out"] is True
    assert figures["positive"]["label"] == "good"
    by_group = {row["gender"]: row for row in figures["fairness"]["gender"]["by_group"]}
    rates = pd.Series(predicted).groupby(test["gender"]).mean()
    assert {name: row["selection_rate"] for name, row in by_group.items()} == pytest.approx(rates.to_dict())
    page = (results / "report.html").read_text()
    assert not re.search(r"""(src|href)=["'](?!#)""", page)
    assert f"{expected['roc_auc']:.4g}" in page


def test_an_evaluation_on_training_rows_says_so(shipped_chain, folder, monkeypatch):
    monkeypatch.setattr(charts, "svg_of", lambda drawn: ["<svg></svg>" for _ in drawn])
    results, rows = folder("results"), shipped_chain.features / "train"
    execute(model_evaluation, model=shipped_chain.model, test_data=rows, evaluation_results=results)
    figures = json.loads((results / "metrics.json").read_text())
    assert figures["held_out"] is False
    assert "were not held out" in figures["verdict"]
    assert "never saw" not in figures["verdict"]
    assert "were not held out" in (results / "report.html").read_text()


def test_a_recipe_is_applied_and_roles_follow_new_names(folder, capsys, tmp_path):
    credit = credit_table()
    raw, prepared = folder("raw"), folder("prepared")
    credit.to_parquet(raw / "table.parquet")
    (raw / "dataset.json").write_text(json.dumps({"roles": {"target": "credit", "sensitive": ["gender", "age"]}}))
    recipe = Recipe(
        [
            {"step": "rename", "column": "credit", "to": "granted"},
            {"step": "derive", "column": "monthly", "expression": "credit_amount / duration_months"},
            {"step": "fill", "column": "age", "how": "median"},
            {"step": "drop", "columns": ["gender"]},
        ]
    )
    (tmp_path / "recipe.json").write_text(json.dumps(recipe.to_dict()))
    log = execute(data_prep, raw_data=raw, recipe=tmp_path / "recipe.json", prepared_data=prepared)
    table = read_data(prepared)
    np.testing.assert_allclose(table.frame["monthly"], credit["credit_amount"] / credit["duration_months"])
    assert (table.description.target, table.description.sensitive) == ("granted", ("age",))
    assert "learned from all rows" in log
    (tmp_path / "recipe.json").write_text("{")
    flags = [f"--raw_data={raw}", f"--recipe={tmp_path / 'recipe.json'}", f"--prepared_data={prepared}"]
    assert data_prep.main(flags) == 1
    assert isinstance(read_error(capsys.readouterr().err), InputError)


def test_columns_are_judged_by_the_training_rows_alone(folder):
    day = pd.date_range("2024-01-01", periods=200)
    late = np.arange(200) >= 160
    frame = pd.DataFrame(
        {"day": day, "flag": np.where(late, "b", "a"), "x": np.arange(200) % 7, "y": np.arange(200) % 2}
    )
    raw, features = folder("raw"), folder("features")
    frame.to_parquet(raw / "table.parquet")
    log = execute(feature_engineering, input_data=raw, features=features, time_column="day")
    assert "'flag' is left out: it has only one value." in log
    assert "by time: the latest by 'day'" in log
    train, test = read_data(features, "train"), read_data(features, "test").frame
    assert train.frame["day"].max() < test["day"].min()
    assert list(test.columns) == ["day", "x", "y"]
    assert train.description.time == "day"
    assert "'y' (the last column" in log


def test_codes_of_classes_stay_whole_where_rows_lack_them(folder):
    frame = pd.DataFrame({"x": np.arange(60) % 11, "code": [0, 1, None] * 20})  # floats in pandas
    raw, features = folder("raw"), folder("features")
    frame.to_parquet(raw / "table.parquet")
    log = execute(feature_engineering, input_data=raw, features=features, test_fraction=0)
    assert "No test rows are held out" in log
    assert read_data(features, "train").frame["code"].tolist() == [0, 1] * 20
    assert read_data(features, "train").frame["code"].dtype == "int64"
    assert read_data(features, "test").frame.empty


@pytest.mark.parametrize(
    ("flags", "error", "message"),
    [
        ([], SettingsError, "--training_data"),
        (["--training_data=/nowhere"], InputError, "'nowhere' does not exist"),
        (["--target=incme"], InputError, "incme"),
        (["--learning_rate=2"], SettingsError, "learning_rate is 2."),
        (["--max_depth=deep"], SettingsError, "max_depth is 'deep'"),
        (["--max_dept=3"], SettingsError, "--max_dept"),
    ],
)
def test_errors_are_of_the_tree(folder, capsys, flags, error, message):
    raw, model = folder("raw"), folder("model")
    pd.DataFrame({"x": range(20), "y": [0, 1] * 10}).to_csv(raw / "table.csv", index=False)
    given = [f"--training_data={raw}"] if flags and "training_data" not in flags[0] else []
    assert train_xgboost.main([*given, *flags, f"--model={model}"]) == 1
    streams = capsys.readouterr()
    raised = read_error(f"a warning of a library\n{streams.err}")
    assert type(raised) is error
    assert message in raised.message
    assert "Traceback" not in streams.err


@pytest.mark.parametrize("name", component_files())
def test_the_command_of_a_component_passes_every_port(name):
    content = yaml.safe_load(component_files()[name].read_text())
    assert content["name"] == name
    assert (ROOT / "core" / "pipelines" / "shipped" / f"{name}.py").is_file()
    assert content["command"].startswith(f"python -m core.pipelines.shipped.{name} ")
    for direction in ("inputs", "outputs"):
        for port, record in content[direction].items():
            flag = f"--{port} ${{{{{direction}.{port}}}}}"
            assert (f"$[[{flag}]]" if record.get("optional") else flag) in content["command"]
            if direction == "inputs":
                assert record["description"].endswith(".")


@pytest.mark.nightly
def test_the_chain_runs_as_commands_and_loads_nothing_of_the_engine(folder):
    raw, scratch = folder("raw"), folder("scratch")
    credit_table().to_csv(raw / "credit.csv", index=False)
    prepared, features, model, results = (folder(name) for name in ("prepared", "features", "model", "results"))
    steps = {
        "data_prep": {"raw_data": raw, "target": "credit", "prepared_data": prepared},
        "feature_engineering": {"input_data": prepared, "features": features},
        "train_xgboost": {"training_data": features, "model": model},
        "model_evaluation": {
            "model": model,
            "test_data": features,
            "sensitive": "gender,age",
            "evaluation_results": results,
        },
    }
    watch = (
        "import runpy, sys, atexit\n"
        "sys.argv = sys.argv[1:]\n"
        "atexit.register(lambda: print(sorted({'core.catalog', 'core.jobs', 'core.storage'} & set(sys.modules))))\n"
        "runpy.run_module('core.pipelines.shipped.' + sys.argv[0], run_name='__main__')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name, values in steps.items():
        flags = [part for port, value in values.items() for part in (f"--{port}", str(value))]
        command = [sys.executable, "-c", watch, name, *flags]
        done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == "[]"
    assert (results / "report.html").read_text().count("<svg") == 7
    figures = json.loads((results / "metrics.json").read_text())
    assert set(figures["fairness"]) == {"gender", "age"}
    # the folder predicts with the code that it carries
    code = (
        "import sys, json, pandas as pd\n"
        "sys.path.insert(0, sys.argv[1] + '/code')\n"
        "from core.models._mlflow_loader import _load_pyfunc\n"
        "import core\n"
        "assert core.__file__.startswith(sys.argv[1]), core.__file__\n"
        "rows = pd.read_parquet(sys.argv[2])\n"
        "print(_load_pyfunc(sys.argv[1] + '/data').predict(rows)['p(good)'].tolist())\n"
    )
    test = features / "test" / "table.parquet"
    done = subprocess.run(
        [sys.executable, "-c", code, str(model), str(test)], cwd=scratch, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    here = load_served_model(model / "data").predict(pd.read_parquet(test))["p(good)"].tolist()
    assert json.loads(done.stdout) == pytest.approx(here)
