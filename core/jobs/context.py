"""The context of a task: its settings, a working folder, and functions to report progress and to keep files."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from core.access import Access
from core.catalog import ACTIVE, Run, RunArtifact, artifacts, events, runs
from core.jsonable import JsonObject
from core.progress import Event
from core.settings import get_settings
from core.storage import get_store

__all__ = ["RunContext", "run_dir"]

_FLAG_EVERY_S = 0.25


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
    _flag_read_at: float = 0.0
    _stop: bool = False

    @property
    def settings(self) -> JsonObject:
        """The settings the run was submitted with."""
        return self.run.settings

    @property
    def access(self) -> Access:
        """The access to the workspace that the run belongs to."""
        return Access.engine(self.run.workspace)

    @property
    def workdir(self) -> Path:
        """Scratch folder; a resumed attempt has the files that the earlier one left."""
        path = run_dir(self.run.id) / "work"
        path.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def started(self) -> float:
        """Start of the run's time budget (seconds since the epoch); the time of earlier attempts counts."""
        return (self.run.started_at or time.time()) - self.run.used_s

    def report(self, event: Event) -> None:
        """Store an event of progress."""
        events.append(self.run.id, event, attempt=self.run.attempt, access=self.access)

    def should_stop(self) -> bool:
        """Return whether a user asked the run to stop and keep what it has. Cheap to call often."""
        now = time.monotonic()
        if not self._stop and now - self._flag_read_at > _FLAG_EVERY_S:
            self._flag_read_at = now
            self._stop = runs.get(self.run.id, access=self.access).stop_requested_at is not None
        return self._stop

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
