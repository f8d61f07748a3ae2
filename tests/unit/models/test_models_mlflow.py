"""MLflow itself loads what we write, in a process without the project, and predicts the same."""

import json
import os
import site
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from core import known_columns, models
from core.access import LOCAL
from core.automl import AutoMLSettings, build_estimator, make_model
from core.errors import SettingsError, StorageError
from core.models import Winner, load_served_model, mlflow_parameters
from core.pipelines.tables import read_data
from tests.unit.edge.edge_models import answers, fitted, odd_table
from tests.unit.pipelines.shipped_chain import NUMBERS

ROOT = Path(__file__).parents[3]
SMALL = {
    "lgbm": {"n_estimators": 8, "num_leaves": 8},
    "catboost": {"n_estimators": 8, "depth": 3},
    "xgboost": {"n_estimators": 8, "max_leaves": 8},
    "xgb_limitdepth": {"n_estimators": 8, "max_depth": 3},
    "rf": {"n_estimators": 8, "max_leaves": 8},
    "extra_tree": {"n_estimators": 8, "max_leaves": 8},
    "linear": {},
}
SERVE = """
import json, sys, warnings
import mlflow.pyfunc, pandas as pd
import numpy as np
told = {}
for folder, rows, expected in json.loads(sys.argv[1]):
    model = mlflow.pyfunc.load_model(folder)
    frame, expected = pd.read_parquet(rows), pd.read_parquet(expected)
    found = model.predict(frame)
    assert found.columns.tolist() == expected.columns.tolist()
    same = found["prediction"].tolist() == expected["prediction"].tolist()
    numbers = expected.select_dtypes("number").columns
    apart = float(np.abs(found[numbers] - expected[numbers]).max(axis=None))
    told[folder] = [same, apart, len(found), model.metadata.get_input_schema().to_dict()]
    if expected["prediction"].dtype == "float64":
        told[folder][0] = apart < 1e-9
    with open(folder + "/input_example.json") as file:
        one = json.load(file)
    assert len(model.predict(pd.DataFrame(one["data"], columns=one["columns"]))) == 1
    try:
        model.predict(frame.iloc[:, 1:])
    except Exception as error:
        told[folder].append(str(error))
import core
told["core"] = core.__file__
print(json.dumps(told))
"""


@pytest.fixture(scope="session")
def mlflow_python(tmp_path_factory):
    """A Python with MLflow beside the project's packages: that of MLFLOW_PYTHON, or one that is made here."""
    if "MLFLOW_PYTHON" in os.environ:
        return os.environ["MLFLOW_PYTHON"]
    folder = tmp_path_factory.mktemp("mlflow") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    (packages / "project.pth").write_text("\n".join(site.getsitepackages()))
    python = folder / "bin" / "python"
    done = subprocess.run(
        [python, "-m", "pip", "install", "-q", "-r", ROOT / "requirements-mlflow.txt"],
        capture_output=True,
        text=True,
        timeout=280,
    )
    if done.returncode:
        pytest.skip(f"MLflow cannot be installed here: {done.stderr.strip()[-300:]}")
    return str(python)


