"""A model that a step of a pipeline trained, registered: it scores, exports and has a card as any other."""

import json

import numpy as np
import pandas as pd
import pytest

from core import edge, models
from core.catalog import RunState, datasets, runs
from core.errors import ExportError, RegistryError
from core.models import load_served_model
from core.pipelines import REGISTRATION
from core.pipelines.shipped import register_model
from core.tasks import pipeline_models
from tests.unit.pipelines.shipped_chain import credit_table, execute


@pytest.fixture
def request_folder(shipped_chain, tmp_path, monkeypatch):
    """The output of the component ``register_model``."""
    folder = tmp_path / "registration"
    folder.mkdir()
    monkeypatch.setenv("PLUMBLINE_REGISTERS", "1")
    execute(register_model, model=shipped_chain.model, name="churn", alias="champion", registration=folder)
    return folder


def perform(folder):
    pipeline_models.perform_registrations(
        {"registration": str(folder)}, pipeline_run="0" * 16, step="register", workspace="local"
    )
    return json.loads((folder / REGISTRATION).read_text())


def test_a_registered_model_scores_raw_rows_and_has_a_card(home, shipped_chain, request_folder, monkeypatch, tmp_path):
    def refuse(*values, **options):
        raise ExportError("Not exported in this test.")

    monkeypatch.setattr(edge, "export_onnx", refuse)
    request = json.loads((request_folder / REGISTRATION).read_text())
    registered = perform(request_folder)
    assert (registered["name"], registered["version"], registered["alias"]) == ("churn", 1, "champion")
    assert "folder" not in registered  # it ends with the pipeline's run
    version = models.resolve(registered["model_id"], workspace="local")
    assert models.aliases(version) == ["champion"]
    run = runs.get(version.run_id, "local")
    assert (run.task, run.state) == ("automl", RunState.SUCCEEDED)
    assert run.result["export_error"] == "Not exported in this test."
    dataset = datasets.get(run.dataset_id, "local")
    assert (dataset.name, dataset.rows, dataset.roles["target"]) == ("customers, training rows", 798, "credit")
    rows = credit_table().head(20)
    expected = load_served_model(shipped_chain.model / "data").predict(rows)
    pd.testing.assert_frame_equal(models.score(version.id, rows, workspace="local"), expected)
    assert "credit" in models.card(version.id, workspace="local").to_markdown()
    assert (models.save_mlflow(version.id, tmp_path / "saved", workspace="local") / "MLmodel").is_file()
    # once more is the same version; another training would be the next one
    (request_folder / REGISTRATION).write_text(json.dumps(request | {"alias": None}))
    assert perform(request_folder)["version_id"] == version.id


@pytest.mark.nightly
def test_a_registered_model_is_exported(home, shipped_chain, request_folder):
    version = models.resolve(perform(request_folder)["model_id"], workspace="local")
    file = models.exported_model(version)
    assert file is not None
    rows = credit_table().head(20)
    scored = models.score_rows(version.id, rows, onnx=file, workspace="local").table
    expected = models.score(version.id, rows, workspace="local")
    np.testing.assert_allclose(scored["p(good)"], expected["p(good)"], atol=1e-5)


def test_outside_of_a_workspace_the_step_fails(shipped_chain, tmp_path):
    with pytest.raises(RegistryError, match="no workspace to register"):
        execute(register_model, model=shipped_chain.model, name="churn", registration=tmp_path)
    with pytest.raises(RegistryError, match="'Top' is not a usable alias"):
        execute(register_model, model=shipped_chain.model, name="churn", alias="Top", registration=tmp_path)


def test_a_folder_without_a_model_is_not_registered(home, tmp_path):
    with pytest.raises(RegistryError, match="holds no model"):
        pipeline_models.adopt_model(tmp_path, name="churn", workspace="local")
