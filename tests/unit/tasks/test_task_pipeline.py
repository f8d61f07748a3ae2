"""Pipelines as real runs: steps as runs of their own, kept outputs, approvals, resuming, cancelling."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import jobs
from core.access import LOCAL
from core.automl import AutoMLSettings
from core.catalog import Run, RunState, approvals, datasets, runs, steps
from core.datasets import Recipe
from core.errors import InputError
from core.storage import get_store
from core.tasks import ingest, pipeline, prepare

TEXT = """
type: pipeline
display_name: chain
inputs:
  word: {type: string, default: one}
outputs:
  result:
jobs:
  first:
    command: sleep PAUSE; echo first; wc -l < ${{inputs.data}}/data.parquet > ${{outputs.out}}/n
    environment: none
    inputs:
      data: {type: uri_folder, path: azureml:flowers@latest}
    outputs: {out: }
  second:
    command: sleep PAUSE; echo ${{inputs.word}} | cat - ${{inputs.data}}/n > ${{outputs.out}}/n
    environment: none
    inputs: {word: "${{parent.inputs.word}}", data: "${{parent.jobs.first.outputs.out}}"}
    outputs: {out: "${{parent.outputs.result}}"}
""".replace("PAUSE", "0")
SLOW = (
    TEXT.replace("sleep 0; echo ${{", "sleep 5; echo ${{")
    .replace("display_name: chain", "display_name: slow")
    .replace("echo first", "echo slowly")
)


@pytest.fixture(scope="module")
def home(installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with installation(tmp_path_factory.mktemp("pipelines") / "home") as folder:
        run = jobs.wait(ingest.submit_sample("iris", access=LOCAL), 60, access=LOCAL)
        datasets.rename(run.result["dataset_id"], "flowers", access=LOCAL)
        yield folder


def approve(text: str, folder: Path) -> None:
    commands = pipeline.unapproved(pipeline.read(text, {}, folder, access=LOCAL), access=LOCAL)
    approvals.approve([command.digest for command in commands], access=LOCAL)


def ended(run_id: str) -> Run:
    return jobs.wait(run_id, 90, access=LOCAL)


def rows(run: Run) -> dict[str, tuple[str, str, str]]:
    return {row.path: (row.state, row.reason, row.run_id) for row in steps.of_run(run.id, access=LOCAL)}


def start(text: str = TEXT, **options: object) -> str:
    return pipeline.submit(text, title="A chain", **options, access=LOCAL)


def test_commands_that_nobody_approved_do_not_run(home: Path) -> None:
    run = ended(start(TEXT.replace("echo first", "echo never")))
    assert run.state is RunState.FAILED
    assert run.error_message == "The commands of 'first', 'second' were never approved here."
    assert runs.children(run.id, access=LOCAL) == []


def test_steps_are_runs_and_the_second_time_nothing_runs(home: Path, tmp_path: Path) -> None:
    approve(TEXT, tmp_path / "read")
    run = ended(start())
    assert run.state is RunState.SUCCEEDED, jobs.log(run.id, access=LOCAL)
    children = runs.children(run.id, access=LOCAL)
    assert [(child.task, child.state) for child in children] == [("pipeline_step", RunState.SUCCEEDED)] * 2
    assert "first" in jobs.log(children[0].id, access=LOCAL)
    assert [values[:2] for values in rows(run).values()] == [("SUCCEEDED", "It had not run before.")] * 2
    (output,) = steps.of_run(run.id, access=LOCAL)[1].outputs["out"].values()
    assert get_store().read_bytes(output).startswith(b"one\n")
    assert run.result["outputs"] == {"result": {"step": "second", "output": "out"}}

    assert not list((home / "runs" / run.id / "work").glob("*")), "its files are artifacts now"

    again = ended(start())
    assert runs.children(again.id, access=LOCAL) == []
    assert (again.result["executed"], again.result["steps"]) == (0, 2)
    assert all(reason.startswith("Nothing changed since it ran at") for _, reason, _ in rows(again).values())

    changed = ended(start(inputs={"word": "two"}))
    assert [child.settings["call"]["step"] for child in runs.children(changed.id, access=LOCAL)] == ["second"]
    assert rows(changed)["second"][1] == "Parameter word changed from one to two."

    (flowers,) = (dataset for dataset in datasets.find(access=LOCAL) if dataset.name == "flowers")
    renamed = TEXT.replace("azureml:flowers@latest", "azureml:absent@latest")
    replaced = ended(start(renamed, inputs={"absent": flowers.id}))
    assert replaced.state is RunState.SUCCEEDED, replaced.error_message
    assert replaced.result["executed"] == 0, "it is the same data under another name"

    forced = ended(start(rerun_from=["second"]))
    assert rows(forced)["second"][1] == "It was asked to run again."
    assert rows(forced)["first"][1].startswith("Nothing changed")


def test_a_step_that_fails_fails_the_pipeline_with_its_words(home: Path, tmp_path: Path) -> None:
    text = TEXT.replace("echo first", "echo out of cheese; exit 4").replace(
        "display_name: chain", "display_name: fails"
    )
    approve(text, tmp_path / "read")
    run = ended(start(text))
    assert run.state is RunState.FAILED
    assert (
        "The step 'first' failed: The command ended with status 4. Its last lines: out of cheese" in run.error_message
    )
    assert rows(run)["second"][:2] == ("SKIPPED", "It needs 'first', which has no outputs.")


def test_a_named_table_becomes_a_dataset(home: Path, tmp_path: Path) -> None:
    text = """
