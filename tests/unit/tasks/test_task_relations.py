"""Relations between columns as a real run: they are stored with it, for that content and target and no other."""

from __future__ import annotations

import json
from pathlib import Path

from core import jobs
from core.catalog import Dataset, RunState, artifacts, datasets
from core.datasets import ColumnRelations, load_sample, relate_columns
from core.storage import get_store
from core.tasks import relations as relations_task


def test_the_run_stores_what_the_function_returns(home: Path) -> None:
    table = load_sample("german_credit")
    dataset, _ = datasets.add(
        Dataset(
            workspace="local",
            name=table.name,
            fingerprint=table.fingerprint,
            data_digest=get_store().put_file(table.path),
            profile_digest=get_store().put_bytes(b"{}"),
            rows=table.rows,
            columns=len(table.columns),
            size_bytes=table.path.stat().st_size,
        )
    )
    assert relations_task.latest(dataset, "credit") is None
    run = jobs.wait(relations_task.submit(dataset, "credit"), 60, workspace="local")
    assert run.state is RunState.SUCCEEDED, (run.error_message, jobs.log(run.id, workspace="local"))
    stored = json.loads(get_store().read_bytes(artifacts.get(run.id, relations_task.FILE, "local").digest))
    expected = relate_columns(table.frame, "credit")
    assert ColumnRelations.from_dict(stored) == expected
    assert run.result == {"rows": 1000, "columns": len(table.columns), "pairs": len(expected.pairs)}
    assert run.title == "Relations in German credit risk to credit"
    latest = relations_task.latest(dataset, "credit")
    assert latest is not None
    assert latest.id == run.id
    assert relations_task.latest(dataset, None) is None
    assert relations_task.latest(dataset.model_copy(update={"fingerprint": "0" * 64}), "credit") is None
