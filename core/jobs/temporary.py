"""Temporary files of a run: in a folder of its own, which is removed when the attempt ends, however it ends."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["SCRATCH", "outer_environment", "temporary_folder", "temporary_folders", "use_temporary_folder"]

_OUTER = "PLUMBLINE_RUN_TMPDIR"
"""Environment variable of a run's processes: where temporary files belong that are not the run's."""
SCRATCH = "sandbox"
"""Folder in that of a run with what a worker in a sandbox has while it works."""
_PREFIX = "plumbline-run-"


def _outer() -> Path:
    return Path(os.environ.get(_OUTER) or tempfile.gettempdir())


def temporary_folder(run_id: str) -> Path:
    """Return the folder for temporary files of a run's processes."""
    # Not in the run's own folder: paths of sockets have at most about a hundred characters.
    return _outer() / f"{_PREFIX}{run_id}"


def temporary_folders() -> Iterator[tuple[str, Path]]:
    """Yield the runs that have such a folder, also those of other installations on this computer, and the folders."""
    for path in list(_outer().glob(f"{_PREFIX}*")):
        yield path.name.removeprefix(_PREFIX), path


def use_temporary_folder(run_id: str) -> None:
    """Let temporary files of this process, and of those that it starts, go with the run."""
    folder = temporary_folder(run_id)
    folder.mkdir(mode=0o700, exist_ok=True)
    os.environ[_OUTER] = str(folder.parent)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None  # it remembers the folder that it found before


def outer_environment() -> dict[str, str]:
    """Return the variables of a process outside this process's run, such as the monitor of another run."""
    return {"TMPDIR": os.environ[_OUTER], _OUTER: ""} if os.environ.get(_OUTER) else {}
