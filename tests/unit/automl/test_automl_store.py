"""A result as files: what is saved comes back, says all that later pages need, and runs nothing foreign."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

from core.automl import AutoMLResult, bundle
from core.errors import StorageError


@pytest.fixture(scope="module")
def saved(credit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    credit.result.save(folder)
    return folder


def test_what_is_saved_comes_back(saved, credit):
    loaded = AutoMLResult.load(saved)
    assert loaded.to_dict() == credit.result.to_dict()
    assert loaded.settings == credit.result.settings
    for name in ("oof", "test", "leaderboard"):
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(credit.result, name), check_dtype=False)


@pytest.mark.parametrize("name", ["credit", "wine", "diabetes"])
def test_loaded_model_predicts_the_same(name, request, tmp_path):
    searched = request.getfixturevalue(name)
    searched.result.save(tmp_path)
    model = AutoMLResult.load(tmp_path).model
    rows = searched.frame.iloc[:100]
    assert np.array_equal(model.predict(rows), searched.result.model.predict(rows))
    if name != "diabetes":
        assert np.array_equal(model.predict_proba(rows), searched.result.model.predict_proba(rows))


def test_predictions_have_the_rows_they_are_about(credit):
    """The stored test predictions are those of the model on these rows of the table, with the true labels beside."""
    result, frame = credit.result, credit.frame
    rows = frame.iloc[result.test["row_id"]]
    assert np.array_equal(result.model.predict(rows), result.test["prediction"])
    assert np.allclose(result.model.predict_proba(rows), result.test[["p(bad)", "p(good)"]], atol=1e-6)
    assert np.array_equal(result.test["credit"], rows["credit"])
    assert not set(result.test["row_id"]) & set(result.oof["row_id"])
    assert len(result.oof) + len(result.test) == frame["credit"].notna().sum()


def test_out_of_fold_scores_are_the_leaderboards(credit):
    from sklearn.metrics import accuracy_score

    accuracy = accuracy_score(credit.result.oof["credit"], credit.result.oof["prediction"])
    best = credit.result.leaderboard.iloc[0]
    assert best["score"] == credit.result.winner["score"]
    assert accuracy == pytest.approx(best["accuracy"], abs=0.002)


def test_settings_versions_and_fingerprint_are_stored(saved, credit):
    content = json.loads((saved / "result.json").read_text())
    assert content["settings"] == credit.result.settings.model_dump(mode="json")
    assert len(content["fingerprint"]) == 64
    for name in ("python", "scikit-learn", "flaml", "lightgbm", "xgboost"):
        assert content["packages"][name]
    assert "scikit-learn==" in (saved / "requirements.txt").read_text()


def test_folder_without_a_result_is_refused(tmp_path):
    with pytest.raises(StorageError, match="no saved result"):
        AutoMLResult.load(tmp_path)


def test_foreign_types_are_refused_and_not_run(saved, tmp_path):
    from sklearn.preprocessing import FunctionTransformer
    from skops import io

    for file in saved.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    io.dump(FunctionTransformer(subprocess.check_output), tmp_path / "model.skops")
    with pytest.raises(StorageError, match="not trusted"):
        AutoMLResult.load(tmp_path)


def test_bundle_predicts_without_the_project(saved, credit, tmp_path):
    bundle({path.name: path for path in saved.iterdir()}, tmp_path / "model.zip")
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "model"
    rows = credit.frame.iloc[:20]
    rows.to_csv(folder / "rows.csv", index=False)
    code = (
        "import runpy, sys; sys.argv = ['predict.py', 'rows.csv', 'out.csv'];"
        "runpy.run_path('predict.py', run_name='__main__'); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "False", "skops loads torch, which no model of a table needs"
    assert pd.read_csv(folder / "out.csv")["prediction"].tolist() == credit.result.model.predict(rows).tolist()
