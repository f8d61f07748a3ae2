"""Folders as sources: which files are new, that each comes once, and what may be read in which profile."""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec
import pytest

from core.batch_sources import SOURCE_KINDS, check_source, database, folder, look_at, reach, source_settings
from core.batch_sources.folder import MAX_LISTED
from core.credentials import scrubbed
from core.errors import DeniedError, InputError, LimitError, PlumblineError, RemoteError, SettingsError


def write(path: Path, text: str = "a\n1\n", at: float = 1_000.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (at, at))
    return path


def look(folder: Path | str, before: dict[str, Any] | None = None, **values: Any) -> Any:
    return look_at("folder", {"url": str(folder), **values}, before or {}, workspace="local")


def test_files_are_new_by_name_size_and_time_and_come_the_oldest_first(use, tmp_path):
    use()
    folder = tmp_path / "scored"
    write(folder / "b.csv", at=20)
    write(folder / "a.csv", at=30)
    write(folder / "note.txt")
    write(folder / ".hidden.csv")
    write(folder / "inner" / "c.csv", at=10)
    first = look(folder, pattern="*.csv")
    assert [(batch.name, batch.at) for batch in first.batches] == [("b.csv", 20), ("a.csv", 30)]
    assert first.fetch(first.batches[0], tmp_path).read_text() == "a\n1\n"
    first.brought(first.batches[0])
    second = look(folder, first.state(), pattern="*.csv")
    assert [batch.name for batch in second.batches] == ["a.csv"]
    second.brought(second.batches[0])
    write(folder / "b.csv", "a\n2\n", at=40)
    third = look(folder, second.state(), pattern="*.csv")
    assert [batch.name for batch in third.batches] == ["b.csv"], "a file that changed is another batch"
    deep = look(folder, pattern="**/*.csv")
    assert [batch.name for batch in deep.batches] == ["inner/c.csv", "a.csv", "b.csv"]
    (folder / "a.csv").unlink()
    assert look(folder, third.state(), pattern="*.csv").state()["files"].keys() == {"b.csv"}


def test_a_file_that_may_still_be_written_waits(use, tmp_path):
    use()
    path = write(tmp_path / "scored" / "a.csv")
    os.utime(path)
    waiting = look(path.parent, settle_s=600)
    assert waiting.batches == ()
    assert waiting.notes == ("1 file changed within the last 600 s and may not be whole.",)
    assert len(look(path.parent, settle_s=0).batches) == 1


def test_a_file_that_changes_while_it_is_read_is_not_brought(use, tmp_path):
    use()
    path = write(tmp_path / "scored" / "a.csv")
    seen = look(path.parent)
    write(path, "a\n1\n2\n", at=2_000)
    with pytest.raises(InputError, match=r"'a\.csv' changed while it was read"):
        seen.fetch(seen.batches[0], tmp_path)


def test_bounds_of_a_check(use, tmp_path, monkeypatch):
    use()
    folder = tmp_path / "scored"
    for number in range(5):
        write(folder / f"{number}.csv", at=number)
    some = look(folder, max_files=2)
    assert [batch.name for batch in some.batches] == ["0.csv", "1.csv"]
    assert some.notes == ("3 files more than one check brings.",)
    big = write(folder / "5.csv", "x" * 1_100_000)
    seen = look(folder, max_file_mb=1)
    (chosen,) = [batch for batch in seen.batches if batch.name == big.name]
    with pytest.raises(LimitError, match=r"'5\.csv' is larger than 1 MB"):
        seen.fetch(chosen, tmp_path)
    monkeypatch.setattr("core.batch_sources.folder.MAX_LISTED", 5)
    with pytest.raises(LimitError, match="more than 5 files"):
        look(folder)
    assert MAX_LISTED == 10_000


def test_what_failed_is_tried_again_after_what_was_not_tried(use, tmp_path):
    use()
    folder = tmp_path / "scored"
    write(folder / "bad.csv", at=1)
    write(folder / "good.csv", at=2)
    first = look(folder, max_files=1)
    first.failed(first.batches[0])
    second = look(folder, first.state(), max_files=1)
    assert [batch.name for batch in second.batches] == ["good.csv"], "a bad file holds up no other"
    second.brought(second.batches[0])
    assert [batch.name for batch in look(folder, second.state()).batches] == ["bad.csv"]


