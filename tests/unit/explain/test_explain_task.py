"""The explanation as part of a run: its files, its budget, and a result that outlives its failure."""

from types import SimpleNamespace

import pytest

import core.edge
import core.explain
from core import jobs, models
from core.access import LOCAL
from core.automl import AutoMLResult, AutoMLSettings
from core.catalog import Run, RunArtifact, RunState, artifacts, datasets, runs
from core.errors import InputError, SettingsError
from core.explain import SHAP_FILE, SUMMARY_FILE, Explanation
from core.tasks import automl, explain
from core.tasks.explain import explain_winner

QUICK = {"target": "credit", "max_trials": 2, "folds": 2, "learners": ("lgbm",)}


@pytest.fixture(scope="module")
def dataset(stocked):
    return datasets.get(stocked.credit, access=LOCAL)


@pytest.fixture
def context(dataset, tmp_path):
    """What a task is given, without a run behind it."""
    kept, events, stop = {}, [], []
    return SimpleNamespace(
        settings=AutoMLSettings(time_budget_s=None, **QUICK).model_dump(),
        run=SimpleNamespace(dataset_id=dataset.id),
        access=LOCAL,
        workdir=tmp_path,
        elapsed_s=lambda: 0.0,
        report=events.append,
        should_stop=lambda: bool(stop),
        keep=lambda name, path: kept.update({name: path}),
        kept=kept,
        events=events,
        stop=stop,
    )


def test_a_run_keeps_its_explanation(stocked):
    run = jobs.get(stocked.binary, access=LOCAL)
    assert run.result["explain_error"] is None
    explanation = Explanation.read(
        jobs.artifact_path(run.id, SUMMARY_FILE, access=LOCAL),
        jobs.artifact_path(run.id, SHAP_FILE, access=LOCAL),
    )
    assert explanation.settings.budget_s == 20
    assert len(explanation.permutation) == 21
    assert explanation.rows == explanation.shap.values.shape[0]
    assert set(explanation.summary["column"].dropna()) == {"sex", "age"}
    assert jobs.events(run.id, phase="explain", access=LOCAL)[0].message == "Permuting columns"


def test_the_budget_is_a_third_of_the_searchs(context, monkeypatch):
    asked = []

    def fake(result, frame, settings, **_):
        asked.append(settings.budget_s)
        raise InputError("Enough.")

    monkeypatch.setattr(core.explain, "explain", fake, raising=False)
    for seconds in (30.0, 600.0, None):
        settings = AutoMLSettings(**QUICK | {"time_budget_s": seconds, "max_trials": 2})
        result = SimpleNamespace(settings=settings, stop_code="trials")
        explain_winner(context, result)
    assert asked == [10, 20, 20]


def test_a_failure_is_told_and_the_result_is_kept(context, monkeypatch):
    def failing(*_, **__):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(core.explain, "explain", failing, raising=False)
    result = automl.run(context)
    said = "The model could not be explained (ZeroDivisionError: by zero)."
    assert result["explain_error"] == said
    assert result["verdict"]
    assert context.events[-1].message == said
    assert (context.events[-1].phase, context.events[-1].values) == ("explain", {"error": "ZeroDivisionError"})
    assert SUMMARY_FILE not in context.kept
    assert AutoMLResult.load(context.kept["result.json"].parent).verdict == result["verdict"]


def test_an_export_that_fails_in_an_unforeseen_way_leaves_the_result(context, monkeypatch):
    def failing(*_, **__):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(core.edge, "export_onnx", failing, raising=False)
    result = automl.run(context)
    assert result["export_error"] == "The model could not be exported (ZeroDivisionError: by zero)."
    assert result["explain_error"] is None
    assert {"result.json", SUMMARY_FILE} <= set(context.kept)
    assert "model.onnx" not in context.kept


def test_nothing_is_explained_when_it_is_not_asked_for(context):
    context.settings["explain"] = False
    assert automl.run(context)["explain_error"] is None
    assert SUMMARY_FILE not in context.kept
    assert "explain" not in {event.phase for event in context.events}


def test_a_stopped_search_is_not_explained(context):
    def report(event):
        context.events.append(event)
        if event.values.get("trial"):
            context.stop.append(True)

    context.report = report
    context.settings["max_trials"] = 100
    result = automl.run(context)
    assert result["stop_reason"].startswith("You stopped it")
    assert SUMMARY_FILE not in context.kept


@pytest.fixture(scope="module")
def unexplained(stocked):
    """A search that was not asked to explain its model."""
    return jobs.get(stocked.rival, access=LOCAL)


def test_a_model_is_explained_later_in_a_run_of_its_own(unexplained, stocked):
    run = jobs.get(stocked.explained, access=LOCAL)
    assert run.title == f"Explain {unexplained.title}"
    explanation = Explanation.read(
        jobs.artifact_path(run.id, SUMMARY_FILE, access=LOCAL),
        jobs.artifact_path(run.id, SHAP_FILE, access=LOCAL),
    )
    assert (explanation.settings.budget_s, len(explanation.permutation)) == (8, 20)
    assert [item.id for item in explain.later(unexplained, access=LOCAL)] == [run.id]
    shown = (
        models.card(models.register(unexplained.id, name="explained later", access=LOCAL).id, access=LOCAL)
        .to_markdown()
        .replace("\\", "")
    )
    assert explanation.permutation["feature"].iloc[0] in shown[shown.index("## Explanation") :]


def test_only_searches_that_succeeded_are_explained(dataset, unexplained):
    imported = jobs.get(next(run.id for run in runs.find(task="ingest", access=LOCAL)), access=LOCAL)
    with pytest.raises(InputError, match="has no model to explain"):
        explain.submit(imported, access=LOCAL)
    with pytest.raises(SettingsError):
        explain.submit(unexplained, budget_s=0, access=LOCAL)


def test_a_table_that_was_deleted_is_said(unexplained, dataset):
    copy = Run(**unexplained.model_dump(exclude={"id", "created_at", "dataset_id"}), dataset_id=None)
    runs.add(copy, access=LOCAL)
    for item in artifacts.find(unexplained.id, access=LOCAL):
        artifacts.add(RunArtifact(**item.model_dump(exclude={"run_id"}), run_id=copy.id), access=LOCAL)
    settings = {"source": copy.id, "budget_s": 8}
    run = runs.add(Run(workspace="local", task="explain", settings=settings, state=RunState.SUCCEEDED), access=LOCAL)
    with pytest.raises(InputError, match="was deleted") as caught:
        explain.run(jobs.RunContext(run))
    assert caught.value.hint
