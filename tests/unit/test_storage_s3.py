"""A store on S3, by moto's server: its contents, and its errors in words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.nginx import free_port
from core import backup
from core import installation as installations
from core.access import LOCAL
from core.catalog import Dataset, datasets
from core.errors import StorageError
from core.storage import ArtifactStore, get_store, store_for
from tests.servers import KEYS, moto

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an S3 server with the bucket `plumb`."""
    import s3fs

    with moto(tmp_path_factory.mktemp("s3")) as address, pytest.MonkeyPatch.context() as patch:
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": address}.items():
            patch.setenv(name, value)
        s3fs.S3FileSystem(endpoint_url=address).mkdir("plumb")
        yield address


@pytest.fixture(autouse=True)
def _no_earlier_connection() -> None:
    """Let each test take address and keys from its own environment."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    store_for.cache_clear()


def fresh(url: str) -> ArtifactStore:
    """Return a store that takes its address and keys from the environment of now."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    return ArtifactStore(url)


def test_contents_are_kept_put_aside_and_removed_with_every_copy(s3: str, installation: Any, tmp_path: Path) -> None:
    with installation(tmp_path / "home", STORAGE="s3://plumb/one"):
        store_for.cache_clear()
        assert installations.check() == ()
        store = get_store()
        digest = store.put_bytes(b"plumb" * 1_000)
        assert store.put_bytes(b"plumb" * 1_000) == digest
        copy = store.local_path(digest)
        assert copy.read_bytes() == store.read_bytes(digest) == b"plumb" * 1_000
        assert store.set_aside(digest, before=time.time() + 1)
        assert not store.stored(digest)
        assert store.exists(digest)
        store.delete(digest)
        assert not store.exists(digest)
        assert not copy.exists()
        assert [path for path in store._fs.find("plumb/one") if digest in path] == []


def test_a_bucket_that_is_missing_is_refused_and_not_made(s3: str, installation: Any, tmp_path: Path) -> None:
    import s3fs

    with installation(tmp_path / "home", STORAGE="s3://plump/one"):
        store_for.cache_clear()
        for use in (installations.check, get_store().mark):
            with pytest.raises(StorageError, match="has no bucket 'plump'") as caught:
                use()
            assert "Create it, or correct PLUMBLINE_STORAGE" in caught.value.hint
        with pytest.raises(StorageError):
            get_store().put_bytes(b"x")
    assert s3fs.S3FileSystem(endpoint_url=s3).ls("") == ["plumb"]


def test_a_server_that_is_away_is_said_to_be(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    store = fresh("s3://plumb/one")
    digest = "0" * 64
    for use in (
        store.mark,
        lambda: store.put_bytes(b"x"),
        lambda: store.exists(digest),
        lambda: store.read_bytes(digest),
        lambda: store.delete(digest),
        lambda: store.stored_before("00", 1.0),
    ):
        with pytest.raises(StorageError, match="the storage cannot be reached") as caught:
            use()
        assert "AWS_ENDPOINT_URL" in caught.value.hint
        assert "127.0.0.1" not in str(caught.value)


def test_wrong_keys_are_said_to_be_refused(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with moto(tmp_path, INITIAL_NO_AUTH_ACTION_COUNT="0") as strict:
        monkeypatch.setenv("AWS_ENDPOINT_URL", strict)
        store = fresh("s3://plumb/one")
        for use in (store.mark, lambda: store.put_bytes(b"x"), lambda: store.read_bytes("0" * 64)):
            with pytest.raises(StorageError, match="the storage refuses the keys") as caught:
                use()
            assert "AWS_ACCESS_KEY_ID" in caught.value.hint


def test_a_backup_has_the_contents_of_a_bucket_and_is_restored_to_another_place(
    s3: str, installation: Any, tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar"
    with installation(tmp_path / "home", STORAGE="s3://plumb/first"):
        assert installations.check() == ()
        digests = [get_store().put_bytes(bytes([i]) * 100_000) for i in range(5)]
        for digest in digests[:3]:
            values = {"data_digest": digest, "profile_digest": digest, "fingerprint": digest}
            datasets.add(
                Dataset(name=digest, workspace="local", rows=1, columns=1, size_bytes=1, **values), access=LOCAL
            )
        assert get_store().set_aside(digests[0], before=time.time() + 1)  # although a row needs it
        manifest = backup.make(file)
    assert manifest.contents == 5
    for storage in ("s3://plumb/second", str(tmp_path / "folder")):
        with installation(tmp_path / storage.rsplit("/", 1)[1], STORAGE=storage):
            assert backup.restore(file) == manifest
            assert [get_store().read_bytes(digest) for digest in digests] == [bytes([i]) * 100_000 for i in range(5)]
            assert {row.data_digest for row in datasets.find(access=LOCAL)} == set(digests[:3])
            with pytest.raises(StorageError, match="There is a catalog already"):
                backup.restore(file)
    with (
        installation(tmp_path / "new", STORAGE="s3://plumb/second"),
        pytest.raises(StorageError, match="stored files already"),
    ):
        backup.restore(file)