@pytest.mark.parametrize("seed", range(8))
def test_every_file_is_brought_exactly_once_whatever_fails(use, tmp_path, seed):
    use()
    draw = random.Random(seed)
    folder = tmp_path / "scored"
    folder.mkdir()
    written: list[tuple[str, str]] = []
    brought: list[tuple[str, str]] = []
    state: dict[str, Any] = {}
    at = 0

    def check(fails: float) -> None:
        nonlocal state
        seen = look(folder, state, max_files=3)
        came: list[tuple[str, str]] = []
        for batch in seen.batches:
            if draw.random() < fails / 2:
                return  # killed: nothing of this check is kept
            if draw.random() < fails:
                seen.failed(batch)
                continue
            came.append((batch.name, seen.fetch(batch, tmp_path).read_text()))
            seen.brought(batch)
        if draw.random() < fails / 2:
            return
        brought.extend(came)
        state = seen.state()

    for _ in range(12):
        for _ in range(draw.randrange(4)):
            at += 1
            name, text = f"{draw.randrange(8)}.csv", f"a\n{at}\n"
            if (folder / name).exists() and (name, (folder / name).read_text()) not in brought:
                continue  # it would be overwritten before anybody could read it
            write(folder / name, text, at=at)
            written.append((name, text))
        check(0.5)
    for _ in range(len(written)):
        check(0.0)
    assert sorted(brought) == sorted(written)


def test_other_file_systems(use, tmp_path):
    use()
    with fsspec.open("memory://sources/x/a.csv", "w") as file:
        file.write("a\n1\n")
    seen = look("memory://sources/x", settle_s=0)
    assert [batch.name for batch in seen.batches] == ["a.csv"]
    assert seen.fetch(seen.batches[0], tmp_path).read_text() == "a\n1\n"
    seen.brought(seen.batches[0])
    assert look("memory://sources/x", seen.state(), settle_s=0).batches == ()
    path = write(tmp_path / "scored" / "a.csv")
    assert [batch.name for batch in look(f"file://{path.parent}").batches] == ["a.csv"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("scored", "not the whole path"),
        ("~/scored", "not the whole path"),
        ("zip://a::file:///etc", "several file systems"),
        ("sftp://ann:secret@host/x", "holds a user or a password"),
        ("nosuch://x", "cannot be used with these options"),
        ("b@d://x", "is not a protocol"),
    ],
)
def test_addresses_that_cannot_be_used_are_refused(use, url, said):
    use()
    with pytest.raises(PlumblineError, match=said) as refused:
        check_source("folder", {"url": url}, workspace="local")
    assert "secret" not in str(refused.value)
    assert refused.value.hint


def test_a_folder_that_is_not_there_is_said_so(use, tmp_path):
    use()
    with pytest.raises(InputError, match="The folder cannot be read: it does not exist"):
        look(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["team", "demo"])
def test_where_several_people_use_it_only_listed_folders_are_read(use, tmp_path, name):
    listed, other = tmp_path / "listed", tmp_path / "other"
    write(other / "secret.csv")
    write(listed / "a.csv")
    (listed / "link.csv").symlink_to(other / "secret.csv")
    (listed / "folder").symlink_to(other)
    use(PROFILE=name, VISITOR_SECRET="s" * 32, SOURCE_FOLDERS=listed)
    seen = look(listed)
    assert sorted(batch.name for batch in seen.batches) == ["a.csv", "link.csv"]
    for batch in seen.batches:
        if batch.name == "a.csv":
            seen.fetch(batch, tmp_path)
        else:
            with pytest.raises(DeniedError, match="Files of the server are not read"):
                seen.fetch(batch, tmp_path)
    for url in (other, listed / "folder", listed / ".." / "other", f"file://{other}", f"local://{other}", "/"):
        with pytest.raises(DeniedError, match="Files of the server are not read"):
            check_source("folder", {"url": str(url)}, workspace="sales")
    for url in ("memory://x", "http://127.0.0.1/x", "sftp://host/x", "github://a:b@/x", "reference://x", "dir://x"):
        with pytest.raises((DeniedError, InputError)):
            check_source("folder", {"url": url}, workspace="sales")
    with pytest.raises(DeniedError, match="with the rights of the server"):
        check_source("folder", {"url": "s3://bucket/x"}, workspace="sales")


