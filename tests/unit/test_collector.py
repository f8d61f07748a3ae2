"""Contents that no row needs go after a grace period, and no row ever lacks its content."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlmodel import Session, SQLModel, select

from core import deletion, upkeep
from core.access import INSTALLATION, LOCAL, Access
from core.catalog import Run, RunArtifact, RunState, Schedule, artifacts, references, runs, schedules
from core.catalog.engine import reading
from core.settings import get_settings
from core.storage import PREFIXES, ArtifactStore, get_store
from tests.collecting import collect, identify

PAYLOADS = [bytes([number]) * 100 for number in range(8)]
GRACE_S = 0.3


def row(digest: str, name: str = "file", **fields: object) -> Run:
    """A run that needs a content."""
    run = runs.add(Run(workspace="local", task="count", state=RunState.SUCCEEDED, **fields), access=LOCAL)
    keep(run.id, name, digest)
    return run


def keep(run_id: str, name: str, digest: str) -> None:
    artifacts.add(RunArtifact(workspace="local", run_id=run_id, name=name, digest=digest, size_bytes=1), access=LOCAL)


@pytest.fixture(params=["local", "remote"])
def store(request, installation, tmp_path):
    """The store of an installation: a folder, or another machine's."""
    remote = {"STORAGE": f"memory://collected-{tmp_path.name}"} if request.param == "remote" else {}
    with installation(tmp_path / "home", **remote):
        identify()
        yield get_store()


def test_what_no_row_needs_is_set_aside_and_removed_later(store: ArtifactStore) -> None:
    needed, left = store.put_bytes(b"needed"), store.put_bytes(b"left")
    row(needed)
    prefixes = {needed[:2], left[:2]}
    assert upkeep.collect(prefixes) == 0
    assert store.stored(left), "it is younger than the grace period"
    assert upkeep.collect(prefixes, grace_s=-1) == 0
    assert not store.stored(left)
    upkeep.collect(prefixes)
    assert store.read_bytes(left) == b"left", "who asks for what is set aside puts it back"
    upkeep.collect(prefixes, grace_s=-1)
    assert upkeep.collect(prefixes, grace_s=-1) == 1
    assert [store.exists(digest) for digest in (needed, left)] == [True, False]
    assert store.read_bytes(store.put_bytes(b"left")) == b"left"


def test_storing_again_renews_the_age(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_settings(), "content_grace_s", 0.0)
    digest = store.put_bytes(b"again")
    time.sleep(0.05)
    before = time.time()
    assert store.stored_before(digest[:2], before) == [digest]
    time.sleep(0.05)  # clocks of files are coarse
    store.put_bytes(b"again")
    assert store.stored_before(digest[:2], before) == []
    assert not store.set_aside(digest, before)
    assert store.stored(digest)


def test_a_row_that_comes_late_has_its_content_back(store: ArtifactStore) -> None:
    digest = store.put_bytes(b"late")
    upkeep.collect([digest[:2]], grace_s=-1)
    row(digest)
    assert upkeep.collect([digest[:2]], grace_s=-1) == 0
    assert store.stored(digest)


def test_what_is_stored_twice_is_kept_once(store: ArtifactStore) -> None:
    digest = store.put_bytes(b"twice")
    upkeep.collect([digest[:2]], grace_s=-1)
    row(store.put_bytes(b"twice"))
    collect(digest)
    assert store.stored(digest)
    assert store.set_aside_before(digest[:2], time.time() + 1) == []


def test_what_is_older_than_the_catalog_may_be_another_s(home: Path) -> None:
    lost = get_store().put_bytes(b"of a catalog that was lost")
    time.sleep(0.02)
    for began in (None, time.time()):
        if began is not None:
            identify(began)
        for _ in range(2):
            upkeep.collect([lost[:2]], grace_s=-1)
        assert get_store().stored(lost)
    row(lost, created_at=time.time() - 100)
    other = get_store().put_bytes(b"of this one, which began earlier")
    collect(other)
    assert not get_store().exists(other)


def test_nothing_goes_that_was_stored_since_a_run_began_to_work(home: Path) -> None:
    other = Access.engine("other")
    run = runs.add(
        Run(workspace="other", task="count", state=RunState.RUNNING, created_at=time.time() - 5), access=other
    )
    identify()
    digest = get_store().put_bytes(b"of a run that has not told yet")
    for _ in range(2):
        upkeep.collect([digest[:2]], grace_s=0)
    assert get_store().stored(digest)
    assert runs.change_state(run.id, [RunState.RUNNING], RunState.FAILED, access=other)
    upkeep.collect([digest[:2]], grace_s=0)
    assert not get_store().stored(digest)


def test_what_settings_name_is_needed(home: Path) -> None:
    one, two, other = (get_store().put_bytes(content) for content in (b"one", b"two", b"other"))
    settings = {"saved": "", "files": {"a.py": one}, "inputs": [{"x": two}]}
    run = runs.add(Run(workspace="local", task="pipeline", settings=settings), access=LOCAL)
    schedule = schedules.add(
        Schedule(workspace="local", title="nightly", task="count", settings={"files": {"b": other}}), access=LOCAL
    )
    assert references.needed([one, two, other]) == {one, two, other}
    schedules.update(schedule.id, settings={"files": {"b": one}}, access=LOCAL)
    assert references.needed([one, two, other]) == {one, two}
    deletion.delete("schedule", schedule.id, access=LOCAL)
    runs.change_state(run.id, [RunState.QUEUED], RunState.CANCELLED, access=LOCAL)
    deletion.delete("run", run.id, access=LOCAL)
    upkeep.purge(after_s=0)
    assert references.needed([one, two, other]) == set()


