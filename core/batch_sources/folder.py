"""Files of a folder as batches: what is new by name, size and time of change."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field, field_validator

from core.batch_sources.reach import check_local, open_folder
from core.batch_sources.source_look import ChangedError, SourceBatch
from core.checked import CheckedSettings
from core.credentials import scrubbed
from core.errors import InputError, LimitError, PlumblineError, RemoteError, shortened
from core.jsonable import JsonObject

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

__all__ = ["FolderLook", "FolderSettings", "check_folder", "shown_folder"]

MAX_LISTED: Final = 10_000
"""Number of files of a folder up to which it is looked through."""
_CHUNK = 1 << 20
_CHANGED = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")
_TAGS = ("ETag", "etag", "md5Hash", "content_md5", "generation")


class FolderSettings(CheckedSettings):
    """Which files of a folder are batches.

    Parameters
    ----------
    url : str
        Path of a folder of this machine, or URL of fsspec.
    pattern : str, default="*"
        Pattern of the names of the files; one that begins with ``**/`` also looks into folders.
    credential : str, default=""
        Name of the credential with the options of the file system.
    max_files : int, default=20
        Maximum number of files that one look brings.
    max_file_mb : int, default=200
        Size of the largest file that is brought (MB).
    settle_s : int, default=10
        Seconds for which a file has to stay unchanged before it is brought.

    Examples
    --------
    >>> FolderSettings(url="/srv/scored", pattern="*.csv").max_files
    20
    """

    url: str = Field(
        min_length=1,
        max_length=2_000,
        title="Folder",
        description="Path of a folder of this machine, or a URL of fsspec, such as s3://bucket/scored.",
    )
    pattern: str = Field(
        default="*",
        min_length=1,
        max_length=200,
        title="Names of files",
        description="Such as *.csv; with **/*.csv the folders in it are looked through, too.",
    )
    credential: str = Field(
        default="",
        title="Credential",
        description=(
            "Name of a credential that begins with FILES_. Whoever runs the server sets its value, the options of the "
            "file system as JSON, as PLUMBLINE_SECRET_FILES_... or in the file of secrets. Empty where none is needed."
        ),
    )
    max_files: int = Field(default=20, ge=1, le=200, title="Maximum number of files per check")
    max_file_mb: int = Field(default=200, ge=1, le=2_048, title="Largest file (MB)")
    settle_s: int = Field(
        default=10,
        ge=0,
        le=3_600,
        title="Seconds without a change",
        description="A file that changed more recently may still be written, and waits for the next check.",
    )

    @field_validator("url", "pattern", "credential")
    @classmethod
    def _stripped(cls, value: str) -> str:
        return value.strip()

    @field_validator("pattern")
    @classmethod
    def _of_names(cls, pattern: str) -> str:
        if "/" in pattern.removeprefix("**/"):
            raise InputError(
                f"The pattern '{shortened(pattern)}' has a folder in it, and is about names of files.",
                "Write the folder into 'Folder'; **/*.csv also looks into the folders in it.",
            )
        return pattern


def check_folder(settings: FolderSettings, *, workspace: str) -> None:
    """Raise what is wrong with a folder, as far as it is known before it is looked at."""
    open_folder(settings.url, settings.credential, workspace=workspace)


def shown_folder(settings: FolderSettings) -> str:
    """Return where the files are.

    Examples
    --------
    >>> shown_folder(FolderSettings(url="s3://bucket/scored/", pattern="*.csv"))
    's3://bucket/scored/*.csv'
    """
    return f"{settings.url.rstrip('/')}/{settings.pattern}"


class FolderLook:
    """A look at a folder.

    Parameters
    ----------
    settings : FolderSettings
        Settings that say which files are batches.
    before : mapping
        State that the look before left; empty for the first one.
    workspace : str
        Workspace that reads.

    Raises
    ------
    LimitError
        When the folder has too many files.
    RemoteError
        When it cannot be listed.
    """

    def __init__(self, settings: FolderSettings, before: Mapping[str, Any], *, workspace: str) -> None:
        self._settings = settings
        self._system, self._root = open_folder(settings.url, settings.credential, workspace=workspace)
        with _explained(self._system, "The folder cannot be read"):
            files = _listed(self._system, self._root, settings.pattern)
        self._is_local = "file" in self._system.protocol
        known: dict[str, str] = before.get("files", {})
        failed: dict[str, list[Any]] = before.get("failed", {})
        now = time.time()
        new: list[SourceBatch] = []
        unsettled = 0
        for name, info in files.items():
            changed = _changed_at(info)
            batch = SourceBatch(name, now if changed is None else min(changed, now), _stamp(info))
            if known.get(name) == batch.stamp:
                continue
            if changed is not None and 0 <= now - changed < settings.settle_s:
                unsettled += 1
            else:
                new.append(batch)
        self._files = {name: stamp for name, stamp in known.items() if name in files}
        self._failed = {
            batch.name: failed[batch.name] for batch in new if failed.get(batch.name, [None])[0] == batch.stamp
        }
        new.sort(key=lambda batch: (self._tries(batch), batch.at, batch.name))
        self._batches, left = tuple(new[: settings.max_files]), max(0, len(new) - settings.max_files)
        self._notes = tuple(
            sentence
            for count, sentence in (
                (unsettled, f"{_files(unsettled)} changed within the last {settings.settle_s} s and may not be whole."),
                (left, f"{_files(left)} more than one check brings."),
            )
            if count
        )

    def _tries(self, batch: SourceBatch) -> int:
        return int(self._failed.get(batch.name, ["", 0])[1])

    @property
    def batches(self) -> tuple[SourceBatch, ...]:
        """Files that are new: those that were not tried before first, then the oldest ones."""
        return self._batches

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on the files that wait for the next look."""
        return self._notes

    def fetch(self, batch: SourceBatch, folder: Path) -> Path:
        """Copy a file into a folder, and return the copy, which is that of the listing as a whole."""
        source = f"{self._root}/{batch.name}"
        if self._is_local:
            check_local(Path(source))  # a link may lead elsewhere
        target = folder / f"batch{PurePosixPath(batch.name).suffix[:20]}"
        limit = self._settings.max_file_mb << 20
        copied = 0
        with _explained(self._system, f"'{shortened(batch.name)}' cannot be read"):
            with self._system.open(source, "rb") as file, open(target, "wb") as copy:
                while chunk := file.read(_CHUNK):
                    copied += len(chunk)
                    if copied > limit:
                        raise LimitError(
                            f"'{shortened(batch.name)}' is larger than {self._settings.max_file_mb:,} MB.",
                            "Raise the limit of this source, or write smaller files.",
                        )
                    copy.write(chunk)
            self._system.invalidate_cache()
            after = _stamp(self._system.info(source))
        if after != batch.stamp:
            raise ChangedError(
                f"'{shortened(batch.name)}' changed while it was read.", "The next check reads it again."
            )
        return target

    def brought(self, batch: SourceBatch) -> None:
        """Note that a file was brought as it is now."""
        self._files[batch.name] = batch.stamp
        self._failed.pop(batch.name, None)

    def failed(self, batch: SourceBatch) -> None:
        """Note that a file could not be read: it is tried again, after the others."""
        self._failed[batch.name] = [batch.stamp, self._tries(batch) + 1]

    def state(self) -> JsonObject:
        """Return the files that were brought and those that failed, with their stamps."""
        return {"files": dict(sorted(self._files.items())), "failed": dict(sorted(self._failed.items()))}


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _listed(system: AbstractFileSystem, root: str, pattern: str) -> dict[str, dict[str, Any]]:
    """Return the files whose names fit a pattern, with what is known of them, by their path below the folder."""
    system.invalidate_cache()
    deep = pattern.startswith("**/")
    pattern = pattern.removeprefix("**/")
    files: dict[str, dict[str, Any]] = {}
    seen = 0
    for folder, _, contents in system.walk(root, maxdepth=None if deep else 1, detail=True, on_error="raise"):
        for name, info in contents.items():
            seen += 1
            if seen > MAX_LISTED:
                raise LimitError(
                    f"The folder has more than {MAX_LISTED:,} files.", "Name a smaller one, or move old files away."
                )
            if name.startswith(".") or not fnmatchcase(name, pattern):
                continue
            if info.get("islink"):
                info = system.info(f"{folder}/{name}")
            if info.get("type") == "file":
                files[f"{folder}/{name}".removeprefix(root).lstrip("/")] = info
    return files