def call(python, code, *arguments, cwd, **variables):
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PLUMBLINE_HOME") if name in os.environ}
    done = subprocess.run(
        [python, "-c", code, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=250,
        env=kept | {"HOME": str(cwd), "MLFLOW_DISABLE_TELEMETRY": "true"} | variables,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip().splitlines()[-1]


@pytest.fixture
def saved(
    finish,
    tmp_path,
    request,
    credit_result,
    credit_frame,
    diabetes_result,
    diabetes_frame,
    reviews,
    reviews_frame,
    with_model,
):
    """Every learner, for two classes and for a number, every kind of column, texts: folder, rows, expected answers."""
    tasks = []

    def save(run, rows, name):
        version = models.resolve(models.register(run.id, name=name, access=LOCAL).id, access=LOCAL)
        folder = models.save_mlflow(version.id, tmp_path / name, access=LOCAL)
        rows.to_parquet(tmp_path / f"{name}.rows")
        models.score(version.id, rows, access=LOCAL).rename_axis(None).to_parquet(tmp_path / f"{name}.expected")
        tasks.append([str(folder), str(tmp_path / f"{name}.rows"), str(tmp_path / f"{name}.expected")])

    for result, frame in ((credit_result, credit_frame), (diabetes_result, diabetes_frame)):
        encoder, target = result.model.named_steps["features"], result.settings.target
        codes = (frame[target] == result.labels[-1]).astype(int) if result.labels else frame[target]
        for learner, config in SMALL.items():
            estimator = build_estimator(learner, config, result.task, jobs=1, seed=0).fit(
                encoder.transform(frame), codes
            )
            made = with_model(result, make_model(encoder, estimator, result.labels))
            save(finish(made, frame, f"{target} from {target}"), frame.tail(60), f"{learner}-{target}")
    odd = odd_table().rename(columns={"": "full"})
    made = replace(
        credit_result,
        model=fitted("lgbm", "binary", odd, ["a", "b"]),
        features=list(odd.columns),
        labels=["a", "b"],
        settings=AutoMLSettings(target="y", max_trials=2),
        test=credit_result.test.rename(columns={"p(bad)": "p(a)", "p(good)": "p(b)"}),
        confusion=None,
    )
    codes, labels = answers(odd, "binary", ["a", "b"])
    save(finish(made, odd.assign(y=[labels[code] for code in codes]), "y from odd"), odd.head(60), "odd")
    save(reviews, reviews_frame.head(20), "reviews")
    return tasks


@pytest.mark.nightly
def test_mlflow_predicts_the_same_for_every_learner_and_texts(saved, mlflow_python, tmp_path):
    away = tmp_path / "away"
    away.mkdir()
    content = json.loads(call(mlflow_python, SERVE, json.dumps(saved), cwd=away))
    assert content.pop("core").startswith(saved[0][0]), "the code that travels with the model is what runs"
    assert len(content) == 2 * len(SMALL) + 2
    for folder, (same, apart, rows, schema, refused) in content.items():
        assert same, folder
        assert apart < 1e-6, folder
        assert rows == (20 if folder.endswith("reviews") else 60)
        assert f"Model is missing inputs ['{schema[0]['name']}']" in refused


@pytest.mark.nightly
def test_mlflow_predicts_the_same_for_the_model_of_a_pipeline(shipped_chain, mlflow_python, tmp_path):
    rows = read_data(shipped_chain.features, "test").frame[NUMBERS]
    rows.to_parquet(tmp_path / "rows")
    load_served_model(shipped_chain.model / "data").predict(rows).to_parquet(tmp_path / "expected")
    tasks = [[str(shipped_chain.model), str(tmp_path / "rows"), str(tmp_path / "expected")]]
    content = json.loads(call(mlflow_python, SERVE, json.dumps(tasks), cwd=tmp_path))
    assert content.pop("core").startswith(str(shipped_chain.model))
    ((same, apart, count, schema, refused),) = content.values()
    assert (same, count) == (True, len(rows))
    assert apart < 1e-6
    assert [column["name"] for column in schema] == NUMBERS
    assert f"Model is missing inputs ['{NUMBERS[0]}']" in refused


def test_folder_says_what_it_is_and_holds_no_pickle_and_no_rows(credit, credit_result, tmp_path):
    version = models.resolve(models.register(credit.id, access=LOCAL).id, access=LOCAL)
    folder = models.save_mlflow(version.model_id, tmp_path / "out", access=LOCAL)
    about = yaml.safe_load((folder / "MLmodel").read_text())
    assert about["metadata"]["fingerprint"] == credit_result.fingerprint
    inputs = {column["name"]: column["type"] for column in json.loads(about["signature"]["inputs"])}
    assert list(inputs) == credit_result.features
    assert (inputs["age"], inputs["purpose"]) == ("long", "string")
    outputs = [column["name"] for column in json.loads(about["signature"]["outputs"])]
    assert outputs == ["prediction", "p(bad)", "p(good)"]
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"data/model.skops", "data/model.json", "requirements.txt", "python_env.yaml", "model_card.md"} <= files
    assert not [name for name in files if name.endswith((".pkl", ".parquet", ".joblib", ".pyc"))]
    needs = (folder / "requirements.txt").read_text().splitlines()
    assert f"scikit-learn=={credit_result.packages['scikit-learn']}" in needs
    with pytest.raises(StorageError, match="is not empty"):
        models.save_mlflow(version.id, folder, access=LOCAL)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


PUSH = """
import json, sys
from core import models
from core.access import LOCAL
import mlflow
run_id = models.push_mlflow(sys.argv[3], experiment="tests", access=LOCAL)  # a run that is not registered
run_id = models.push_mlflow(sys.argv[1], experiment="tests", access=LOCAL)
assert len(mlflow.search_runs(experiment_names=["tests"])) == 2
run = mlflow.MlflowClient().get_run(run_id)
frame = __import__("pandas").read_parquet(sys.argv[2])
found = mlflow.pyfunc.load_model(f"runs:/{run_id}/model").predict(frame)
files = [item.path for item in mlflow.MlflowClient().list_artifacts(run_id)]
try:
    models.push_mlflow(sys.argv[1], tracking_uri="http://ann:secret@127.0.0.1:1", access=LOCAL)
except Exception as error:
    refused = [type(error).__name__, str(error)]
print(json.dumps({
    "refused": refused, "status": run.info.status, "metrics": run.data.metrics, "params": run.data.params,
    "files": files, "tags": run.data.tags, "prediction": found["prediction"].tolist(),
}))
"""


@pytest.mark.nightly
def test_push_to_a_store_of_mlflow_s(credit, diabetes, credit_result, credit_frame, mlflow_python, tmp_path):
    version = models.resolve(models.register(credit.id, access=LOCAL).id, access=LOCAL)
    known_columns.answer(credit, "status", "no", access=LOCAL)
    credit_frame.head(30).to_parquet(tmp_path / "rows")
    out = call(
        mlflow_python,
        PUSH,
        version.id,
        str(tmp_path / "rows"),
        diabetes.id,
        cwd=tmp_path,
        PYTHONPATH=str(ROOT),
        MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path}/mlflow.db",
        MLFLOW_HTTP_REQUEST_MAX_RETRIES="0",
    )
    content = json.loads(out)
    assert content["status"] == "FINISHED"
    estimate = credit_result.test_metrics["roc_auc"]
    assert content["metrics"]["test_roc_auc"] == pytest.approx(estimate.value)
    assert content["metrics"]["test_roc_auc_low"] == pytest.approx(estimate.low)
    assert content["params"]["target"] == "credit"
    assert content["tags"]["plumbline.run"] == credit.id
    assert content["tags"]["mlflow.note.content"] == known_columns.qualified_verdict(credit, access=LOCAL)
    assert "'status' is not known when a prediction is made" in content["tags"]["mlflow.note.content"]
    assert {"model", "result.json", "leaderboard.csv", "model_card.html"} <= set(content["files"])
    kind, message = content["refused"]
    assert kind == "StorageError"
    assert message.startswith("MLflow at http://127.0.0.1:1 did not accept the run")
    assert "secret" not in message
    assert content["prediction"] == credit_result.model.predict(credit_frame.head(30)).tolist()


