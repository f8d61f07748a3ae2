"""Artifacts, addressed by the SHA-256 of their content, on any file system that fsspec knows.

A file is written under a temporary name and renamed when it is whole, so a reader never sees half of one.
The same content is kept once, and storing it again renews its age.

A content that no row seems to need is not removed, but *set aside*: moved to another folder of the store. Whoever asks
for it puts it back. Only what stays there for long is removed (`core.upkeep`), so that a content never goes
between the moment it is stored and the moment a row names it, however many processes store, read and collect.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import lru_cache, wraps
from pathlib import Path
from typing import IO, ParamSpec, TypeVar

import fsspec

from core.errors import SettingsError, StorageError
from core.files import atomic_write, os_errors_explained
from core.settings import get_settings
from core.storage_errors import StorageAwayError, missing_package, store_errors_explained

__all__ = ["PREFIXES", "ArtifactStore", "be_patient", "get_store", "store_for"]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

PREFIXES = tuple(f"{number:02x}" for number in range(256))
"""First two digits of all digests: contents are listed by them."""

_CHUNK = 1 << 20
_MARK = "catalog.id"
_WITH_BUCKETS = {
    "s3",
    "s3a",
    "gs",
    "gcs",
    "abfs",
    "az",
}  # the first part of a path there is a bucket, and folders are none


_patience_s = 0.0
_PAUSE_S = 1.0
_log = logging.getLogger(__name__)


def be_patient(seconds: float) -> None:
    """Let this process wait for a remote store that cannot be reached, for as long as this, before it says so.

    For processes that work for long and would lose that work. Pages say at once that the store is away.
    """
    global _patience_s
    _patience_s = seconds


def _patiently(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Repeat a method whose store cannot be reached until it can, or the patience of the process is over."""

    @wraps(function)
    def repeated(*arguments: Parameters.args, **options: Parameters.kwargs) -> Result:
        give_up = time.monotonic() + _patience_s
        while True:
            try:
                return function(*arguments, **options)
            except StorageAwayError as error:
                if time.monotonic() >= give_up:
                    raise
                _log.warning("%s Trying again.", error.message)
                time.sleep(_PAUSE_S)

    return repeated


