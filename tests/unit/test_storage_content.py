"""Artifacts: addressed by content, kept once, on any file system."""

import hashlib
import os
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SettingsError, StorageError
from core.storage import ArtifactStore, get_store


@pytest.fixture(params=["local", "memory"])
def store(request, tmp_path, home):
    yield ArtifactStore(str(tmp_path / "artifacts") if request.param == "local" else "memory://test-store")
    memory = fsspec.filesystem("memory")
    if memory.exists("/test-store"):
        memory.rm("/test-store", recursive=True)


def files(store):
    return sorted(store._fs.find(store._root))


def test_address_is_the_sha256_of_the_content(store, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"plumb" * 1_000_000)
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert store.put_file(path) == store.put_bytes(path.read_bytes()) == expected
    assert store.read_bytes(expected) == path.read_bytes() == store.local_path(expected).read_bytes()
    assert len(files(store)) == 1
    assert path.exists()


@given(data=st.binary(max_size=100))
def test_what_goes_in_comes_out(data):
    store = ArtifactStore("memory://property")
    assert store.read_bytes(store.put_bytes(data)) == data


def test_exists_and_delete(store):
    digest = store.put_bytes(b"x")
    assert store.exists(digest)
    store.delete(digest)
    store.delete(digest)
    assert not store.exists(digest)
    for ask in (store.open, store.read_bytes, store.local_path):
        with pytest.raises(StorageError, match="missing") as caught:
            ask(digest)
        assert caught.value.hint


@pytest.mark.parametrize(
    "digest",
    ["", "abc", "../" * 20 + "etc/passwd", "/etc/passwd", "a" * 63, "a" * 65, "A" * 64, "a" * 63 + "/", "." * 64],
)
def test_what_is_no_digest_is_refused_everywhere(store, digest):
    for ask in (store.exists, store.open, store.read_bytes, store.local_path, store.delete):
        with pytest.raises(StorageError, match="not an artifact's address"):
            ask(digest)


def test_missing_source_is_explained_and_changes_nothing(store, tmp_path):
    with pytest.raises(StorageError, match=r"Reading nothing.csv: the file is missing"):
        store.put_file(tmp_path / "nothing.csv")
    with pytest.raises(StorageError, match="directory"):
        store.put_file(tmp_path)
    assert files(store) == []


def test_folder_that_cannot_be_written_is_explained(tmp_path):
    (tmp_path / "file").write_text("in the way")
    store = ArtifactStore(str(tmp_path / "file" / "artifacts"))
    with pytest.raises(StorageError, match="Storing a file") as caught:
        store.put_bytes(b"x")
    assert "folder or the URL" in caught.value.hint


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), SystemExit(143)])
def test_write_that_is_broken_off_leaves_nothing(store, error, monkeypatch):
    def fail(*_args, **_options):
        raise error

    monkeypatch.setattr(store._fs, "mv", fail)
    with pytest.raises((StorageError, type(error))) as caught:
        store.put_bytes(b"x")
    if isinstance(error, OSError):
        assert "disk is full" in str(caught.value)
    assert files(store) == []


def test_remote_content_is_fetched_once_into_the_data_folder(home):
    store = ArtifactStore("memory://remote")
    digest = store.put_bytes(b"far away")
    path = store.local_path(digest)
    assert path.is_relative_to(home)
    before = path.stat()
    assert store.local_path(digest).stat() == before
    assert os.listdir(path.parent) == [digest]


def test_store_of_the_installation(installation, tmp_path):
    with installation(tmp_path / "home"):
        assert get_store() is get_store()
        digest = get_store().put_bytes(b"x")
        assert get_store().local_path(digest) == Path(tmp_path / "home" / "artifacts" / digest[:2] / digest)
    with installation(tmp_path / "home", STORAGE=str(tmp_path / "elsewhere")):
        assert not get_store().exists(digest)


@pytest.mark.parametrize(
    ("url", "said", "hint"),
    [
        ("s3://plumb/one", "which needs s3fs", "pip install -r requirements-server.txt"),
        ("gs://plumb/one", "which needs gcsfs", "pip install gcsfs"),
    ],
)
def test_a_missing_package_is_named_with_the_command(url, said, hint, monkeypatch):
    def missing(_url):
        raise ImportError("Install something to access it")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(SettingsError, match=said) as caught:
        ArtifactStore(url)
    assert caught.value.hint == hint
