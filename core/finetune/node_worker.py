"""A process of a training on another node of a cluster, and the actor through which it reaches the training's folder.

The process has a folder of its own, which begins as a copy of the training's. What the first process writes there
is sent to the folder of the training before it continues; the others send the state of their random numbers.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from core.files import atomic_write
from core.finetune.checkpoints import TrainingFolder
from core.finetune.exchange import STOP, FolderExchange
from core.finetune.member import ReadOnlyFolder, take_part
from core.node_folder import FileContents, claim_folder, read_files, write_files
from core.progress import Event

__all__ = ["NodeTraining", "Relay", "train_on_node"]

_STOP_EVERY_S = 0.5
_STATE = "trainer_state.json"  # a checkpoint is complete when it can be read
_RANDOM = "rng_state_*"


class NodeTraining(TypedDict):
    """What each process is given.

    Parameters
    ----------
    request : dict
        The training, as `request_of` describes it.
    relay : object
        Handle of the `Relay`.
    base, training : object
        References of the files of the base model, and of the training's folder.
    digest : str
        Hash of the files of the base model.
    """

    request: dict[str, Any]
    relay: Any
    base: Any
    training: Any
    digest: str


class Relay:
    """Writes for processes of other nodes, on the node of the training's folder.

    Parameters
    ----------
    training, exchange : str
        Folders of the training, and of the exchange with its processes.
    """

    def __init__(self, training: str, exchange: str) -> None:
        self._folders = {"training": Path(training), "exchange": Path(exchange)}
        self._exchange = FolderExchange(Path(exchange))

    def write(self, folder: str, name: str, content: NDArray[np.uint8]) -> None:
        """Write a file; it appears whole."""
        file = self._folders[folder] / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(file) as partial:
            content.tofile(partial)

    def remove(self, name: str) -> None:
        """Remove a file of the training's folder, and the folder that it leaves empty."""
        file = self._folders["training"] / name
        file.unlink(missing_ok=True)
        is_checkpoint = file.parent.parent == self._folders["training"] / "checkpoints"
        if is_checkpoint and file.parent.is_dir() and not any(file.parent.iterdir()):
            file.parent.rmdir()

    def exists(self, name: str) -> bool:
        """Return whether there is a file of the exchange."""
        return self._exchange.exists(name)

    def report(self, event: dict[str, Any]) -> None:
        """Pass on an event."""
        self._exchange.report(Event(**event))


class _RemoteExchange:
    """The exchange, as a process sees it that reaches it through the relay."""

    def __init__(self, relay: Any) -> None:
        import ray

        self._relay, self._get = relay, ray.get
        self._stops, self._looked_at = False, float("-inf")

    def write(self, name: str, text: str) -> None:
        """Write a file; it appears whole."""
        self._get(self._relay.write.remote("exchange", name, np.frombuffer(text.encode(), np.uint8)))

    def move_in(self, name: str, file: Path) -> None:
        """Move a file of the process into the folder."""
        self.send("exchange", name, file)
        file.unlink()

    def send(self, folder: str, name: str, file: Path) -> None:
        """Copy a file to where the relay is."""
        self._get(self._relay.write.remote(folder, name, read_files(file.parent, [file.name])[file.name]))

    def remove(self, name: str) -> None:
        """Remove a file of the training's folder."""
        self._get(self._relay.remove.remote(name))

    def exists(self, name: str) -> bool:
        """Return whether there is a file."""
        return bool(self._get(self._relay.exists.remote(name)))

    def report(self, event: Event) -> None:
        """Pass on an event."""
        self._get(self._relay.report.remote(asdict(event)))

    def should_stop(self) -> bool:
        """Return whether the training was asked to stop, as of half a second ago at most."""
        if time.monotonic() - self._looked_at >= _STOP_EVERY_S:
            self._stops, self._looked_at = self.exists(STOP), time.monotonic()
        return self._stops


class _SentFolder(TrainingFolder):
    """The folder of the first process: each change is sent."""

    def __init__(self, path: Path, exchange: _RemoteExchange) -> None:
        super().__init__(path)
        self._exchange = exchange
        self._sent = self._files()

    def add(self, line: Mapping[str, float | None]) -> None:
        """Append a line to the history."""
        super().add(line)
        self._send()

    def keep_evaluation(self, step: int, outputs: NDArray[np.float64], best_step: int | None) -> None:
        """Keep what the model answered to the validation rows."""
        super().keep_evaluation(step, outputs, best_step)
        self._send()

    def note_saved(self) -> None:
        """Send a complete checkpoint, and remove those that it replaces."""
        self._send()

    def _files(self) -> dict[str, tuple[int, int]]:
        files = {}
        for file in self.path.rglob("*"):
            if file.is_file():
                status = file.stat()
                files[file.relative_to(self.path).as_posix()] = (status.st_size, status.st_mtime_ns)
        return files

    def _send(self) -> None:
        files = self._files()
        changed = [name for name, status in files.items() if self._sent.get(name) != status]
        for name in sorted(changed, key=lambda name: (name.endswith(_STATE), name)):
            self._exchange.send("training", name, self.path / name)
        for name in self._sent.keys() - files.keys():
            self._exchange.remove(name)
        self._sent = files


class _RandomStateFolder(ReadOnlyFolder):
    """The folder of the other processes: of a checkpoint, they have the state of their own random numbers."""

    def __init__(self, path: Path, exchange: _RemoteExchange) -> None:
        super().__init__(path)
        self._exchange = exchange

    def note_saved(self) -> None:
        """Send the state of the random numbers."""
        newest = max(self.checkpoints.glob("checkpoint-*"), key=lambda path: path.stat().st_mtime_ns)
        for file in newest.glob(_RANDOM):
            self._exchange.send("training", file.relative_to(self.path).as_posix(), file)


def train_on_node(training: NodeTraining) -> None:
    """Train with the processes of the other nodes; Ray Train calls it on each of them."""
    import ray
    import ray.train

    exchange = _RemoteExchange(training["relay"])
    base: FileContents = ray.get(training["base"])
    before: FileContents = ray.get(training["training"])
    base_folder = claim_folder(f"base-{training['digest']}", lambda folder: write_files(base, folder))
    scratch = claim_folder(f"training-{secrets.token_hex(8)}", lambda folder: write_files(before, folder / "run"))
    request = training["request"]
    request = request | {"base": request["base"] | {"path": str(base_folder)}}
    first = ray.train.get_context().get_world_rank() == 0
    folder: TrainingFolder = (_SentFolder if first else _RandomStateFolder)(scratch / "run", exchange)
    take_part(request, exchange, folder, scratch, exchange.should_stop)
    if first:
        folder.note_saved()
