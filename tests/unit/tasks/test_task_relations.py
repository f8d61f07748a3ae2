"""Relations between columns as a real run: they are stored with it, for that content and target and no other."""

from __future__ import annotations

import json
from pathlib import Path

from core import jobs
from core.access import LOCAL
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
        ),
        access=LOCAL,
    )
    assert relations_task.latest(dataset, "credit", access=LOCAL) is None
    run = jobs.wait(relations_task.submit(dataset, "credit", access=LOCAL), 60, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, (run.error_message, jobs.log(run.id, access=LOCAL))
    stored = json.loads(get_store().read_bytes(artifacts.get(run.id, relations_task.FILE, access=LOCAL).digest))
    expected = relate_columns(table.frame, "credit")
    assert ColumnRelations.from_dict(stored) == expected
    assert run.result == {"rows": 1000, "columns": len(table.columns), "pairs": len(expected.pairs)}
    assert run.title == "Relations in German credit risk to credit"
    latest = relations_task.latest(dataset, "credit", access=LOCAL)
    assert latest is not None
    assert latest.id == run.id
    assert relations_task.latest(dataset, None, access=LOCAL) is None
    assert relations_task.latest(dataset.model_copy(update={"fingerprint": "0" * 64}), "credit", access=LOCAL) is None
