"""An import that is killed at any moment begins anew, and ends as if nothing had happened."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.access import LOCAL
from core.catalog import RunState, datasets, runs
from core.jobs import RunContext
from core.progress import Event
from core.tasks import ingest

TABLE = b"a,b\n1,2\n3,4\n"


class Killed(BaseException):
    """The end of the process."""


@pytest.fixture
def home(installation: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr("core.jobs.api.tick", lambda: None)  # no process takes the runs
    with installation(tmp_path / "home") as home:
        yield home


def attempt(run_id: str, number: int) -> RunContext:
    """Return the context of an attempt, of a run that works."""
    runs.set_fields(run_id, [RunState.QUEUED, RunState.RUNNING], access=LOCAL, state=RunState.RUNNING, attempt=number)
    return RunContext(runs.get(run_id, access=LOCAL))


_MORE = ("get_store", "use_dataset", "upload_path", "report")


@pytest.mark.parametrize("moment", ["read_upload", *(pytest.param(name, marks=pytest.mark.nightly) for name in _MORE)])
def test_an_import_that_is_killed_begins_anew(home: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    run_id = ingest.submit_upload(io.BytesIO(TABLE), "Numbers.csv", access=LOCAL)
    context = attempt(run_id, 1)

    def kill(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if moment == "report":  # after the upload was removed
            patch.setattr(ingest, "Event", lambda *given: kill() if given[1] == 1.0 else Event(*given))
        else:
            patch.setattr(RunContext if moment == "use_dataset" else ingest, moment, kill)
        with pytest.raises(Killed):
            ingest.run(context)
    result = ingest.run(attempt(run_id, 2))
    (dataset,) = datasets.find(access=LOCAL)
    assert result == {"dataset_id": dataset.id, "name": "Numbers", "known": False}
    assert list((home / "uploads").iterdir()) == []


@pytest.mark.nightly
def test_a_table_that_was_there_before_is_known_to_a_second_attempt_too(home: Path) -> None:
    first = ingest.submit_upload(io.BytesIO(TABLE), "Numbers.csv", access=LOCAL)
    assert not ingest.run(attempt(first, 1))["known"]
    second = ingest.submit_upload(io.BytesIO(TABLE), "Again.csv", access=LOCAL)
    assert ingest.run(attempt(second, 2))["known"]