def test_push_says_what_it_lacks(credit, monkeypatch):
    version = models.resolve(models.register(credit.id, access=LOCAL).id, access=LOCAL)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(SettingsError, match="MLFLOW_TRACKING_URI is not set"):
        models.push_mlflow(version.id, access=LOCAL)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match="not installed") as caught:
        models.push_mlflow(version.id, tracking_uri="sqlite:///x.db", access=LOCAL)
    assert caught.value.hint == "pip install -r requirements-mlflow.txt"


def test_each_member_of_a_blend_has_parameters_of_its_own():
    members = [
        {
            "learner": "lgbm",
            "trial": number,
            "weight": number / 45,
            "config": {"n_estimators": 10 * number, "x" * 40: 0.1},
        }
        for number in range(1, 10)
    ]
    winner = Winner("blend", {"members": members})
    parameters = mlflow_parameters({"target": "y", "exit_score": None}, winner, "table")
    assert "winner.members" not in parameters
    for number, member in enumerate(members, start=1):
        prefix = f"winner.member{number}."
        own = {name.split(".")[-1]: value for name, value in parameters.items() if name.startswith(prefix)}
        expected = {name: member[name] for name in ("learner", "trial", "weight")} | member["config"]
        assert own == {name: str(value) for name, value in expected.items()}
    assert {name for name in parameters if "member" not in name} == {"target", "learner"}
    assert mlflow_parameters({}, Winner("rf", {"max_leaves": 8}), "table") == {
        "winner.max_leaves": "8",
        "learner": "rf",
    }
