"""Checkpoints in the store: what is copied of a working folder that changes meanwhile, and what is put back where."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.access import LOCAL
from core.catalog import Run, RunArtifact, RunState, artifacts, checkpoints, runs
from core.errors import JobError, StorageError
from core.jobs.checkpoints import CheckpointKeeper, mark_attempt, restore
from core.storage import get_store


@pytest.fixture
def run(installation, tmp_path: Path) -> Iterator[Run]:
    """A search that works, on a storage that other hosts use."""
    with installation(tmp_path / "home", STORAGE=str(tmp_path / "storage")):
        values = {"workspace": "local", "task": "automl", "state": RunState.RUNNING, "claim_token": "ours"}
        yield runs.add(Run(**values), access=LOCAL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder of the run on the node that works on it."""
    made = tmp_path / "node"
    (made / "work" / "search" / "oof").mkdir(parents=True)
    return made


def save(run: Run, folder: Path) -> dict[str, bytes]:
    """Store the checkpoint of a folder, and return what is stored by path."""
    CheckpointKeeper(run, folder, "ours").finish()
    return stored(run)


def stored(run: Run) -> dict[str, bytes]:
    """Return the contents of a run's checkpoint by path."""
    return {path: get_store().read_bytes(row.digest) for path, row in checkpoints.files(run.id).items()}


def test_only_what_the_task_names_is_stored_and_nobody_sees_it(run: Run, folder: Path) -> None:
    work = folder / "work" / "search"
    for name in ("events.jsonl", "search.key", "oof/1.npy", "oof/2.npy.partial", "X.npy", "fit1"):
        (work / name).write_bytes(name.encode())
    assert set(save(run, folder)) == {
        *("search/events.jsonl", "search/search.key", "search/oof/1.npy", "search/fit1", ".attempt")
    }
    assert artifacts.find(run.id, access=LOCAL) == []


def test_what_has_changed_is_stored_again_and_what_is_gone_goes(run: Run, folder: Path) -> None:
    oof = folder / "work" / "search" / "oof"
    (oof / "1.npy").write_bytes(b"one")
    (oof / "2.npy").write_bytes(b"two")
    keeper = CheckpointKeeper(run, folder, "ours")
    keeper.finish()
    digest = checkpoints.files(run.id)["search/oof/1.npy"].digest
    (oof / "1.npy").write_bytes(b"one, changed")
    (oof / "2.npy").unlink()
    keeper.finish()
    assert stored(run)["search/oof/1.npy"] == b"one, changed"
    assert "search/oof/2.npy" not in stored(run)
    assert not get_store().stored(digest), "it is set aside, and need not wait for the end of the run"


def test_a_later_process_removes_what_an_earlier_one_stored(run: Run, folder: Path) -> None:
    oof = folder / "work" / "search" / "oof"
    (oof / "1.npy").write_bytes(b"one")
    save(run, folder)
    (oof / "1.npy").rename(oof / "3.npy")
    assert set(save(run, folder)) == {"search/oof/3.npy", ".attempt"}


def test_a_claim_that_is_void_changes_nothing(run: Run, folder: Path) -> None:
    (folder / "work" / "search" / "fit1").write_bytes(b"x")
    CheckpointKeeper(run, folder, "theirs").finish()
    assert checkpoints.files(run.id) == {}
    with pytest.raises(JobError):
        checkpoints.replace(run, "theirs", {"a": ("0" * 64, 1)}, set())


@pytest.mark.parametrize("inside", [True, False])
def test_links_lead_nowhere(run: Run, folder: Path, tmp_path: Path, inside: bool) -> None:
    secret = tmp_path / "secrets"
    secret.mkdir()
    (secret / "fit1").write_bytes(b"secret")
    search = folder / "work" / "search"
    if inside:
        (search / "fit1").symlink_to(secret / "fit1")
        (search / "oof" / "x").symlink_to(secret)
    else:
        (search / "oof").rmdir()
        search.rmdir()
        search.symlink_to(secret)
    assert b"secret" not in save(run, folder).values()


