"""What a training leaves in its folder, so that another process can resume it.

``checkpoints/checkpoint-STEP``
    Weights, optimizer, schedule and random state, written by transformers; complete when its state can be read.
``history.jsonl``
    One line for each logged loss and each evaluation.
``answers/STEP.npy``
    What the model answered to the validation rows when it was evaluated: at the best step, and at the last.
    (``evaluations``, by earlier versions, may be in bf16.)
``asked.json``
    The settings and the fingerprint of the table: both must be the same to resume.
``adaptation``, ``adapted``
    Checkpoints of the adaptation of the base model, and the adapted one, where the settings ask for it.
``model``, ``trained.json``
    The finished model and how it was reached; after that only the evaluation is left.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from core.errors import SettingsError
from core.files import atomic_write, write_text
from core.finetune.summary import HistoryLine

__all__ = ["TrainingFolder", "latest_checkpoint"]


def latest_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint in a folder; partial ones of a killed process are removed."""
    complete: dict[int, Path] = {}
    for path in folder.glob("checkpoint-*"):
        with contextlib.suppress(OSError, ValueError):
            state = json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
            complete[state["global_step"]] = path
            continue
        shutil.rmtree(path, ignore_errors=True)
    return complete[max(complete)] if complete else None


class TrainingFolder:
    """The folder of one training.

    Parameters
    ----------
    path : Path
        The folder; it is made when it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        self.model = path / "model"
        self.adaptation, self.adapted = path / "adaptation", path / "adapted"
        self._answers = path / "answers"
        self._history = path / "history.jsonl"
        self._request = path / "asked.json"
        self._trained = path / "trained.json"
        path.mkdir(parents=True, exist_ok=True)

    def begin(self, request: Mapping[str, JsonValue], resume: bool) -> None:
        """Empty the folder, or keep what an earlier attempt at the same training left.

        Parameters
        ----------
        request : mapping
            The settings, and the fingerprint of the table.
        resume : bool
            Whether to keep what is there.

        Raises
        ------
        SettingsError
            When the folder holds another training.
        """
        if resume and self._request.is_file():
            before = json.loads(self._request.read_text(encoding="utf-8"))
            added = {name for name, value in request.items() if name not in before and not value}  # by later versions
            changed = sorted(name for name in {*before, *request} - added if before.get(name) != request.get(name))
            if changed:
                raise SettingsError(
                    f"This training cannot be resumed: {', '.join(changed)} changed.",
                    "Start a new training with these settings, or resume with those of the first attempt.",
                )
            return
        for folder in (self.checkpoints, self.model, self._answers, self.adaptation, self.adapted):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self._history, self._trained):
            file.unlink(missing_ok=True)
        write_text(self._request, json.dumps(request))

    def note_saved(self) -> None:
        """Take note of a complete checkpoint, where the folder is a copy of one on another machine."""

    def latest(self) -> Path | None:
        """Return the newest complete checkpoint; partial ones of a killed process are removed."""
        return latest_checkpoint(self.checkpoints)

    def history(self, up_to: int | None = None) -> list[HistoryLine]:
        """Return the lines of the history.

        Parameters
        ----------
        up_to : int, optional
            The last step to keep: lines of later steps are removed.
        """
        lines: list[HistoryLine] = []
        with contextlib.suppress(FileNotFoundError):
            for line in self._history.read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError):  # the last line of a killed process
                    lines.append(json.loads(line))
        if up_to is not None:
            lines = [line for line in lines if line["step"] <= up_to]
            write_text(self._history, "".join(json.dumps(line) + "\n" for line in lines))
        return lines

    def add(self, line: Mapping[str, float | None]) -> None:
        """Append a line to the history."""
        with open(self._history, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def keep_evaluation(self, step: int, outputs: NDArray[np.float64], best_step: int | None) -> None:
        """Keep what the model answered at a step; of earlier ones only those of the best step stay."""
        self._answers.mkdir(exist_ok=True)
        for file in self._answers.glob("*.npy"):
            if file.stem != str(best_step):
                file.unlink()
        with atomic_write(self._answers / f"{step}.npy") as partial, open(partial, "wb") as array:
            np.save(array, outputs)

    def evaluation(self, step: int) -> NDArray[np.float64] | None:
        """Return what the model answered at a step; None when an earlier version did not keep it."""
        with contextlib.suppress(FileNotFoundError):
            return np.asarray(np.load(self._answers / f"{step}.npy"))
        return None

    def trained(self) -> dict[str, JsonValue] | None:
        """Return how the finished model was reached, None when the training has not finished."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            return dict(json.loads(self._trained.read_text(encoding="utf-8")))
        return None

    def finish(self, trained: Mapping[str, JsonValue]) -> None:
        """Note that the model is complete, and remove the checkpoints."""
        write_text(self._trained, json.dumps(trained))
        for folder in (self.checkpoints, self._answers, self.adaptation, self.adapted):
            shutil.rmtree(folder, ignore_errors=True)
