"""The training data of a search for other nodes of a cluster: put there once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

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
            contents = {name: np.asarray(np.memmap(self._folder / name, np.uint8, "r")) for name in _FILES}
            digest = hashlib.sha256()
            for content in contents.values():
                digest.update(content.data)
            self.digest = digest.hexdigest()[:32]
            self._reference = self._ray.put(contents)
        return self._reference
