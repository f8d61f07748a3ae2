"""Whatever people do at once, the lock of the audit log is the last one of a transaction: nobody waits in a circle."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from core import deletion
from core.access import LOCAL
from core.catalog import ModelVersion, Run, RunState, audit, models, runs
from core.errors import NotFoundError, RegistryError
from core.jobs import scheduler

pytestmark = pytest.mark.nightly


def test_nobody_waits_in_a_circle(catalog: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "_start", lambda run: None)
    run = runs.add(Run(workspace="local", task="automl", state=RunState.SUCCEEDED), access=LOCAL)
    known = []
    for name, run_id in itertools.product(("A", "B"), (run.id, "r2")):
        version = ModelVersion(workspace="local", model_id="", run_id=run_id, kind="table", number=0)
        known.append(models.add_version(name, version, access=LOCAL)[0].id)
    first, second = known[0], known[2]

    def move(model_id: str, step: int) -> None:
        models.point(model_id, "night", 1 + step % 2, access=LOCAL)

    def remove(model_id: str, _step: int) -> None:
        made = deletion.delete("model", model_id, access=LOCAL)
        deletion.undo(made.id, access=LOCAL)

    def start(_model_id: str, _step: int) -> None:
        started = runs.add(Run(workspace="local", task="count"), access=LOCAL)
        scheduler.request_cancel(started, by=LOCAL)

    def decide(_model_id: str, step: int) -> None:
        models.note_rule(run.id, str(step), access=LOCAL)

    def repeat(work: Callable[[str, int], None], model_id: str) -> None:
        for step in range(15):
            try:
                work(model_id, step)
            except (NotFoundError, RegistryError):  # it is deleted at this moment
                continue

    works = [(move, first), (move, second), (remove, first), (remove, second), (start, ""), (decide, ""), (decide, "")]
    with ThreadPoolExecutor(len(works)) as pool:
        for result in [pool.submit(repeat, *work) for work in works]:
            result.result()
    assert audit.broken(access=LOCAL) is None
