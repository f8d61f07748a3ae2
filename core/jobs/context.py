"""The context of a task: its settings, a working folder, and functions to report progress and to keep files."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from core.access import Access, Role
from core.catalog import ACTIVE, Run, RunArtifact, artifacts, events, runs
from core.jsonable import JsonObject
from core.progress import Event
from core.settings import get_settings
from core.storage import get_store

__all__ = ["RunContext", "run_dir"]

_FLAG_EVERY_S = 0.25
_LONGEST_AHEAD_S = 2.0
"""Seconds that may pass on the clock until the monitor's next count, which it stores about once per second."""


def run_dir(run_id: str) -> Path:
    """Return a run's folder: its log, its scratch files (kept between attempts) and its outcome."""
    return get_settings().runs_dir / run_id


@dataclass
class RunContext:
    """The run that a task works for.

    Parameters
    ----------
    run : Run
        Row of the run as it was when the worker started.
    """

    run: Run
    _latest: Run | None = None
    _read_at: float = 0.0
    _changed_at: float = 0.0
    _elapsed_s: float = 0.0

    @property
    def settings(self) -> JsonObject:
        """The settings the run was submitted with."""
        return self.run.settings

    @property
    def access(self) -> Access:
        """The access of the person who started the run to its workspace."""
        return Access(self.run.workspace, Role.EDITOR, self.run.who)

    @property
    def workdir(self) -> Path:
        """Scratch folder; a resumed attempt has the files that the earlier one left."""
        path = run_dir(self.run.id) / "work"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def clear_workdir(self) -> None:
        """Remove what is in the scratch folder; the folder itself is where a sandbox has it mounted, and stays."""
        for path in self.workdir.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def elapsed_s(self) -> float:
        """Return the seconds that the run has worked, in all attempts, as its monitor counts them. Cheap to call often.

        Neither a change of the system's clock nor a suspension of the computer counts.
        """
        latest = self._look()
        ahead = min(time.monotonic() - self._changed_at, _LONGEST_AHEAD_S)
        self._elapsed_s = max(self._elapsed_s, latest.elapsed_s + ahead)
        return self._elapsed_s

    def _look(self) -> Run:
        """Return the run's row as it was a moment ago."""
        now = time.monotonic()
        if self._latest is None or now - self._read_at > _FLAG_EVERY_S:
            row = runs.get(self.run.id, access=self.access)
            if self._latest is None or row.elapsed_s != self._latest.elapsed_s:
                self._changed_at = now
            self._latest, self._read_at = row, now
        return self._latest

    def report(self, event: Event) -> None:
        """Store an event of progress."""
        events.append(self.run.id, event, attempt=self.run.attempt, access=self.access)

    def should_stop(self) -> bool:
        """Return whether a user asked the run to stop and keep what it has. Cheap to call often."""
        return self._look().stop_requested_at is not None

    def keep(self, name: str, path: Path) -> str:
        """Store a file as the run's artifact `name` and return its digest."""
        digest = get_store().put_file(path)
        artifacts.add(
            RunArtifact(
                workspace=self.run.workspace,
                run_id=self.run.id,
                name=name,
                digest=digest,
                size_bytes=path.stat().st_size,
            ),
            access=self.access,
        )
        return digest

    def rename(self, title: str) -> None:
        """Change the title of the run."""
        runs.set_fields(self.run.id, ACTIVE, title=title[:300], access=self.access)

    def use_dataset(self, dataset_id: str) -> None:
        """Link the run to a dataset that it created."""
        runs.set_fields(self.run.id, ACTIVE, dataset_id=dataset_id, access=self.access)