def test_endpoints_of_object_stores_lead_to_the_internet(use):
    pytest.importorskip("s3fs")
    use(
        PROFILE="team",
        SECRET_FILES_INSIDE='{"endpoint_url": "http://127.0.0.1:9000", "key": "k", "secret": "inner secret"}',
        SECRET_FILES_NESTED='{"client_kwargs": {"endpoint_url": "http://10.0.0.7"}}',
        SECRET_FILES_PUBLIC='{"anon": true}',
        SECRET_FILES_WRONG="inner secret",
        SECRET_WEBHOOK_A="x" * 16,
    )
    for name in ("FILES_INSIDE", "FILES_NESTED"):
        with pytest.raises(DeniedError, match="PLUMBLINE_OUTBOUND_HOSTS"):
            check_source("folder", {"url": "s3://bucket/x", "credential": name}, workspace="sales")
    check_source("folder", {"url": "s3://bucket/x", "credential": "FILES_PUBLIC"}, workspace="sales")
    with pytest.raises(SettingsError, match="FILES_WRONG is not a JSON object") as wrong:
        check_source("folder", {"url": "s3://bucket/x", "credential": "FILES_WRONG"}, workspace="sales")
    assert "inner" not in str(wrong.value)
    with pytest.raises(InputError, match="not one of this kind of source"):
        check_source("folder", {"url": "s3://bucket/x", "credential": "WEBHOOK_A"}, workspace="sales")
    with pytest.raises(SettingsError, match="FILES_MISSING is not set"):
        check_source("folder", {"url": "s3://bucket/x", "credential": "FILES_MISSING"}, workspace="sales")


def test_errors_of_a_file_system_hold_none_of_its_options(use, tmp_path, monkeypatch):
    use()

    def refuse(*_: Any, **__: Any) -> Any:
        raise RuntimeError("key=inner secret")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.ls", refuse)
    with pytest.raises(RemoteError, match="The folder cannot be read: RuntimeError") as failed:
        look("memory://other")
    assert "secret" not in str(failed.value)


def test_settings_of_a_source_are_typed():
    with pytest.raises(SettingsError, match="max_files"):
        source_settings("folder", {"url": "/x", "max_files": 0})
    with pytest.raises(SettingsError, match="Unknown kind of source 'ftp'"):
        source_settings("ftp", {})


def test_times_that_a_store_rounds_are_no_change():
    listed = {"size": 12, "LastModified": datetime(2026, 3, 1, 12, 0, 0, 345_000, tzinfo=UTC), "ETag": '"5d41"'}
    asked = {"size": 12, "LastModified": datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC), "ETag": "5d41"}
    assert folder._stamp(listed) == folder._stamp(asked)
    assert folder._stamp(listed) != folder._stamp(listed | {"ETag": '"7d79"'})
    local = {"size": 12, "mtime": 1_767_225_600.5}
    assert folder._stamp(local) != folder._stamp(local | {"mtime": 1_767_225_600.6})


@pytest.mark.parametrize("pattern", ["2026/*.csv", "**/2026/*.csv", "/*.csv"])
def test_a_pattern_with_a_folder_is_refused(pattern):
    with pytest.raises(InputError, match="has a folder in it"):
        source_settings("folder", {"url": "/srv", "pattern": pattern})
    assert source_settings("folder", {"url": "/srv", "pattern": "**/*.csv"}).pattern == "**/*.csv"


@pytest.mark.parametrize("kind", ["folder", "query"])
def test_a_secret_in_the_field_of_its_name_is_not_repeated(kind):
    secret = "postgresql+psycopg://report:Hunter2-very-secret@db.example.org/sales-of-the-year-before-last"
    values = {"url": "/srv", "credential": secret, "query": "SELECT 1", "column": "id", "start": "0"}
    with pytest.raises(InputError) as error:
        source_settings(
            kind, {name: values[name] for name in SOURCE_KINDS[kind].settings.model_fields if name in values}
        )
    assert "Hunter2" not in f"{error.value}"
    assert "not the name of a credential" in error.value.message


def test_what_is_too_long_is_named_by_its_title():
    with pytest.raises(InputError, match="'Folder' has 3,000 characters"):
        source_settings("folder", {"url": "/" + "x" * 2_999})


def test_parts_of_a_credential_are_hidden(use, monkeypatch):
    monkeypatch.setenv(
        "PLUMBLINE_SECRET_FILES_S3", json.dumps({"key": "AKIA-1", "client_kwargs": {"token": "s3cr3t-x"}})
    )
    assert reach._options("FILES_S3", "local")["key"] == "AKIA-1"
    assert "s3cr3t-x" not in scrubbed("denied for s3cr3t-x (AKIA-1)")
    monkeypatch.setenv("PLUMBLINE_SECRET_SQL_A", "postgresql://ada:pa55word@db/sales")
    database._url("SQL_A", "local")
    assert scrubbed("password pa55word is wrong") == "password [hidden] is wrong"
