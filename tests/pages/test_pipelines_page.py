"""The Pipelines page: from a pasted file to a run, what a run shows, approvals, mistakes."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from core import deletion, jobs
from core.access import LOCAL
from core.catalog import (
    Dataset,
    PipelineStep,
    Run,
    RunArtifact,
    RunState,
    SavedPipeline,
    approvals,
    artifacts,
    components,
    datasets,
    runs,
    saved_pipelines,
    schedules,
    steps,
)
from core.storage import get_store
from core.tasks import pipeline_schedules
from tests.pages.conftest import labels, query, table_with, texts, visit

TEXT = """type: pipeline
display_name: greet
inputs:
  count: {type: integer, default: 3, min: 1, max: 9}
jobs:
  first:
    command: echo ${{inputs.count}} > ${{outputs.out}}/n.txt
    environment: none
    inputs: {count: "${{parent.inputs.count}}"}
    outputs: {out: }
  second:
    command: cat ${{inputs.data}}/n.txt
    environment: none
    inputs: {data: "${{parent.jobs.first.outputs.out}}"}
"""
COMPONENT = """name: greet
version: 1
description: Says hello.
command: python greet.py ${{inputs.name}}
code: ./src
environment: none
inputs: {name: {type: string, default: you}}
"""
PLAN = {
    "steps": [
        {
            "path": path,
            "title": path,
            "kind": "command",
            "component": "",
            "version": "",
            "reference": "",
            "shipped": False,
            "needs": needs,
            "inputs": {"data": {"step": "first", "output": "out"}} if needs else {"count": {"input": "count"}},
            "outputs": {"out": "uri_folder"},
        }
        for path, needs in (("first", []), ("second", ["first"]))
    ]
}


def put_run(*, saved: str = "", values: dict[str, object] | None = None, count: int = 3, metric: float = 0.5) -> Run:
    """Put a run into the catalog in which the first step's outputs were kept, and the second step was executed."""
    settings = {"text": TEXT, "files": {}, "inputs": values or {}, "saved": saved, "rerun_from": []}
    result = {"steps": 2, "executed": 1, "outputs": {}}
    run = Run(
        workspace="local", task="pipeline", title="greet", state=RunState.SUCCEEDED, settings=settings, result=result
    )
    runs.add(run, access=LOCAL)
    put_plan(run, PLAN)
    call = {"pipeline": run.id, "call": {"step": "second"}}
    child = Run(workspace="local", task="pipeline_step", state=RunState.SUCCEEDED, settings=call, parent_id=run.id)
    runs.add(child, access=LOCAL)
    page = b"<h1>Report</h1><script>alert(1)</script>"
    made = {
        "report.html": page,
        "metrics.json": json.dumps({"rmse": metric}).encode(),
        "t.csv": b"a,b\n1,2,3\n",
        "n.txt": b"text",
        "x.bin": b"\0",
    }
    outputs = {"out": {name: get_store().put_bytes(content) for name, content in made.items()}}
    for index, path in enumerate(("first", "second")):
        steps.add(
            PipelineStep(
                workspace="local",
                pipeline_run_id=run.id,
                pipeline="greet",
                path=path,
                position=index,
                run_id=child.id if index else "",
                key=f"key{index}",
                parts={"parameters": {"count": count if index else 3}, "packages": {"pandas": "3.0"}},
                state="SUCCEEDED",
                reason="Parameter count changed from 2 to 3." if index else "Nothing changed since it ran.",
                outputs=outputs if index else {},
                started_at=100.0,
                finished_at=101.5,
            ),
            access=LOCAL,
        )
    return run


def put_plan(run: Run, plan: dict[str, object]) -> None:
    content = json.dumps(plan).encode()
    digest = get_store().put_bytes(content)
    artifacts.add(
        RunArtifact(workspace="local", run_id=run.id, name="plan.json", digest=digest, size_bytes=len(content)),
        access=LOCAL,
    )


