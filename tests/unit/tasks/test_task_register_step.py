"""A model that a step of a pipeline trained, registered: it scores, exports and has a card as any other."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from core import edge, models
from core.access import LOCAL
from core.catalog import RunState, datasets, runs
from core.datasets import load_frame
from core.errors import ExportError, RegistryError
from core.models import load_served_model
from core.pipelines import REGISTRATION
from core.pipelines.shipped import register_model
from core.pipelines.tables import read_data
from core.storage import get_store
from core.tasks import pipeline_models
from tests.unit.pipelines.shipped_chain import credit_table, execute


@pytest.fixture
def output(tmp_path, monkeypatch):
    """The folder of the output of ``register_model``, where a run performs what it asks for."""
    folder = tmp_path / "registration"
    folder.mkdir()
    monkeypatch.setenv("PLUMBLINE_REGISTERS", "1")
    return folder


def perform(folder):
    pipeline_models.perform_registrations(
        {"registration": str(folder)}, pipeline_run="0" * 16, step="register", access=LOCAL
    )
    return json.loads((folder / REGISTRATION).read_text())


def test_a_version_scores_raw_rows_and_has_the_test_on_held_out_rows(home, shipped_chain, output, monkeypatch):
    def refuse(*values, **options):
        raise ExportError("Not exported in this test.")

    monkeypatch.setattr(edge, "export_onnx", refuse)
    given = {"model": shipped_chain.model, "name": "churn", "alias": "champion", "registration": output}
    with pytest.raises(RegistryError, match="were not held out"):
        execute(register_model, **given, test_data=shipped_chain.features / "train")
    execute(register_model, **given, test_data=shipped_chain.features)
    registered = perform(output)
    assert (registered["name"], registered["version"], registered["alias"]) == ("churn", 1, "champion")
    assert [path.name for path in output.iterdir()] == [REGISTRATION]
    version = models.resolve(registered["model_id"], access=LOCAL)
    assert models.aliases(version, access=LOCAL) == ["champion"]
    run = runs.get(version.run_id, access=LOCAL)
    assert (run.task, run.state) == ("automl", RunState.SUCCEEDED)
    assert run.result["export_error"] == "Not exported in this test."

    rows = credit_table().head(20)
    served = load_served_model(shipped_chain.model / "data")
    pd.testing.assert_frame_equal(models.score(version.id, rows, access=LOCAL), served.predict(rows))

    evidence = models.RunEvidence.of(version.run_id, access=LOCAL)
    held_out = read_data(shipped_chain.features, "test").frame
    scores = served.predict(held_out)["p(good)"]
    assert evidence.result.test_metrics["roc_auc"].value == pytest.approx(roc_auc_score(held_out["credit"], scores))
    dataset = datasets.get(run.dataset_id, access=LOCAL)
    assert (dataset.name, dataset.rows) == ("customers, training and test rows", 798 + len(held_out))
    stored = json.loads(evidence.path("result.json").read_text())
    assert dataset.fingerprint == evidence.fingerprint == stored["fingerprint"]
    table, test = load_frame(get_store().local_path(dataset.data_digest)), evidence.test
    assert table["credit"].iloc[test["row_id"]].tolist() == test["credit"].tolist() == held_out["credit"].tolist()
    assert test["gender"].tolist() == held_out["gender"].tolist()
    card = models.card(version.id, access=LOCAL).to_markdown()
    assert f"{len(held_out)} rows it never saw" in card

    # once more is the same version
    execute(register_model, **given, test_data=shipped_chain.features)
    assert perform(output)["version_id"] == version.id


@pytest.mark.nightly
def test_a_version_without_a_test_is_exported_and_saved_for_mlflow(home, shipped_chain, output, tmp_path):
    execute(register_model, model=shipped_chain.model, name="churn", registration=output)
    version = models.resolve(perform(output)["model_id"], access=LOCAL)
    assert not models.RunEvidence.of(version.run_id, access=LOCAL).result.test_metrics
    file = models.exported_model(version, access=LOCAL)
    assert file is not None
    rows = credit_table().head(20)
    scored = models.score_rows(version.id, rows, onnx=file, access=LOCAL).table
    expected = models.score(version.id, rows, access=LOCAL)
    np.testing.assert_allclose(scored["p(good)"], expected["p(good)"], atol=1e-5)
    assert (models.save_mlflow(version.id, tmp_path / "saved", access=LOCAL) / "MLmodel").is_file()


def test_outside_of_a_workspace_the_step_fails(shipped_chain, tmp_path):
    with pytest.raises(RegistryError, match="no workspace to register"):
        execute(register_model, model=shipped_chain.model, name="churn", registration=tmp_path)
    with pytest.raises(RegistryError, match="'Top' is not a usable alias"):
        execute(register_model, model=shipped_chain.model, name="churn", alias="Top", registration=tmp_path)


def test_a_folder_without_a_model_is_not_registered(home, tmp_path):
    with pytest.raises(RegistryError, match="holds no model"):
        pipeline_models.adopt_model(tmp_path, name="churn", access=LOCAL)