def test_a_pipe_keeps_nobody_waiting(run: Run, folder: Path) -> None:
    os.mkfifo(folder / "work" / "search" / "fit1")
    assert save(run, folder) == {}


def during(monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> None:
    """Do something once the files are listed, before the first of them is copied."""
    from core.jobs import checkpoints as module

    listed = module._files

    def files(*arguments):
        result = listed(*arguments)
        action()
        return result

    monkeypatch.setattr(module, "_files", files)


def test_a_journal_is_stored_as_it_was_when_the_files_that_it_names_were_listed(run, folder, monkeypatch) -> None:
    journal = folder / "work" / "search" / "events.jsonl"
    journal.write_bytes(b'{"trial": 1}\n')
    during(monkeypatch, lambda: journal.write_bytes(b'{"trial": 1}\n{"trial": 2}\n'))
    assert save(run, folder)["search/events.jsonl"] == b'{"trial": 1}\n'


def test_a_file_that_is_replaced_meanwhile_is_stored_whole(run, folder, monkeypatch) -> None:
    file = folder / "work" / "search" / "search.key"
    file.write_bytes(b"old")
    during(monkeypatch, lambda: file.write_bytes(b"new and longer"))
    assert save(run, folder)["search/search.key"] == b"new and longer"


def test_a_file_that_is_removed_meanwhile_is_left_out(run, folder, monkeypatch) -> None:
    oof = folder / "work" / "search" / "oof"
    for name in "12":
        (oof / f"{name}.npy").write_bytes(name.encode())
    during(monkeypatch, (oof / "1.npy").unlink)
    assert set(save(run, folder)) == {"search/oof/2.npy", ".attempt"}


def test_a_checkpoint_is_put_where_there_is_none_or_an_older_one(run: Run, folder: Path, tmp_path: Path) -> None:
    (folder / "work" / "search" / "oof" / "1.npy").write_bytes(b"one")
    mark_attempt(run, folder)
    save(run, folder)
    assert restore(run, folder) is None, "the files of this attempt are here"
    elsewhere = tmp_path / "another"
    elsewhere.mkdir()
    assert restore(run, elsewhere) == 1
    assert (elsewhere / "work" / "search" / "oof" / "1.npy").read_bytes() == b"one"
    run.attempt = 2
    (folder / "work" / "search" / "oof" / "2.npy").write_bytes(b"two")
    save(run, folder)
    mark_attempt(Run(workspace="local", task="automl", attempt=1), elsewhere)
    (elsewhere / "work" / "left").write_bytes(b"of the first attempt")
    assert restore(run, elsewhere) == 2
    assert not (elsewhere / "work" / "left").exists()


@pytest.mark.parametrize("path", ["/etc/cron.d/evil", "../../evil", "search/../../../evil"])
def test_a_checkpoint_writes_nothing_outside_of_the_folder(run: Run, tmp_path: Path, path: str) -> None:
    digest = get_store().put_bytes(b"evil")
    index = get_store().put_bytes(b'{"attempt": 9}')
    for name, content in ((f".work/{path}", digest), (".work/.attempt", index)):
        row = RunArtifact(workspace="local", run_id=run.id, name=name, digest=content, size_bytes=4)
        artifacts.add(row, access=LOCAL)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    with pytest.raises(StorageError, match="which is outside of it"):
        restore(run, inner)
    assert not list(tmp_path.rglob("*evil*"))


def test_a_content_that_is_gone_is_said(run: Run, folder: Path, tmp_path: Path) -> None:
    (folder / "work" / "search" / "fit1").write_bytes(b"one")
    save(run, folder)
    get_store().delete(checkpoints.files(run.id)["search/fit1"].digest)
    with pytest.raises(StorageError):
        restore(run, tmp_path / "another")