def test_a_pasted_file_is_checked_approved_saved_and_run(home: Path) -> None:
    test = visit("pipelines")
    assert "There is no pipeline yet" in texts(test)
    test.button(key="pipelines-new").click().run()
    saved = saved_pipelines.get(query(test, "pipeline"), access=LOCAL)
    editor = f"pipelines-text-{saved.id}"
    test.text_area(key=editor).set_value(TEXT.replace("jobs:", "job:")).run()
    assert not test.exception
    assert "line 5, column 1" in texts(test)
    assert any("▶ 5 | job:" in code.value for code in test.code)
    test.text_area(key=editor).set_value(TEXT).run()
    assert "2 steps, and every connection fits." in texts(test)
    test.button(key="pipelines-save").click().run()
    assert saved_pipelines.get(saved.id, access=LOCAL).text == TEXT
    # Another tab saves meanwhile: nothing is overwritten unseen.
    saved_pipelines.update(saved_pipelines.get(saved.id, access=LOCAL), text=TEXT + "# theirs\n", access=LOCAL)
    test.text_area(key=editor).set_value(TEXT + "# mine\n").run()
    test.button(key="pipelines-save").click().run()
    assert "changed meanwhile" in texts(test)
    assert saved_pipelines.get(saved.id, access=LOCAL).text == TEXT + "# theirs\n"
    test.button(key="pipelines-save").click().run()
    assert saved_pipelines.get(saved.id, access=LOCAL).text == TEXT + "# mine\n"

    test = visit("pipelines", pipeline=saved.id)
    assert "Run" not in labels(test)
    assert "never approved here" in texts(test)
    assert any("cat ${{inputs.data}}/n.txt" in code.value for code in test.code)
    test.button(key="pipelines-approve").click().run()
    assert len(approvals.find(access=LOCAL)) == 2
    field = f"pipelines-run-{saved.id}-count"
    test.text_input(key=field).set_value("12").run()
    assert "above its maximum of 9" in texts(test)
    test.button(key=f"pipelines-run-{saved.id}-run").click().run()
    assert "run" not in test.query_params
    test.text_input(key=field).set_value("4").run()
    test.button(key=f"pipelines-run-{saved.id}-run").click().run()
    assert not test.exception
    run = jobs.get(query(test, "run"), access=LOCAL)
    assert (run.settings["inputs"], run.settings["saved"]) == ({"count": 4}, saved.id)
    jobs.cancel(run.id, access=LOCAL)
    jobs.wait(run.id, 30, access=LOCAL)


def test_a_run_shows_its_steps_and_a_step_its_outputs(home: Path) -> None:
    run = put_run()
    test = visit("pipelines")
    assert list(table_with(test, "Steps")["Steps"]) == ["1 of 2 executed"]
    test = visit("pipelines", run=run.id)
    assert not test.exception
    assert "1 of 2 steps executed, the outputs of 1 used again" in texts(test)
    listed = table_with(test, "Why")
    assert list(listed["State"]) == [["Kept"], ["Succeeded"]]
    assert list(listed["Time"]) == ["", "1.5 s"]
    test = visit("pipelines", run=run.id, step="second")
    assert not test.exception
    assert "Parameter count changed from 2 to 3." in texts(test)
    frame = test.get("iframe")[0].proto
    assert 'sandbox=""' in frame.srcdoc
    assert "<script" not in frame.srcdoc
    key = "pipelines-output-second-out-file"
    test.selectbox(key=key).set_value("t.csv").run()
    shown = test.dataframe[0].value
    assert dict(shown.iloc[0]) == {"a": "1", "b": "2", "column 3": "3"}
    test.selectbox(key=key).set_value("x.bin").run()
    assert "no preview" in texts(test)
    test = visit("pipelines", run=run.id, step="nowhere")
    assert "Step not found" in [title.value for title in test.title]


def test_a_run_is_started_again_from_a_step(home: Path) -> None:
    run = put_run(values={"count": 5})
    test = visit("pipelines", run=run.id, tab="Run again")
    assert test.text_input(key=f"pipelines-again-{run.id}-count").value == "5"
    test = visit("pipelines", run=run.id, step="second")
    test.button(key="pipelines-run-from").click().run()
    again = jobs.get(query(test, "run"), access=LOCAL)
    assert again.id != run.id
    assert (again.settings["rerun_from"], again.settings["inputs"]) == (["second"], {"count": 5})
    jobs.cancel(again.id, access=LOCAL)
    jobs.wait(again.id, 30, access=LOCAL)


def test_two_runs_are_compared_and_a_model_is_registered(home: Path) -> None:
    run = put_run()
    test = visit("pipelines", run=run.id, tab="Compare")
    assert "no other run of this pipeline yet" in texts(test)
    later = put_run(count=4, metric=0.25)
    test = visit("pipelines", run=later.id, tab="Compare")
    assert not test.exception
    assert "second made the difference: parameter count changed from 3 to 4" in texts(test)
    (change,) = table_with(test, "Metric")["Change"]
    assert change == -0.25
    assert list(table_with(test, "Outputs")["Outputs"]) == ["same", "differ"]
    plan = {"steps": [step | {"outputs": {"out": "mlflow_model"}} for step in PLAN["steps"]]}
    put_plan(later, plan)
    test = visit("pipelines", run=later.id, step="second")
    test.text_input(key="pipelines-output-second-out-name").set_value("greeter")
    test.button(key="pipelines-output-second-out-register-now").click().run()
    assert not test.exception
    (request,) = runs.find(task="pipeline_register", access=LOCAL)
    assert jobs.wait(request.id, 60, access=LOCAL).state is RunState.FAILED  # it holds texts, and no model
    test.run()
    assert "holds no model that can be registered" in texts(test)


