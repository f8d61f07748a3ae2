"""The file of a backup: a tar with the copy of the catalog, the contents, and at its end a manifest of both."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter, ValidationError
from sqlmodel import select

from core.access import INSTALLATION
from core.backup import databases
from core.catalog import references
from core.catalog.engine import HEAD, reading
from core.catalog.tables import CatalogId
from core.errors import InputError, StorageError
from core.files import atomic_write, os_errors_explained
from core.private_folder import make_private
from core.settings import get_settings
from core.storage import PREFIXES, ArtifactStore, get_store

__all__ = ["Manifest", "check", "make", "restore"]

_CATALOG, _MANIFEST, _CONTENTS = "catalog", "manifest.json", "contents/"
_CHUNK = 1 << 20
_MANIFEST_BYTES = 1 << 20
_FOREVER = float("inf")


@dataclass(frozen=True)
class Manifest:
    """What a backup holds.

    Parameters
    ----------
    database : str
        Kind of the database.
    schema : str
        Version of its tables.
    catalog_id : str
        Id that the catalog shares with its storage.
    catalog_sha256 : str
        Hash of the copy of the catalog.
    contents : int
        Number of contents.
    size_bytes : int
        Size of the catalog's copy and of all contents (bytes).
    created_at : float
        Time at which the copy of the catalog was made (seconds since the epoch).
    """

    database: str
    schema: str
    catalog_id: str
    catalog_sha256: str
    contents: int
    size_bytes: int
    created_at: float


def make(target: Path) -> Manifest:
    """Write a backup, while servers and runs work.

    Raises
    ------
    StorageError
        When something cannot be read or written; then there is no file.
    """
    if target.exists():
        raise StorageError(f"{target} exists already.", "Choose another name.")
    store, kind = get_store(), databases.kind()
    with os_errors_explained("Writing the backup"), tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
        copy = Path(folder) / _CATALOG
        databases.dump(copy)  # first: see the package
        created_at = time.time()
        with copy.open("rb") as file:
            catalog_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size, number = copy.stat().st_size, 0
        with atomic_write(target) as partial, tarfile.open(partial, "w") as archive:
            partial.chmod(0o600)
            archive.add(copy, _CATALOG)
            for digest in _digests(store):
                data = _read(store, digest)
                if data is not None:  # else it was needed by no row, and removed just now
                    with data:
                        size += _add(archive, f"{_CONTENTS}{digest}", data)
                    number += 1
            manifest = Manifest(kind, HEAD, _catalog_id(), catalog_sha256, number, size, created_at)
            text = json.dumps(asdict(manifest)).encode()
            _add(archive, _MANIFEST, io.BytesIO(text))
    return manifest


def check(source: Path) -> Manifest:
    """Read a whole backup, and compare everything in it with its hash.

    Raises
    ------
    InputError
        When it is damaged, incomplete, or not a backup.
    """
    manifest, number, size, catalog = None, 0, 0, ""
    try:
        for name, file in _members(source):
            digest = hashlib.file_digest(file, "sha256").hexdigest() if name != _MANIFEST else ""
            if name == _MANIFEST:
                manifest = TypeAdapter(Manifest).validate_json(file.read(_MANIFEST_BYTES), strict=True)
                continue
            size += file.tell()
            if name == _CATALOG:
                catalog = digest
            elif name == f"{_CONTENTS}{digest}":
                number += 1
            else:
                raise _damaged(source, f"'{name[:80]}' is not what it was")
    except tarfile.TarError as error:
        raise _damaged(source, str(error)) from error
    except ValidationError as error:
        raise _damaged(source, "its manifest is not what it was") from error
    if manifest is None:
        raise _damaged(source, "its end is missing")
    if (manifest.catalog_sha256, manifest.contents, manifest.size_bytes) != (catalog, number, size):
        raise _damaged(source, "its parts are not those that it began with")
    return manifest


def restore(source: Path) -> Manifest:
    """Make an installation from a backup: contents first, then the catalog.

    Raises
    ------
    InputError
        When the backup is damaged or of another kind of database; nothing was changed then.
    StorageError
        When there is an installation already, or something cannot be written.
    """
    manifest, store = check(source), get_store()
    if manifest.database != databases.kind():
        raise InputError(
            f"The backup is of a catalog in {manifest.database}, and PLUMBLINE_DATABASE is {databases.kind()}.",
            f"Set PLUMBLINE_DATABASE to a new database of {manifest.database}.",
        )
    if manifest.schema > HEAD:
        raise InputError(
            f"The backup is of a newer version of Plumbline (schema {manifest.schema}).", "Update this one first."
        )
    databases.require_empty()
    if store.mark() is not None or store.has_content():
        raise StorageError(
            "There are stored files already, and a restore replaces nothing.",
            "Set PLUMBLINE_STORAGE, or PLUMBLINE_HOME, to a new place.",
        )
    make_private(get_settings().home.absolute())
    with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
        part = Path(folder) / "part"
        for name, file in _members(source):
            if name.startswith(_CONTENTS):
                _write(file, part)
                store.put_file(part)
            elif name == _CATALOG:
                _write(file, Path(folder) / _CATALOG)
        databases.load(Path(folder) / _CATALOG)
    store.set_mark(manifest.catalog_id)
    missing = [digest for digest in references.every_needed() if not store.stored(digest)]
    if missing:
        raise StorageError(
            f"{len(missing):,} files that rows name are not in the backup.",
            "They were missing when it was made; other rows can be used.",
        )
    return manifest


def _digests(store: ArtifactStore) -> Iterator[str]:
    """Yield the contents that are stored, and those that were set aside although a row needs them."""
    for prefix in PREFIXES:
        stored = store.stored_before(prefix, _FOREVER)
        yield from sorted({*stored, *references.needed(store.set_aside_before(prefix, _FOREVER))})


def _read(store: ArtifactStore, digest: str) -> IO[bytes] | None:
    try:
        return store.open(digest)
    except StorageError:
        if references.needed([digest]):
            raise
        return None


def _add(archive: tarfile.TarFile, name: str, data: IO[bytes]) -> int:
    entry = tarfile.TarInfo(name)
    entry.size = data.seek(0, io.SEEK_END)
    entry.mode, entry.mtime = 0o600, int(time.time())
    data.seek(0)
    archive.addfile(entry, data)
    return entry.size


def _members(source: Path) -> Iterator[tuple[str, io.BufferedReader]]:
    """Yield the name and the open content of each part."""
    with os_errors_explained(f"Reading {source.name}"), tarfile.open(source, "r:") as archive:
        for entry in archive:
            file = archive.extractfile(entry) if entry.isreg() else None
            if file is None:
                raise _damaged(source, f"'{entry.name[:80]}' is not a file")
            yield entry.name, file  # type: ignore[misc]


def _damaged(source: Path, reason: str) -> InputError:
    return InputError(f"{source.name} is not a whole backup: {reason}.", "Use another copy; nothing was changed.")


def _write(file: IO[bytes], target: Path) -> None:
    with os_errors_explained("Reading the backup"), target.open("wb") as copy:
        while data := file.read(_CHUNK):
            copy.write(data)


def _catalog_id() -> str:
    with reading(INSTALLATION) as session:
        known = session.exec(select(CatalogId.id)).first()
    if known is None:
        raise StorageError("The catalog has no id yet.", "Start the server once, then make the backup.")
    return known
