"""What a training leaves in its folder, so that another process can go on with it.

``checkpoints/checkpoint-STEP``
    Weights, optimiser, schedule and random state, written by transformers; complete when its state can be read.
``history.jsonl``
    A line for each logged loss and each evaluation.
``asked.json``
    The settings and the fingerprint of the table, which must be the same to go on.
``model``, ``trained.json``
    The finished model and how it was reached; from here only the evaluation is left.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from core.errors import SettingsError

__all__ = ["Folder"]


class Folder:
    """The folder of one training.

    Parameters
    ----------
    path : Path
        It is made when it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        self.model = path / "model"
        self._history = path / "history.jsonl"
        self._asked = path / "asked.json"
        self._trained = path / "trained.json"
        path.mkdir(parents=True, exist_ok=True)

    def begin(self, asked: dict[str, Any], resume: bool) -> None:
        """Empty the folder, or keep what another attempt left of the same work.

        Raises
        ------
        SettingsError
            When it is other work.
        """
        if resume and self._asked.is_file():
            before = json.loads(self._asked.read_text(encoding="utf-8"))
            changed = sorted(name for name in {*before, *asked} if before.get(name) != asked.get(name))
            if changed:
                raise SettingsError(
                    f"The training in this folder cannot be gone on with: {', '.join(changed)} changed.",
                    "Start a new training with these settings, or resume with those of the first attempt.",
                )
            return
        for folder in (self.checkpoints, self.model):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self._history, self._trained):
            file.unlink(missing_ok=True)
        _write(self._asked, asked)

    def latest(self) -> Path | None:
        """Return the newest complete checkpoint; one that a killed process left half written is removed."""
        found: dict[int, Path] = {}
        for path in self.checkpoints.glob("checkpoint-*"):
            with contextlib.suppress(OSError, ValueError):
                found[json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))["global_step"]] = path
                continue
            shutil.rmtree(path, ignore_errors=True)
        return found[max(found)] if found else None

    def history(self, up_to: int | None = None) -> list[dict[str, Any]]:
        """Return the lines of the history; only those up to a step, and the others are removed."""
        lines: list[dict[str, Any]] = []
        with contextlib.suppress(FileNotFoundError):
            for line in self._history.read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError):  # the last line of a killed process
                    lines.append(json.loads(line))
        if up_to is not None:
            lines = [line for line in lines if line["step"] <= up_to]
            temporary = self._history.with_suffix(".tmp")
            temporary.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
            temporary.replace(self._history)
        return lines

    def add(self, line: dict[str, Any]) -> None:
        """Append to the history."""
        with open(self._history, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def trained(self) -> dict[str, Any] | None:
        """Return how the finished model was reached, None when training has not ended."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            return dict(json.loads(self._trained.read_text(encoding="utf-8")))
        return None

    def finish(self, how: dict[str, Any]) -> None:
        """Note that the model is complete; its checkpoints are no longer needed."""
        _write(self._trained, how)
        shutil.rmtree(self.checkpoints, ignore_errors=True)


def _write(path: Path, values: dict[str, Any]) -> None:
    temporary = path.with_suffix(".tmp")
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(values, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
