"""Folders of a sandboxed run: what it finds where, and what the monitor puts there for it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from core.catalog import Run
from core.errors import InputError
from core.jobs.temporary import SCRATCH
from core.settings import Settings
from core.storage import get_store

__all__ = ["NOBODY", "RunFolders"]

NOBODY = 65534
"""User and group of the processes of a sandbox where the server itself is root."""
_NAME = re.compile(r"[0-9a-f]{32}")


class RunFolders:
    """The folders of one run, at the same paths within its sandbox.

    Parameters
    ----------
    run : Run
        Row of the run.
    settings : Settings
        Settings of the installation.
    """

    def __init__(self, run: Run, settings: Settings) -> None:
        self._settings = settings
        self._home = settings.home.absolute()
        self.own = settings.runs_dir / run.id  # not within the sandbox itself
        self.work = self.own / "work"
        self.scratch = self.own / SCRATCH
        self.tmp = self.scratch / "tmp"
        self.contents = self.scratch / "contents"
        self.uploads = self.scratch / "uploads"
        # A run that works for another one has its files: the step of a pipeline.
        self.parent_work = settings.runs_dir / run.parent_id / "work" if _is_id(run.parent_id) else None
        self._upload = _name(run.settings.get("upload"))
        preview = _name(run.settings.get("folder"))
        self.preview = None if preview is None else settings.previews_dir / preview

    def prepare(self) -> None:
        """Make the folders, with the upload that the run reads, for the user that the sandbox has."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        for folder in (self.work, self.tmp, self.contents, self.uploads):
            folder.mkdir(parents=True, exist_ok=True)
        if self.preview is not None:
            self.preview.mkdir(parents=True, exist_ok=True)
        if self._upload is not None:
            with contextlib.suppress(FileNotFoundError):  # the task says so
                _provide(self._home / "uploads" / self._upload, self.uploads / self._upload)
        if os.geteuid() == 0:
            for folder in (self.contents, self.tmp):  # the code may lie below /tmp, where root enters it without rights
                folder.chmod(0o755)
            for folder in self._writable():
                _give(folder)

    def _writable(self) -> Iterator[Path]:
        yield from (self.work, self.tmp, self.uploads)
        if self.preview is not None:
            yield self.preview

    def binds(self) -> list[tuple[Path, Path]]:
        """Return the folders that the run writes to, with their places in the sandbox."""
        binds = [(self.tmp, Path("/tmp"))]
        if self.parent_work is not None and self.parent_work.is_dir():
            binds.append((self.parent_work, self.parent_work))
        binds += [(self.work, self.work), (self.uploads, self._home / "uploads")]
        if self.preview is not None:
            binds.append((self.preview, self.preview))
        return binds

    def provide_content(self, digest: str) -> Path:
        """Make a stored content readable within the sandbox, and return its path there."""
        target = self.contents / digest
        if not target.exists():
            _provide(get_store().local_path(digest), target)
        return target

    def publish_upload(self, name: str) -> None:
        """Move an upload that the run made to where the run that reads it finds it.

        Raises
        ------
        InputError
            When there is no such file.
        """
        target = self._home / "uploads" / name
        if not _NAME.fullmatch(name) or target.exists() or not (self.uploads / name).exists():
            raise InputError(f"There is no upload '{name[:80]}'.", "Upload the file again.")
        target.parent.mkdir(parents=True, exist_ok=True)
        (self.uploads / name).rename(target)
        if not stat.S_ISREG(target.lstat().st_mode):  # checked where the run cannot change it any more
            target.unlink()
            raise InputError(f"The upload '{name}' is not a file.", "Upload the file again.")

    def remove(self) -> None:
        """Remove what the run does not need after its end, and the upload if it was read."""
        if self._upload is not None and not (self.uploads / self._upload).exists():
            (self._home / "uploads" / self._upload).unlink(missing_ok=True)
        shutil.rmtree(self.scratch, ignore_errors=True)
        if self.preview is not None:
            _keep_files_alone(self.preview)
            with contextlib.suppress(OSError):  # it is not empty: the file is still looked at
                self.preview.rmdir()

    def measured(self) -> list[Path]:
        """Return the folders whose contents count as the run's disk space."""
        return list(self._writable())


def _is_id(name: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{16}", name) is not None


def _name(value: object) -> str | None:
    """Return the name of an upload as settings have it; None for anything else."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None


def _provide(source: Path, target: Path) -> None:
    """Link a file where that is possible, else copy it.

    Another user cannot read what only this one may, so there it is copied.
    """
    if os.geteuid() != 0:
        with contextlib.suppress(OSError):
            os.link(source, target)
            return
    partial = target.with_name(f"{target.name}.partial")
    shutil.copyfile(source, partial)
    partial.chmod(0o644)
    partial.rename(target)


def _give(folder: Path) -> None:
    """Make the sandbox's user the owner of a folder with all that is in it; links are not followed."""
    os.chown(folder, NOBODY, NOBODY, follow_symlinks=False)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent) / name, NOBODY, NOBODY, follow_symlinks=False)


def _keep_files_alone(folder: Path) -> None:
    """Remove links, pipes and sockets: the server reads this folder, and must not be led elsewhere."""
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent) / name
            mode = path.lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                path.unlink()
