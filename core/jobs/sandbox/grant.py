"""What a sandboxed run may ask its monitor to do: which runs are its own, and which contents it may read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from core.access import INSTALLATION, Access
from core.catalog import Dataset, ModelVersion, PipelineStep, Run, RunArtifact, artifacts, runs
from core.catalog.engine import reading
from core.errors import DeniedError, NotFoundError
from core.jobs.sandbox.folders import RunFolders
from core.jsonable import JsonObject

__all__ = ["Grant", "named_contents"]

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Grant:
    """The rights of one run: rows of its workspace, changes to what it makes, and contents that these name.

    Parameters
    ----------
    run : Run
        Row of the run, as its monitor read it.
    folders : RunFolders
        Folders of the run.
    """

    def __init__(self, run: Run, folders: RunFolders) -> None:
        self.run = run
        self._folders = folders
        self._access = Access.engine(run.workspace)
        self._runs = {run.id}
        # A run that another one submitted may not be given contents by its settings.
        self._contents = set() if run.parent_id else set(_digests(run.settings))

    def access(self, actor: str) -> Access:
        """Return the access that an operation gets: the person is the one whom the run's settings name, or nobody."""
        named = self.run.settings.get("who", "")
        return replace(self._access, actor=actor if actor == named else "")

    def add_content(self, digest: str) -> None:
        """Note a content that the run has stored."""
        self._contents.add(digest)

    def note(self, value: Any) -> None:
        """Note the contents that rows name which the run has been given."""
        if isinstance(value, list | tuple):
            for item in value:
                self.note(item)
        elif isinstance(value, RunArtifact | Dataset | PipelineStep):
            self._contents.update(named_contents(value))

    def may_read(self, digest: str) -> bool:
        """Return whether the run stored this content, or its settings or a row of its workspace name it, or did."""
        return digest in self._contents or artifacts.in_workspace(digest, access=self._access)

    def require_contents(self, value: Any) -> None:
        """Refuse a row, or values of columns, that name a content which the run may not read."""
        for digest in named_contents(value):
            if not self.may_read(digest):
                raise NotFoundError(f"There is no stored file '{digest[:80]}' in this workspace.")

    def pass_on(self, settings: JsonObject) -> None:
        """Give a new run of its own the upload that its settings name; refuse contents that this run may not read."""
        for digest in _digests(settings):
            if not self.may_read(digest):
                raise NotFoundError(f"There is no stored file '{digest}' in this workspace.")
        if "upload" in settings:
            self._folders.publish_upload(str(settings["upload"]))

    def require_run(self, run_id: str) -> None:
        """Refuse a run that is neither this one nor one that it makes."""
        if run_id in self._runs:
            return
        with reading(INSTALLATION) as session:
            taken = session.get(Run, run_id) is not None
        if taken:
            raise DeniedError(f"A sandboxed run may not change the run '{run_id[:80]}'.")
        self._runs.add(run_id)  # a run that it describes itself: its files may come before its row

    def require_new_run(self, run: Run) -> None:
        """Refuse a row of a run that is not finished: what waits would be started."""
        self.require_run(run.id)
        if not run.state.terminal or run.id == self.run.id:
            raise DeniedError("A sandboxed run may add finished runs only.")

    def require_child(self, run_id: str) -> None:
        """Refuse a run that does not work for this one."""
        if runs.get(run_id, access=self._access).parent_id != self.run.id:
            raise DeniedError(f"The run '{run_id}' does not work for this one.")

    def require_step(self, step: PipelineStep) -> None:
        """Refuse a step of another run."""
        if step.pipeline_run_id != self.run.id:
            raise DeniedError("A sandboxed run may not change the steps of another one.")
        self.require_contents(step)

    def require_version(self, version: ModelVersion) -> None:
        """Refuse a version of a model whose run is of another workspace."""
        self.require_workspace(version)
        runs.get(version.run_id, access=self._access)

    def require_workspace(self, row: Any) -> None:
        """Refuse a row of another workspace."""
        if row.workspace != self.run.workspace:
            raise DeniedError("A sandboxed run may not add rows to another workspace.")


def named_contents(value: Any) -> Iterator[str]:
    """Yield the digests of the contents that a row names, or a value of its JSON columns for outputs."""
    match value:
        case RunArtifact():
            yield value.digest
        case Dataset():
            yield value.data_digest
            yield value.profile_digest
            if value.upload_digest is not None:
                yield value.upload_digest
        case PipelineStep():
            yield from named_contents(value.outputs)
        case dict():
            for item in value.values():
                yield from named_contents(item)
        case str():
            yield value


def _digests(value: Any) -> Iterator[str]:
    """Yield all texts within JSON values that are digests."""
    match value:
        case dict():
            for item in value.values():
                yield from _digests(item)
        case list():
            for item in value:
                yield from _digests(item)
        case str() if _DIGEST.fullmatch(value):
            yield value
