"""Every kind of run that is not of the network works in a sandbox as it does without."""

from __future__ import annotations

import io
import shutil

import pytest

from core import demo, jobs, models
from core.access import LOCAL
from core.catalog import RunState, approvals, datasets, runs
from core.datasets import ReadOptions, Recipe, load_sample
from core.finetune import FineTuneSettings
from core.summary import SummaryNotes
from core.tasks import (
    estimate,
    ingest,
    monitor,
    onnx_upload,
    pipeline,
    prepare,
    preview,
    relations,
    summary,
)

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.timeout(3_600),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]

TABLE = b"text,label,n\n" + b"".join(
    b"some words %d,%s,%d\n" % (row, b"a" if row % 3 else b"b", row) for row in range(60)
)
PIPELINE = """
type: pipeline
display_name: chain
inputs:
  word: {type: string, default: one}
outputs:
  result:
jobs:
  first:
    command: wc -l < ${{inputs.data}}/data.parquet > ${{outputs.out}}/n
    environment: none
    inputs:
      data: {type: uri_folder, path: azureml:Words@latest}
    outputs: {out: }
  second:
    command: echo ${{inputs.word}} | cat - ${{inputs.data}}/n > ${{outputs.out}}/n
    environment: none
    inputs: {word: "${{parent.inputs.word}}", data: "${{parent.jobs.first.outputs.out}}"}
    outputs: {out: "${{parent.outputs.result}}"}
"""


@pytest.fixture(scope="module")
def home(installation, tmp_path_factory):
    with installation(tmp_path_factory.mktemp("kinds") / "home", SANDBOX="bubblewrap", MAX_RUNNING="2") as folder:
        yield folder


def done(run_id: str):
    run = jobs.wait(run_id, 600, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, (run.task, run.error_message, jobs.log(run_id, access=LOCAL))
    return run


def test_a_table_is_looked_at_read_compared_prepared_and_run_through_a_pipeline(home, tmp_path):
    looked_at = done(preview.submit(io.BytesIO(TABLE), "Words.csv", access=LOCAL))
    assert preview.load(looked_at, access=LOCAL) is not None
    imported = done(preview.accept(looked_at, access=LOCAL))
    assert not list((home / "previews").iterdir())
    dataset = datasets.get(imported.result["dataset_id"], access=LOCAL)
    uploaded = done(ingest.submit_upload(io.BytesIO(TABLE), "Words again.csv", access=LOCAL))
    assert (uploaded.result["dataset_id"], uploaded.result["known"]) == (dataset.id, True)
    assert not list((home / "uploads").iterdir())
    assert done(ingest.submit_again(dataset.id, ReadOptions(), access=LOCAL)).result["dataset_id"] == dataset.id
    done(relations.submit(dataset, "label", access=LOCAL))
    done(estimate.submit(dataset, FineTuneSettings(text_column="text", label_column="label"), access=LOCAL))
    steps = {"recipe": 1, "steps": [{"step": "rename", "column": "n", "to": "m"}]}
    done(prepare.submit(dataset, Recipe.from_dict(steps), "Rename", access=LOCAL))
    commands = pipeline.unapproved(pipeline.read(PIPELINE, {}, tmp_path, access=LOCAL), access=LOCAL)
    approvals.approve([command.digest for command in commands], access=LOCAL)
    run = done(pipeline.submit(PIPELINE, title="A chain", access=LOCAL))
    assert [child.state for child in runs.children(run.id, access=LOCAL)] == [RunState.SUCCEEDED] * 2
    assert {path.name for path in (home / "runs" / run.id).iterdir()} == {"log.txt"}


def test_models_are_searched_trained_exported_measured_explained_scored_and_summarized(home):
    made = demo.build(access=LOCAL)  # raises an error where one of its runs does not succeed
    done(summary.submit(runs.get(made.binary, access=LOCAL), SummaryNotes(), access=LOCAL))
    version = models.resolve(made.model, access=LOCAL)
    rows = load_sample("german_credit").frame.drop(columns="credit").head(100)
    batch = done(
        monitor.submit_upload(version, io.BytesIO(rows.to_csv(index=False).encode()), "rows.csv", access=LOCAL)
    )
    assert batch.result["monitored"][0]["rows"] == 100
    assert version.run_id in (made.binary, made.rival)
    path = jobs.artifact_path(made.exported, "model.onnx", access=LOCAL)
    with path.open("rb") as file:
        done(onnx_upload.submit(file, "model.onnx", access=LOCAL))