def test_whatever_a_row_names_is_needed(stocked) -> None:
    """Wherever a digest of a stored content stands in a row, the content stays."""
    store = get_store()
    stored = {digest for prefix in PREFIXES for digest in store.stored_before(prefix, float("inf"))}
    with reading(INSTALLATION) as session:
        tables = SQLModel.metadata.tables.values()
        named = {table.name: set(re.findall(r"[0-9a-f]{64}", text_of(session, table))) & stored for table in tables}
    assert named["runartifact"]
    assert named["dataset"]
    assert {name: digests - references.needed(digests) for name, digests in named.items() if digests} == {
        name: set() for name, digests in named.items() if digests
    }


def text_of(session: Session, table) -> str:
    return "\n".join(str(tuple(row)) for row in session.execute(select(table)))


def test_what_was_not_stored_to_its_end_is_removed(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(*_arguments: object) -> None:
        raise SystemExit  # as a process that is killed: nothing is removed

    with monkeypatch.context() as patch:
        patch.setattr(store._fs, "mv", end)
        patch.setattr(store._fs, "rm", lambda path: None)
        with pytest.raises(SystemExit):
            store.put_bytes(b"half of a file")
    (left,) = store._fs.find(f"{store._root}/tmp")
    prefix = left.rsplit("/", 1)[1][:2]
    upkeep.collect([prefix])
    assert store._fs.exists(left), "it may still be written"
    upkeep.collect([prefix], grace_s=-1)
    assert not store._fs.exists(left)


def test_fetched_contents_have_a_limit_and_go_with_the_stored_ones(installation, tmp_path: Path) -> None:
    with installation(tmp_path / "home", STORAGE=f"memory://cached-{tmp_path.name}", CACHE_MB="1"):
        store = get_store()
        paths = []
        for number in range(4):
            digest = store.put_bytes(bytes([number]) * 400_000)
            row(digest, str(number))
            paths.append(store.local_path(digest))
            os.utime(paths[-1], (time.time() - 9_000 + number,) * 2)
        store.local_path(paths[0].name)  # used just now
        gone = store.local_path(store.put_bytes(b"gone"))
        os.utime(gone, (time.time() - 200_000,) * 2)
        upkeep.trim_cache()
        assert [path.exists() for path in paths] == [True, False, False, True]
        assert not gone.exists()
        assert store.local_path(paths[1].name).read_bytes() == bytes([1]) * 400_000


def test_a_turn_looks_at_one_part(home: Path) -> None:
    from core.upkeep.turns import Turns

    Turns.next_at = 0.0
    before = Turns.position
    assert upkeep.take_turn()
    assert not upkeep.take_turn(), "it is too early for another one"
    assert Turns.position == (before + 1) % len(PREFIXES)


def work(seed: int, seconds: float, failures: list[str]) -> None:
    """Store, add rows, copy those of others, delete: each row that stands has its content at once."""
    draw, store, own, count = random.Random(seed), get_store(), [], 0
    run = runs.add(Run(workspace="local", task="count", state=RunState.SUCCEEDED), access=LOCAL)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        payload = draw.choice(PAYLOADS)
        began = time.monotonic()
        digest = store.put_bytes(payload)
        name = f"{count}"
        count += 1
        keep(run.id, name, digest)
        if time.monotonic() - began > GRACE_S / 2:
            store.put_bytes(payload)  # this machine was too busy for so short a grace period
        own.append((name, digest, payload))
        time.sleep(draw.random() * GRACE_S / 4)
        for name, digest, payload in own:
            try:
                if store.read_bytes(digest) != payload:
                    failures.append(f"{name} has another content")
            except Exception as error:  # noqa: BLE001
                failures.append(f"{name}: {error}")
        while len(own) > 2:
            artifacts.remove(run.id, own.pop(draw.randrange(len(own)))[0], access=LOCAL)
    if draw.random() < 0.5:
        deletion.delete("run", run.id, access=LOCAL)
        upkeep.purge(after_s=0)


def stress(seed: int, seconds: float) -> list[str]:
    failures: list[str] = []
    prefixes = sorted({digest[:2] for digest in map(ArtifactStore("memory://names").put_bytes, PAYLOADS)})
    done = threading.Event()

    def collect_on() -> None:
        while not done.is_set():
            try:
                upkeep.collect(prefixes, grace_s=GRACE_S)
            except Exception as error:  # noqa: BLE001
                failures.append(f"collector: {error}")

    threads: list[threading.Thread] = [
        threading.Thread(target=work, args=(seed + number, seconds, failures)) for number in range(3)
    ]
    collector = threading.Thread(target=collect_on)
    for thread in (collector, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    collector.join()
    return failures


def check_rows(store: ArtifactStore) -> None:
    with reading(INSTALLATION) as session:
        digests = set(session.exec(select(RunArtifact.digest)))
    assert all(store.exists(digest) for digest in digests)
    stored = {digest for prefix in PREFIXES for digest in store.stored_before(prefix, float("inf"))}
    collect(*stored)
    assert {digest for digest in stored if store.stored(digest)} == digests


def test_threads_that_store_and_delete_while_contents_are_collected(store: ArtifactStore) -> None:
    assert stress(1, 0.8) == []
    check_rows(store)


@pytest.mark.nightly
def test_processes_that_store_and_delete_while_contents_are_collected(home: Path) -> None:
    identify()
    command = (
        "import sys; from tests.unit.test_collector import stress; "
        "sys.exit('; '.join(stress(int(sys.argv[1]), 15)) or 0)"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", command, str(seed)], stderr=subprocess.PIPE, text=True)
        for seed in (10, 20, 30)
    ]
    assert [(process.communicate(timeout=120)[1], process.returncode) for process in processes] == [("", 0)] * 3
    check_rows(get_store())