class ArtifactStore:
    """Content-addressed files below one URL.

    Parameters
    ----------
    url : str
        A folder, or any URL that fsspec can write to.

    Examples
    --------
    >>> store = ArtifactStore("memory://example")
    >>> digest = store.put_bytes(b"plumb")
    >>> with store.open(digest) as file:
    ...     file.read()
    b'plumb'
    """

    def __init__(self, url: str) -> None:
        try:
            self._fs, self._root = fsspec.core.url_to_fs(url)
        except ImportError as error:
            raise missing_package(url, error) from error
        except ValueError as error:  # an unknown protocol
            raise SettingsError(
                f"PLUMBLINE_STORAGE cannot be used: {str(error).rstrip('.')}.",
                "Use a folder or a URL of fsspec, such as s3://bucket/folder, and install its package.",
            ) from error
        protocols = {self._fs.protocol} if isinstance(self._fs.protocol, str) else set(self._fs.protocol)
        self._local = "file" in protocols
        self._has_buckets = bool(protocols & _WITH_BUCKETS)

    def _explained(self, action: str) -> AbstractContextManager[None]:
        return store_errors_explained(action, remote=not self._local)

    def _path(self, digest: str) -> str:
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise StorageError(f"'{digest[:80]}' is not an artifact's address.", "Use the digest of a stored file.")
        return f"{self._root}/{digest[:2]}/{digest}"

    @_patiently
    def put_bytes(self, data: bytes) -> str:
        """Store `data` and return its digest (hexadecimal SHA-256)."""
        digest = hashlib.sha256(data).hexdigest()
        self._store(digest, lambda file: file.write(data))
        return digest

    @_patiently
    def put_file(self, path: str | Path) -> str:
        """Store a copy of a local file and return its digest.

        Raises
        ------
        StorageError
            When the file cannot be read or the store cannot be written; nothing is left behind.
        """
        with os_errors_explained(f"Reading {Path(path).name}"), open(path, "rb") as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
            source.seek(0)
            self._store(digest, lambda file: shutil.copyfileobj(source, file, _CHUNK))
        return digest

    def _store(self, digest: str, write: Callable[[IO[bytes]], object]) -> None:
        path = self._path(digest)
        with self._explained("Storing a file"):
            if self._renewed(path):
                return
            temporary = f"{self._root}/tmp/{secrets.token_hex(8)}"
            for folder in (f"{self._root}/tmp", path.rsplit("/", 1)[0]):
                self._make_folder(folder)
            try:
                with self._fs.open(temporary, "wb") as file:
                    write(file)
                    if self._local:
                        os.chmod(temporary, 0o600)
                        # else a power cut may leave an empty file under the final name
                        file.flush()
                        os.fsync(file.fileno())
                self._fs.mv(temporary, path)
            except BaseException:  # also a run that is being ended must leave nothing behind
                with contextlib.suppress(OSError, StorageError), self._explained("Removing a file"):
                    self._fs.rm(temporary)
                raise

    @property
    def url(self) -> str:
        """Folder or URL of the store."""
        return self._root if self._local else str(self._fs.unstrip_protocol(self._root))

    def mark(self) -> str | None:
        """Return the id of the catalog that the contents belong to; None when the store has no mark yet."""
        with self._explained("Reading the mark of the storage"):
            self._require_bucket()
            try:
                return bytes(self._fs.cat_file(f"{self._root}/{_MARK}")).decode("ascii", "replace").strip()
            except FileNotFoundError:
                return None

    def _require_bucket(self) -> None:
        """Raise StorageError where the store has no such bucket; none is made, as its name may be a mistake."""
        if not self._has_buckets:
            return
        bucket = self._root.split("/", 1)[0]
        try:
            self._fs.ls(bucket, detail=False, refresh=True)
        except FileNotFoundError as error:
            raise StorageError(
                f"The storage has no bucket '{bucket}'.",
                "Create it, or correct PLUMBLINE_STORAGE; Plumbline creates none.",
            ) from error

    def set_mark(self, catalog: str) -> None:
        """Note which catalog the contents belong to."""
        with self._explained("Marking the storage"):
            self._make_folder(self._root)
            self._fs.pipe_file(f"{self._root}/{_MARK}", catalog.encode())

    def has_content(self) -> bool:
        """Return whether there is any content."""
        with self._explained("Looking into the storage"):
            try:
                folders = self._fs.ls(self._root, detail=False)
            except FileNotFoundError:
                return False
            return any(
                len(name) == 2 and bool(self._fs.ls(folder, detail=False))
                for folder in folders
                if (name := folder.rstrip("/").rsplit("/", 1)[-1])
            )

    def _make_folder(self, path: str) -> None:
        if self._local:
            os.makedirs(path, mode=0o700, exist_ok=True)
        elif not self._has_buckets:
            self._fs.makedirs(path, exist_ok=True)

    def _renewed(self, path: str) -> bool:
        """Renew the age of a stored content; return whether it is stored, and as young as one that is written now."""
        try:
            if self._local:
                os.utime(path)
            elif time.time() - self._modified(path) > get_settings().content_grace_s / 100:
                return False  # most stores can renew a file only by writing it
        except FileNotFoundError:
            return False
        return bool(self._fs.exists(path))  # it may have been set aside just before its age was renewed

    def _modified(self, path: str) -> float:
        self._fs.invalidate_cache()
        return float(self._fs.modified(path).timestamp())

    def exists(self, digest: str) -> bool:
        """Return whether the content can be read; if it was set aside, it is put back."""
        return self.stored(digest) or self.put_back(digest)

    @_patiently
    def stored(self, digest: str) -> bool:
        """Return whether the content is stored and not set aside."""
        with self._explained("Looking for a stored file"):
            return bool(self._fs.exists(self._path(digest)))

    @_patiently
    def size(self, digest: str) -> int:
        """Return the size of a stored content in bytes; 0 when it is missing."""
        with self._explained("Looking for a stored file"):
            try:
                return int(self._fs.size(self._path(digest)) or 0)
            except FileNotFoundError:
                return 0

    @_patiently
    def open(self, digest: str) -> IO[bytes]:
        """Open the content for reading.

        Raises
        ------
        StorageError
            When it is missing.
        """
        with self._explained("Reading a stored file"):
            try:
                file: IO[bytes] = self._fs.open(self._path(digest), "rb")
            except FileNotFoundError:
                if not self.put_back(digest):
                    raise
                file = self._fs.open(self._path(digest), "rb")
            return file

    @_patiently
    def read_bytes(self, digest: str) -> bytes:
        """Return the whole content."""
        with self.open(digest) as file:
            return file.read()

    @_patiently
    def local_path(self, digest: str) -> Path:
        """Return a local, read-only file with the content; that of a remote store is fetched first."""
        if self._local:
            path = Path(self._path(digest))
            if not path.exists() and not self.put_back(digest):
                raise StorageError("Reading a stored file: the file is missing.", "It may have been removed by hand.")
            return path
        path = self.cache / self._path(digest).rsplit("/", 1)[1]
        try:
            os.utime(path)  # what was not used for long is removed first
        except FileNotFoundError:
            with self._explained("Fetching a stored file"):
                path.parent.mkdir(parents=True, exist_ok=True)
                with self.open(digest) as source, atomic_write(path) as partial, open(partial, "wb") as target:
                    shutil.copyfileobj(source, target, _CHUNK)
        return path

    @property
    def cache(self) -> Path:
        """Folder with the contents of a remote store that were fetched to this machine."""
        return get_settings().home.absolute() / "cache"

    def stored_before(self, prefix: str, at: float, *, since: float = 0.0) -> list[str]:
        """Return the contents with this prefix, one of `PREFIXES`, that were stored last before a time.

        Those that were stored last before `since` are left out.
        """
        with self._explained("Listing stored files"):
            self._fs.invalidate_cache()
            paths = [path for path in self._fs.find(f"{self._root}/{prefix}", maxdepth=1) if len(_name(path)) == 64]
            return [_name(path) for path in paths if self._older(path, at, since)]

    def _older(self, path: str, at: float, since: float = 0.0) -> bool:
        try:
            return since <= self._modified(path) < at
        except FileNotFoundError:  # another process set it aside
            return False

    def set_aside(self, digest: str, before: float) -> bool:
        """Move a content out of the way, unless it was stored again since `before`; return whether it was moved."""
        path = self._path(digest)
        aside = f"{self._aside(digest[:2])}/{digest}.{time.time_ns() // 1_000_000}"
        with self._explained("Setting a file aside"):
            self._make_folder(aside.rsplit("/", 1)[0])
            if not self._older(path, before):
                return False
            with contextlib.suppress(FileNotFoundError):
                self._fs.mv(path, aside)
                return True
        return False

    @_patiently
    def put_back(self, digest: str) -> bool:
        """Put back a content that was set aside; return whether it is stored."""
        path = self._path(digest)
        with self._explained("Looking for a stored file"):
            for aside, _ in self._listed_aside(digest):
                with contextlib.suppress(FileNotFoundError):  # another process was first
                    self._fs.mv(aside, path)
                    break
            return bool(self._fs.exists(path))

    def set_aside_before(self, prefix: str, at: float) -> list[str]:
        """Return the contents with this prefix, one of `PREFIXES`, that were set aside before a time."""
        with self._explained("Listing stored files"):
            return sorted({_name(path)[:64] for path, since in self._listed_aside(prefix) if since < at})

    def delete_aside(self, digest: str, before: float) -> None:
        """Remove what was set aside of a content before a time."""
        with self._explained("Removing a file"):
            for path, since in self._listed_aside(digest):
                with contextlib.suppress(FileNotFoundError):
                    if since < before:
                        self._fs.rm(path)

    def delete_unfinished(self, prefix: str, before: float) -> None:
        """Remove what processes left that were ended while they stored it; its random name has this prefix."""
        with self._explained("Removing a file"):
            self._fs.invalidate_cache()
            for path in self._fs.find(f"{self._root}/tmp"):
                if _name(path).startswith(prefix) and self._older(path, before):
                    with contextlib.suppress(FileNotFoundError):
                        self._fs.rm(path)

    def _aside(self, prefix: str) -> str:
        return f"{self._root}/aside/{prefix}"

    def _listed_aside(self, start: str) -> list[tuple[str, float]]:
        """Return path and time of what was set aside and begins with these digits, the last one first."""
        self._fs.invalidate_cache()
        paths = [path for path in self._fs.find(self._aside(start[:2])) if _name(path).startswith(start)]
        timed = [(path, int(path.rsplit(".", 1)[1]) / 1000) for path in paths]
        return sorted(timed, key=lambda item: item[1], reverse=True)

    def delete(self, digest: str) -> None:
        """Remove the content at once, whoever needs it; content that is missing already is not an error."""
        with self._explained("Removing a file"), contextlib.suppress(FileNotFoundError):
            self._fs.rm(self._path(digest))
        self.delete_aside(digest, before=float("inf"))
        if not self._local:
            (self.cache / digest).unlink(missing_ok=True)


def _name(path: str) -> str:
    return path.rsplit("/", 1)[1]


@lru_cache(maxsize=8)
def store_for(url: str) -> ArtifactStore:
    """Return the artifact store at a URL, opened once per process."""
    return ArtifactStore(url)


def get_store() -> ArtifactStore:
    """Return the installation's artifact store."""
    return store_for(get_settings().storage_url)
