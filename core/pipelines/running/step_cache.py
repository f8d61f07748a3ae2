"""Outputs that are kept for the next run of the same step, in a folder."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.files import write_text
from core.jsonable import JsonObject
from core.pipelines.running.contents import content_digest, digests_of

__all__ = ["FolderCache", "KeptStep", "StepCache"]


@dataclass(frozen=True)
class KeptStep:
    """The outputs of an earlier execution.

    Parameters
    ----------
    key : str
        Key of the step.
    parts : dict
        Contents of the key.
    outputs : dict of str to dict
        Digests of the files of each output, by relative path; one file has an empty path.
    at : float
        End of the execution (seconds since the epoch).
    origin : str
        Run, or folder, that it was executed in.
    """

    key: str
    parts: JsonObject
    outputs: Mapping[str, Mapping[str, str]]
    at: float
    origin: str

    def digest(self, output: str) -> str:
        """Return the digest of what an output holds."""
        return content_digest(self.outputs[output])


class StepCache(Protocol):
    """A keeper of outputs."""

    def find(self, key: str) -> KeptStep | None:
        """Return the newest execution with this key whose outputs are whole, or None."""

    def resumed(self, step: str, key: str) -> KeptStep | None:
        """Return the execution by this same run before it was interrupted, or None."""

    def latest(self, pipeline: str, step: str) -> JsonObject | None:
        """Return the parts of the key of the newest execution of a step of a pipeline, or None."""

    def keep(self, pipeline: str, step: str, parts: JsonObject, kept: KeptStep, paths: Mapping[str, Path]) -> None:
        """Keep the outputs of an execution."""

    def restore(self, step: str, kept: KeptStep, paths: Mapping[str, Path]) -> None:
        """Write kept outputs to these paths, for a step that uses them."""


class FolderCache:
    """Outputs in a folder, one subfolder per key.

    Parameters
    ----------
    folder : path
        The folder; it is made when the first outputs are kept.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)

    def find(self, key: str) -> KeptStep | None:
        """Return the execution with this key; None also when its files were changed since."""
        record = self._folder / key / "step.json"
        if not record.is_file():
            return None
        kept = KeptStep(**json.loads(record.read_text(encoding="utf-8")))
        paths = {name: self._path(key, name) for name in kept.outputs}
        whole = all(path.exists() and digests_of(path) == kept.outputs[name] for name, path in paths.items())
        return kept if whole else None

    def resumed(self, step: str, key: str) -> KeptStep | None:
        """Return None: a folder does not know which run kept something."""
        return None

    def latest(self, pipeline: str, step: str) -> JsonObject | None:
        """Return the parts of the key of the newest execution of a step of a pipeline, or None."""
        path = self._latest(pipeline, step)
        parts: JsonObject | None = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        return parts

    def keep(self, pipeline: str, step: str, parts: JsonObject, kept: KeptStep, paths: Mapping[str, Path]) -> None:
        """Copy the outputs; a reader sees all of them or none."""
        partial = self._folder / f".{secrets.token_hex(8)}"
        (partial / "outputs").mkdir(parents=True)
        for name, path in paths.items():
            _copy(path, partial / "outputs" / name)
        write_text(partial / "step.json", json.dumps(vars(kept)))
        self._replace(self._folder / kept.key, partial)
        latest = self._latest(pipeline, step)
        latest.parent.mkdir(exist_ok=True)
        write_text(latest, json.dumps(parts))

    def _replace(self, final: Path, partial: Path) -> None:
        """Put a folder in place of an earlier one; another process may do the same."""
        earlier = self._folder / f".{secrets.token_hex(8)}"
        try:
            if final.exists():
                final.rename(earlier)
            partial.rename(final)
        except OSError:
            if not final.exists():
                raise
        for left in (earlier, partial):
            shutil.rmtree(left, ignore_errors=True)

    def restore(self, step: str, kept: KeptStep, paths: Mapping[str, Path]) -> None:
        """Copy kept outputs to these paths."""
        for name, path in paths.items():
            _copy(self._path(kept.key, name), path)

    def _path(self, key: str, output: str) -> Path:
        return self._folder / key / "outputs" / output

    def _latest(self, pipeline: str, step: str) -> Path:
        name = hashlib.sha256(json.dumps([pipeline, step]).encode()).hexdigest()
        return self._folder / "latest" / f"{name}.json"


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
