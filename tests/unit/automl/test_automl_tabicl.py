"""TabICL is a candidate where there is a checkpoint, says what deploying it means, and refuses other checkpoints.

The package is the real one; the network has random weights and is small, because the published ones cannot be fetched.
"""

import sys

import numpy as np
import pandas as pd
import pytest
import torch
from tabicl import TabICLClassifier as Reference
from tabicl._model.tabicl import TabICL

from core.automl import LEARNERS, AutoMLResult, AutoMLSettings, build_estimator, learner_title, search
from core.automl.data.training_data import TrainingData
from core.automl.learners import tabicl_model
from core.automl.learners.registry import TABICL
from core.edge import export_onnx
from core.errors import ExportError, InputError, SettingsError
from core.registry import load_extensions
from core.settings import get_settings

SMALL = {
    "embed_dim": 16,
    "col_num_blocks": 1,
    "col_nhead": 2,
    "col_num_inds": 4,
    "row_num_blocks": 1,
    "row_nhead": 2,
    "row_num_cls": 2,
    "icl_num_blocks": 1,
    "icl_nhead": 2,
}


def write_checkpoint(path, seed=0, **values):
    torch.manual_seed(seed)
    config = {**SMALL, "max_classes": 10, **values}
    torch.save({"config": config, "state_dict": TabICL(**config).state_dict()}, path)
    return path


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """An installation with a checkpoint, in this process and those that it starts."""
    path = write_checkpoint(tmp_path_factory.mktemp("tabicl") / "classes.ckpt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLUMBLINE_TABICL_CHECKPOINT", str(path))
        get_settings.cache_clear()
        load_extensions.cache_clear()
        sys.modules.pop("core.automl.learners.tabicl_extension", None)
        assert TABICL.name in LEARNERS
        yield path
    LEARNERS.remove(TABICL.name)
    get_settings.cache_clear()


def table(rows=120):
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(rows, 3)).astype(np.float32), columns=["a", "b", "c"])
    frame["y"] = np.where(frame["a"] + 0.3 * random.normal(size=rows) > 0, "yes", "no")
    return frame


def test_without_a_checkpoint_there_is_no_such_learner():
    assert (TABICL.name in LEARNERS) == (get_settings().tabicl_checkpoint is not None)
    assert learner_title("tabicl") == "TabICL"


def test_it_answers_as_the_package_does(checkpoint):
    frame = table()
    X, y = frame[["a", "b", "c"]].to_numpy(), (frame["y"] == "yes").to_numpy(int)
    model = build_estimator("tabicl", {"n_estimators": 2}, "binary", jobs=1, seed=3).fit(X[:90], y[:90])
    reference = Reference(
        n_estimators=2, model_path=checkpoint, allow_auto_download=False, device="cpu", n_jobs=1, random_state=3
    ).fit(X[:90], y[:90])
    np.testing.assert_allclose(model.predict_proba(X[90:]), reference.predict_proba(X[90:]), atol=1e-6)
    assert model.predict(X[90:]).tolist() == reference.predict(X[90:]).tolist()


@pytest.mark.nightly
def test_a_search_tries_it_and_says_what_deploying_it_means(checkpoint, tmp_path):
    frame = table()
    settings = AutoMLSettings(
        target="y",
        learners=("tabicl",),
        time_budget_s=None,
        max_trials=2,
        folds=2,
        cv_repeats=1,
        ensemble=False,
        explain=False,
        feature_engineering=False,
        calibrate=False,
    )
    configs = [("tabicl", {"n_estimators": 1}), ("tabicl", {"n_estimators": 2})]
    result = search(frame, settings, configs=configs, only_configs=True)
    assert [trial.status for trial in result.trials] == ["finished", "finished"]
    assert result.winner["learner"] == "tabicl"
    (finding,) = (item for item in result.findings if item.check == "deployment")
    assert "holds the training rows" in finding.message
    assert result.packages["tabicl"]
    result.save(tmp_path / "result")
    loaded = AutoMLResult.load(tmp_path / "result").model
    rows = frame.drop(columns="y").head(20)
    np.testing.assert_allclose(loaded.predict_proba(rows), result.model.predict_proba(rows), atol=1e-6)
    with pytest.raises(ExportError, match="reads the training rows with each prediction"):
        export_onnx(loaded, tmp_path / "m.onnx", train=rows, held_out=rows)


def test_another_or_a_missing_checkpoint_is_refused(checkpoint, tmp_path, monkeypatch):
    frame = table()
    X, y = frame[["a", "b", "c"]].to_numpy(), (frame["y"] == "yes").to_numpy(int)
    model = build_estimator("tabicl", {}, "binary", jobs=1, seed=0).fit(X, y)
    for path, message in (
        (write_checkpoint(tmp_path / "other.ckpt", seed=1), "another TabICL checkpoint"),
        (tmp_path / "gone.ckpt", "there is none at"),
    ):
        monkeypatch.setenv("PLUMBLINE_TABICL_CHECKPOINT", str(path))
        get_settings.cache_clear()
        with pytest.raises(InputError, match=message):
            model.predict_proba(X)
    monkeypatch.undo()
    get_settings.cache_clear()
    assert model.predict_proba(X).shape == (len(X), 2)


def test_settings_of_an_installation_that_has_it_are_read_by_others():
    """Without it, nothing is searched with it; chosen alone, no learner is left."""
    settings = AutoMLSettings(target="y", learners=("lgbm", "tabicl"), blocked_learners=("tabicl",))
    assert settings.chosen_learners == ("lgbm",)
    if TABICL.name not in LEARNERS:
        assert AutoMLSettings(target="y", learners=("lgbm", "tabicl")).chosen_learners == ("lgbm",)
        with pytest.raises(SettingsError, match="no learner is left"):
            AutoMLSettings(target="y", learners=("tabicl",))


def test_a_file_that_is_no_checkpoint_leaves_it_out(checkpoint, tmp_path, monkeypatch):
    data = TrainingData(np.zeros((50, 3), np.float32), np.arange(50) % 2, 2, [])
    (tmp_path / "broken.ckpt").write_bytes(b"no checkpoint")
    for name, message in (("broken.ckpt", "cannot be read"), ("gone.ckpt", "does not exist")):
        monkeypatch.setenv("PLUMBLINE_TABICL_CHECKPOINT", str(tmp_path / name))
        get_settings.cache_clear()
        assert message in TABICL.why_left_out(data)
    monkeypatch.undo()
    get_settings.cache_clear()
    assert TABICL.why_left_out(data) == ""


def test_tables_that_it_is_not_for(checkpoint):
    small = np.zeros((50, 3), np.float32)
    gate = TABICL.why_left_out
    assert gate(TrainingData(small, np.arange(50) % 2, 2, [])) == ""
    assert gate(TrainingData(small, np.arange(50.0), 0, [])) == "its checkpoint predicts classes"
    assert "weights" in gate(TrainingData(small, np.arange(50) % 2, 2, [], weights=np.ones(50)))
    assert "5,001 training rows" in gate(TrainingData(np.zeros((5_001, 3), np.float32), np.zeros(5_001), 2, []))
    assert "201 features" in gate(TrainingData(np.zeros((50, 201), np.float32), np.zeros(50), 2, []))
    assert "10 classes, not 11" in gate(TrainingData(small, np.arange(50) % 11, 11, []))
    assert tabicl_model.predicts_classes()