def _changed_at(info: Mapping[str, Any]) -> float | None:
    """Return when a file changed, in seconds since 1970; None where its file system does not say."""
    for name in _CHANGED:
        value = info.get(name)
        if isinstance(value, int | float):
            return float(value)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, str) and value:
            try:
                return datetime.fromisoformat(value).timestamp()
            except ValueError:
                continue
    return None


def _stamp(info: Mapping[str, Any]) -> str:
    """Return what differs where the content does: the tags of an object store, or else the time of change.

    Stores say the time with milliseconds in a listing and without for a file.
    """
    tags = [str(info[name]).strip('"') for name in _TAGS if info.get(name)]
    return "|".join([str(info.get("size")), *(tags or [str(_changed_at(info))])])[:300]


@contextmanager
def _explained(system: AbstractFileSystem, what: str) -> Iterator[None]:
    """Turn errors of a file system into ours, in words that hold none of its options."""
    try:
        yield
    except PlumblineError:
        raise
    except FileNotFoundError:
        raise InputError(f"{what}: it does not exist.", "Check the address of the folder.") from None
    except PermissionError:
        raise RemoteError(f"{what}: access is denied.", "Check the rights of the server, or the credential.") from None
    except Exception as error:  # noqa: BLE001  (each file system has errors of its own)
        reason = shortened(scrubbed(getattr(error, "strerror", None) or type(error).__name__), 200)
        raise RemoteError(f"{what}: {reason}.", "Check that it can be reached, and the credential.") from None
