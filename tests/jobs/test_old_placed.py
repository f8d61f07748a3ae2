"""Runs that earlier code placed on nodes: they can be read, continued, and taken back from an engine that is gone.

``tests/data/make_old_placed.py`` makes such an installation.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col

from core import jobs
from core.access import INSTALLATION, LOCAL
from core.catalog import Run, RunState, checkpoints
from core.catalog.clock import database_now
from core.catalog.engine import writing
from core.jobs import placing

DATA = Path(__file__).parents[1] / "data"
HOMES = sorted(path.name.removesuffix(".tar.xz") for path in DATA.glob("placed-*.tar.xz"))


@pytest.fixture(params=HOMES)
def old(request: pytest.FixtureRequest, installation: Callable, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Unpack one of the installations, and use it with the storage that its nodes used."""
    with tarfile.open(DATA / f"{request.param}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    home = tmp_path / "home"
    with installation(home, STORAGE=str(home / "artifacts")):
        yield json.loads((home / "expected.json").read_text(encoding="utf-8"))


def test_what_is_known_of_the_runs_is_there(old: dict[str, str]) -> None:
    run = jobs.get(old["succeeded"], access=LOCAL)
    assert (run.state, run.node, run.cpus, run.needs_mb) == (RunState.SUCCEEDED, "node-1", 2, 600)
    assert run.engine == "ray://head.internal:8265"
    assert len(jobs.events(run.id, access=LOCAL)) == 2


def test_a_run_that_worked_on_a_node_is_continued_here(old: dict[str, str]) -> None:
    done = len(jobs.events(old["cancelled"], access=LOCAL))
    assert set(checkpoints.files(old["cancelled"])) == {".attempt", "mark"}
    jobs.resume(old["cancelled"], access=LOCAL)
    run = jobs.wait(old["cancelled"], 60, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    assert run.result is not None
    assert 40 <= run.result["first"] <= done
    assert jobs.events(run.id, phase="start", access=LOCAL)[0].message.startswith("Continuing on another computer")


def test_a_run_that_waits_for_an_engine_that_is_gone_works_here_in_the_end(old, monkeypatch) -> None:
    monkeypatch.setattr(placing, "_look_at", 0.0)
    with writing(INSTALLATION) as session:
        session.execute(update(Run).where(col(Run.id) == old["waits"]).values(placed_at=database_now()))
    jobs.tick()
    waits = jobs.get(old["waits"], access=LOCAL)
    assert "Another engine (ray://head.internal:8265)" in (jobs.describe_wait(waits) or "")
    with writing(INSTALLATION) as session:
        session.execute(update(Run).where(col(Run.id) == old["waits"]).values(placed_at=database_now() - 3_600))
    monkeypatch.setattr(placing, "_look_at", 0.0)
    assert jobs.wait(old["waits"], 60, access=LOCAL).state is RunState.SUCCEEDED
