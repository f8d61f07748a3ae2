"""Removes from the data folder what no run needs any longer: uploads, previews, working files, temporary files."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from core.catalog import Run, RunState, checkpoints, runs
from core.jobs import processes
from core.jobs.task_specs import task_spec
from core.jobs.temporary import SCRATCH, temporary_folders
from core.settings import get_settings

__all__ = ["has_working_files", "remove_upload", "remove_working_files", "sweep"]

_HOUR_S = 3_600.0
_DAY_S = 86_400.0
_UPLOAD = re.compile("[0-9a-f]{32}")
_RUN_ID = re.compile("[0-9a-f]{16}")


def sweep(now: float | None = None) -> None:
    """Remove what is left of runs that were killed or cancelled, and of files that were uploaded and not used.

    Uploads are kept for an hour, previews for a day after the last look, and longer where a run that has not ended
    names them; working files of a run that can be resumed for ``PLUMBLINE_KEEP_WORK_DAYS``; folders of runs that the
    catalog does not have, and temporary files, for a day. Any number of processes may do so at the same time.

    Parameters
    ----------
    now : float, optional
        The present (seconds since the epoch); by default that of the system's clock.

    Examples
    --------
    >>> sweep()
    """
    moment = time.time() if now is None else now
    home = get_settings().home.absolute()
    unfinished = runs.unfinished()
    named = {value for run in unfinished for value in run.settings.values() if isinstance(value, str)}
    for folder, age_s in ((home / "uploads", _HOUR_S), (get_settings().previews_dir, _DAY_S)):
        for path in _older(folder, age_s, moment):
            if path.name not in named:
                _remove(path)
    _sweep_runs(moment)
    if "://" not in get_settings().storage_url:
        for path in _older(Path(get_settings().storage_url) / "tmp", _DAY_S, moment):
            _remove(path)
    working = {run.id for run in unfinished}
    for run_id, path in temporary_folders():
        # It may be another installation's, whose runs this catalog does not have.
        if run_id not in working and moment - _changed_at(path) > _DAY_S and not processes.marked(run_id):
            _remove(path)


def _sweep_runs(now: float) -> None:
    """Remove working files of runs that cannot be resumed any longer, and the folders of runs that are not there."""
    folders = {path.name: path for path in _older(get_settings().runs_dir, 0, now) if _RUN_ID.fullmatch(path.name)}
    rows = {run.id: run for run in runs.with_ids(folders)}
    for name, path in folders.items():
        run = rows.get(name)
        if run is None:
            if now - _changed_at(path) > _DAY_S:
                _remove(path)
        elif run.state.terminal and not has_working_files(run, now):
            remove_working_files(path)
    for run in checkpoints.ended_with_checkpoint():
        if not has_working_files(run, now):
            checkpoints.remove(run.id)


def has_working_files(run: Run, now: float | None = None) -> bool:
    """Return whether the working files of a run that has ended are kept, so that it can be resumed.

    Parameters
    ----------
    run : Run
        A run that has ended.
    now : float, optional
        The present (seconds since the epoch); by default that of the system's clock.
    """
    if run.state is RunState.SUCCEEDED or not task_spec(run.task).resumable:
        return False
    ended_s = (time.time() if now is None else now) - (run.finished_at or run.created_at)
    return ended_s <= get_settings().keep_work_days * _DAY_S


def remove_working_files(folder: Path) -> None:
    """Remove the working files in a run's folder; its log stays."""
    for name in ("work", SCRATCH):
        shutil.rmtree(folder / name, ignore_errors=True)


def remove_upload(run: Run) -> None:
    """Remove the upload that a run has read, or would have read; one that is kept to be looked at stays."""
    name = run.settings.get("upload")
    if isinstance(name, str) and _UPLOAD.fullmatch(name):
        _remove(get_settings().uploads_dir / name)


def _older(folder: Path, age_s: float, now: float) -> Iterator[Path]:
    """Yield what lies in a folder and was not changed for so many seconds."""
    for path in list(folder.iterdir()) if folder.is_dir() else ():
        if now - _changed_at(path) >= age_s:
            yield path


def _changed_at(path: Path) -> float:
    """Return when a file or folder was changed; the end of time for one that is gone."""
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_mtime
    return float("inf")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with contextlib.suppress(OSError):  # such as a file of another user in a folder for all: it stays
        path.unlink()