def test_a_component_is_registered_with_its_code_and_shown(home: Path) -> None:
    test = visit("pipelines", tab="Components")
    assert not test.exception
    assert set(table_with(test, "From")["From"]) == {"Plumbline"}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("greet/greet.yml", COMPONENT)
        archive.writestr("greet/src/greet.py", "print('hello')")
    test.file_uploader[0].upload("greet.zip", packed.getvalue()).run()
    assert not test.exception
    assert (query(test, "component"), query(test, "version")) == ("greet", "1")
    assert "Says hello." in texts(test)
    assert list(table_with(test, "Default")["Name"]) == ["name"]
    (row,) = components.history("greet", access=LOCAL)
    assert list(row.code) == ["src/greet.py"]
    test.button(key="pipelines-archive").click().run()
    assert components.history("greet", access=LOCAL)[0].archived_at is not None
    test = visit("pipelines", tab="Components")
    test.file_uploader[0].upload("broken.yml", COMPONENT.replace("./src", "./elsewhere").encode()).run()
    assert "'./elsewhere' does not exist" in texts(test)
    test = visit("pipelines", component="train_xgboost")
    assert "Train XGBoost" in texts(test)
    assert "max_depth" in list(table_with(test, "Default")["Name"])


def test_a_schedule_follows_its_pipeline(home: Path) -> None:
    saved = saved_pipelines.add(SavedPipeline(workspace="local", name="nightly", text=TEXT), access=LOCAL)
    test = visit("pipelines", pipeline=saved.id, tab="Schedule")
    key = f"pipelines-timing-{saved.id}"
    test.text_input(key=f"{key}-cron").set_value("30 26 * * *").run()
    assert "The hour '26'" in texts(test)
    test.text_input(key=f"{key}-cron").set_value("30 6 * * *").run()
    assert "At 06:30" in texts(test)
    test.button(key=f"{key}-add").click().run()
    assert not test.exception
    (schedule,) = schedules.find(task="pipeline", access=LOCAL)
    assert (schedule.cron, schedule.settings["text"], schedule.title) == ("30 6 * * *", TEXT, "nightly")
    saved = saved_pipelines.update(saved, text=TEXT + "# new\n", name="daily", access=LOCAL)
    pipeline_schedules.update_schedules(saved, access=LOCAL)
    schedules.update(schedule.id, missed=2, access=LOCAL)
    test.run()
    assert "2 times missed" in texts(test)
    test.button(key=f"pipelines-schedule-{schedule.id}-toggle").click().run()
    (schedule,) = schedules.find(task="pipeline", access=LOCAL)
    assert (schedule.enabled, schedule.settings["text"], schedule.title) == (False, TEXT + "# new\n", "daily")
    assert list(table_with(visit("pipelines"), "Schedule")["Schedule"]) == ["off"]
    deletion.delete("pipeline", saved.id, access=LOCAL)
    assert schedules.find(access=LOCAL) == []


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ("inputs:\n  count", "inputs:\n  table: {type: uri_folder, path: azureml:absent@latest}\n  count", "table"),
        (
            "inputs: {count: ",
            "inputs: {rows: {type: uri_folder, path: azureml:absent@latest}, count: ",
            "data-absent",
        ),
    ],
    ids=["an input", "a step"],
)
def test_data_that_the_file_names_can_be_replaced_by_a_dataset(home: Path, before: str, after: str, field: str) -> None:
    text = TEXT.replace(before, after, 1)
    saved = saved_pipelines.add(SavedPipeline(workspace="local", name="with data", text=text), access=LOCAL)
    test = visit("pipelines", pipeline=saved.id)
    test.button(key="pipelines-approve").click().run()
    assert "There is no dataset 'absent'." in texts(test)
    assert test.button(key=f"pipelines-run-{saved.id}-run").disabled
    table = datasets.add(
        Dataset(
            workspace="local",
            name="there",
            fingerprint="f",
            data_digest="d",
            profile_digest="p",
            rows=3,
            columns=1,
            size_bytes=9,
        ),
        access=LOCAL,
    )[0]
    test.run()
    test.selectbox(key=f"pipelines-run-{saved.id}-{field}").set_value(table.id).run()
    assert not test.error
    assert not test.button(key=f"pipelines-run-{saved.id}-run").disabled


def test_several_files_become_a_pipeline_with_files_beside_it(home: Path) -> None:
    text = TEXT.replace(
        "    command: cat ${{inputs.data}}/n.txt\n    environment: none\n", "    component: ./cat.yml\n"
    )
    cat = "name: cat\ncommand: cat ${{inputs.data}}/n.txt\nenvironment: none\ninputs: {data: {type: uri_folder}}\n"
    test = visit("pipelines")
    test.file_uploader[0].upload("mine.yml", text.encode()).upload("cat.yml", cat.encode()).run()
    assert not test.exception
    saved = saved_pipelines.get(query(test, "pipeline"), access=LOCAL)
    assert (saved.name, list(saved.files)) == ("mine", ["cat.yml"])
    assert "2 steps, and every connection fits." in texts(test)
    test.button(key=f"pipelines-remove-{saved.id}-cat.yml").click().run()
    assert "'./cat.yml' does not exist" in texts(test)
