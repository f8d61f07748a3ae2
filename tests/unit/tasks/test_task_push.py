"""A push as a run: what it lacks is said before anything is sent."""

from core import jobs
from core.access import LOCAL
from core.catalog import ModelVersion, Run, RunState, models, runs
from core.tasks import push


def test_a_push_without_a_server_says_what_to_set(home, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    lineage = {"run": {"title": "credit from German credit"}}
    version = ModelVersion(workspace="local", model_id="", run_id="r1", kind="table", lineage=lineage)
    models.add_version("credit", version, access=LOCAL)
    run = jobs.wait(push.submit(version, access=LOCAL), 60, access=LOCAL)
    assert run.title == "Push credit from German credit, version 1, to MLflow"
    assert (run.state, run.error_message) == (RunState.FAILED, "MLFLOW_TRACKING_URI is not set.")
    assert run.error_hint


def test_what_made_no_model_is_not_pushed(home, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///nowhere.db")
    failed = runs.add(Run(workspace="local", task="automl", state=RunState.FAILED, title="a search"), access=LOCAL)
    run = jobs.wait(push.submit(failed, access=LOCAL), 60, access=LOCAL)
    assert (run.title, run.state) == ("Push a search to MLflow", RunState.FAILED)
    assert "has not succeeded" in run.error_message
