"""Rows that a step of a pipeline brings to a model that is watched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import RunState
from core.errors import InputError, NotFoundError
from core.pipelines import WATCHED, WORKSPACE_VARIABLE
from core.pipelines.shipped import monitor_batch
from core.tasks.pipeline_batches import bring_batches
from tests.unit.monitored.conftest import Watched


def test_rows_become_a_batch_of_the_model_that_the_step_names(watched: Watched, tmp_path: Path) -> None:
    rows = watched.people(150, 21).drop(columns="left")
    folder = tmp_path / "monitoring"
    folder.mkdir()
    rows.to_parquet(folder / "batch.parquet", index=False)
    (folder / WATCHED).write_text(json.dumps({"model": "Leavers", "rows": "batch.parquet"}))
    outputs = {"monitoring": str(folder), "other": str(tmp_path)}
    bring_batches(outputs, name="nightly", access=LOCAL)
    said = json.loads((folder / WATCHED).read_text())
    assert jobs.wait(said["run_id"], 120, access=LOCAL).state is RunState.SUCCEEDED
    batch = watched.batch("nightly.parquet")
    assert (batch.run_id, batch.rows, said["version"]) == (said["run_id"], 150, 1)
    assert not (folder / "batch.parquet").exists(), "the output has figures, and no rows"
    bring_batches(outputs, name="nightly", access=LOCAL)
    assert json.loads((folder / WATCHED).read_text()) == said, "what was brought is not brought again"


def test_a_model_that_is_not_there_is_named_with_those_that_are(watched: Watched, tmp_path: Path) -> None:
    watched.people(60, 22).to_parquet(tmp_path / "batch.parquet", index=False)
    (tmp_path / WATCHED).write_text(json.dumps({"model": "Leaver", "rows": "batch.parquet"}))
    with pytest.raises(NotFoundError, match="The workspace has no model 'Leaver'") as error:
        bring_batches({"monitoring": str(tmp_path)}, name="nightly", access=LOCAL)
    assert "Leavers" in error.value.hint


def test_the_command_asks_for_it_where_there_is_a_workspace(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = watched.people(60, 23)
    monkeypatch.delenv(WORKSPACE_VARIABLE, raising=False)
    with pytest.raises(InputError, match="The model 'Leavers' needs a workspace"):
        monitor_batch._bring("Leavers", rows, tmp_path)
    monkeypatch.setenv(WORKSPACE_VARIABLE, "1")
    monitor_batch._bring("Leavers", rows, tmp_path)
    bring_batches({"monitoring": str(tmp_path)}, name="step", access=LOCAL)
    run = jobs.wait(json.loads((tmp_path / WATCHED).read_text())["run_id"], 120, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    assert watched.batch("step.parquet").labels is not None, "labels in the rows count"
