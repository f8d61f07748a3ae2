"""Artifacts, addressed by the SHA-256 of their content, on any file system that fsspec knows.

A file is written under a temporary name and renamed when it is whole, so a reader never sees half of one.
The same content is kept once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import IO

import fsspec

from core.errors import SettingsError, StorageError
from core.files import atomic_write, os_errors_explained
from core.settings import get_settings

__all__ = ["ArtifactStore", "get_store", "store_for"]

_CHUNK = 1 << 20
_MARK = "catalog.id"


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
        except (ValueError, ImportError) as error:  # an unknown protocol, or its package is missing
            raise SettingsError(
                f"PLUMBLINE_STORAGE cannot be used: {str(error).rstrip('.')}.",
                "Use a folder or a URL of fsspec, such as s3://bucket/folder, and install its package.",
            ) from error
        self._local = "file" in ([self._fs.protocol] if isinstance(self._fs.protocol, str) else self._fs.protocol)

    def _path(self, digest: str) -> str:
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise StorageError(f"'{digest[:80]}' is not an artifact's address.", "Use the digest of a stored file.")
        return f"{self._root}/{digest[:2]}/{digest}"

    def put_bytes(self, data: bytes) -> str:
        """Store `data` and return its digest (hexadecimal SHA-256)."""
        digest = hashlib.sha256(data).hexdigest()
        self._store(digest, lambda file: file.write(data))
        return digest

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
        if self._fs.exists(path):
            return
        temporary = f"{self._root}/tmp/{secrets.token_hex(8)}"
        with os_errors_explained("Storing a file"):
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
                with contextlib.suppress(OSError):
                    self._fs.rm(temporary)
                raise

    @property
    def url(self) -> str:
        """Folder or URL of the store."""
        return self._root if self._local else str(self._fs.unstrip_protocol(self._root))

    def mark(self) -> str | None:
        """Return the id of the catalog that the contents belong to; None when the store has no mark yet."""
        with os_errors_explained("Reading the mark of the storage"):
            try:
                return bytes(self._fs.cat_file(f"{self._root}/{_MARK}")).decode("ascii", "replace").strip()
            except FileNotFoundError:
                return None

    def set_mark(self, catalog: str) -> None:
        """Note which catalog the contents belong to."""
        with os_errors_explained("Marking the storage"):
            self._make_folder(self._root)
            self._fs.pipe_file(f"{self._root}/{_MARK}", catalog.encode())

    def has_content(self) -> bool:
        """Return whether there is any content."""
        with os_errors_explained("Looking into the storage"):
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
        else:
            self._fs.makedirs(path, exist_ok=True)

    def exists(self, digest: str) -> bool:
        """Return whether the content is stored."""
        return bool(self._fs.exists(self._path(digest)))

    def open(self, digest: str) -> IO[bytes]:
        """Open the content for reading.

        Raises
        ------
        StorageError
            When it is missing.
        """
        with os_errors_explained("Reading a stored file"):
            file: IO[bytes] = self._fs.open(self._path(digest), "rb")
            return file

    def read_bytes(self, digest: str) -> bytes:
        """Return the whole content."""
        with self.open(digest) as file:
            return file.read()

    def local_path(self, digest: str) -> Path:
        """Return a local, read-only file with the content; that of a remote store is fetched first."""
        if self._local:
            path = Path(self._path(digest))
        else:
            source = self._path(digest)
            path = get_settings().home.absolute() / "cache" / digest
            if not path.exists():
                with os_errors_explained("Fetching a stored file"):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with atomic_write(path) as partial:
                        self._fs.get(source, str(partial))
        if not path.exists():
            raise StorageError("Reading a stored file: the file is missing.", "It may have been removed by hand.")
        return path

    def delete(self, digest: str) -> None:
        """Remove the content; content that is missing already is not an error."""
        with os_errors_explained("Removing a file"), contextlib.suppress(FileNotFoundError):
            self._fs.rm(self._path(digest))


@lru_cache(maxsize=8)
def store_for(url: str) -> ArtifactStore:
    """Return the artifact store at a URL, opened once per process."""
    return ArtifactStore(url)


def get_store() -> ArtifactStore:
    """Return the installation's artifact store."""
    return store_for(get_settings().storage_url)
