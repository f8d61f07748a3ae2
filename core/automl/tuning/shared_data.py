"""The training data of a search for other nodes of a cluster: put there once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.node_folder import content_digest, read_files

__all__ = ["SharedData"]

_FILES = ("X.npy", "y.npz")  # of `TrainingData.save`


class SharedData:
    """Training data of a search, which is put into the cluster once.

    Parameters
    ----------
    folder : Path
        Folder that `TrainingData.save` writes to.
    ray : module
        Ray, connected.
    """

    def __init__(self, folder: Path, ray: Any) -> None:
        self._folder = folder
        self._ray = ray
        self._reference: Any = None
        self.digest = ""

    def reference(self) -> Any:
        """Return the reference of the data in the cluster."""
        if self._reference is None:
            contents = read_files(self._folder, _FILES)
            self.digest = content_digest(contents)
            self._reference = self._ray.put(contents)
        return self._reference