type: pipeline
jobs:
  make:
    command: printf 'a,b\\n1,x\\n2,y\\n' > ${{outputs.table}}/rows.csv
    environment: none
    outputs:
      table: {type: uri_folder, name: made_here}
"""
    approve(text, tmp_path / "read")
    run = ended(start(text))
    assert run.state is RunState.SUCCEEDED, run.error_message
    said = [event.message for event in jobs.events(run.id, phase="asset", access=LOCAL)]
    assert said[0].startswith("The table 'rows.csv' of 'make' is imported as 'made_here'")
    imported = ended(said[0].split("(run ")[1].rstrip(")."))
    assert datasets.get(imported.result["dataset_id"], access=LOCAL).name == "made_here"


@pytest.mark.nightly
def test_a_pipeline_that_was_killed_continues_where_it_was(home: Path, tmp_path: Path) -> None:
    approve(SLOW, tmp_path / "read")
    run_id = start(SLOW)
    deadline = time.monotonic() + 60
    while not (
        len(runs.children(run_id, access=LOCAL)) == 2
        and runs.children(run_id, access=LOCAL)[1].state is RunState.RUNNING
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    run = jobs.get(run_id, access=LOCAL)
    os.kill(run.monitor_pid, signal.SIGKILL)
    run = jobs.wait(run_id, 120, access=LOCAL)
    while run.attempt == 1 or not run.state.terminal:  # it is queued again once its lease is over
        assert time.monotonic() < deadline + 60
        jobs.tick()
        time.sleep(0.2)
        run = jobs.get(run_id, access=LOCAL)
    assert run.state is RunState.SUCCEEDED
    assert run.attempt == 2
    assert [child.settings["call"]["step"] for child in runs.children(run_id, access=LOCAL)].count("first") == 1
    assert rows(run)["first"][1] == "It was done before the run was interrupted."


@pytest.mark.nightly
def test_cancelling_a_pipeline_cancels_its_steps(home: Path, tmp_path: Path) -> None:
    text = SLOW.replace("sleep 5", "sleep 60")
    approve(text, tmp_path / "read")
    run_id = start(text, rerun_from=["first"])
    deadline = time.monotonic() + 60
    while not any(child.settings["call"]["step"] == "second" for child in runs.children(run_id, access=LOCAL)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    jobs.cancel(run_id, access=LOCAL)
    assert ended(run_id).state is RunState.CANCELLED
    assert [ended(child.id).state for child in runs.children(run_id, access=LOCAL)][-1] is RunState.CANCELLED


def test_runs_and_prepared_tables_become_pipelines(home: Path, tmp_path: Path) -> None:
    (flowers,) = (dataset for dataset in datasets.find(access=LOCAL) if dataset.name == "flowers")
    with pytest.raises(InputError, match="was not prepared"):
        pipeline.exported(flowers, access=LOCAL)
    step = {"step": "drop", "columns": ["petal_length_cm"]}
    made = ended(prepare.submit(flowers, Recipe([step]), "Drop a column", access=LOCAL))
    version = datasets.get(made.result["dataset_id"], access=LOCAL)
    exported = pipeline.exported(version, access=LOCAL)
    assert "path: azureml:flowers:1" in exported.text
    read = pipeline.read(
        exported.text,
        {name: get_store().put_bytes(text.encode()) for name, text in exported.files.items()},
        tmp_path,
        access=LOCAL,
    )
    assert pipeline.unapproved(read, access=LOCAL) == [], "components that are shipped need no approval"

    settings = AutoMLSettings(target="species", max_trials=3, time_budget_s=None)
    search = Run(
        workspace="local",
        task="automl",
        title="species",
        dataset_id=version.id,
        settings={**settings.model_dump(mode="json"), "continue_from": "x"},
        state=RunState.SUCCEEDED,
    )
    repeated = pipeline.exported(search, access=LOCAL)
    assert "data_prep" in repeated.text, "the search was made on the prepared version"
    assert "continue_from" not in repeated.files["settings.json"]
    search.state = RunState.FAILED
    with pytest.raises(InputError, match="that is failed cannot be exported"):
        pipeline.exported(search, access=LOCAL)
