"""Fits of AutoML systems as they are stored: a line each, appended at once, with the predictions beside the file.

Two fits are the same by table (its rows included), seed, budget, busy loops, system and version.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Key = tuple[str, str, int, float, int, str, str]
Pair = tuple[NDArray[np.generic], NDArray[np.float64]]
"""Target and output of the test rows."""


@dataclass(frozen=True)
class Fit:
    """A fit that was done; one line of the results. Without a score, `error` says why."""

    table: str
    data: str
    seed: int
    budget: float
    busy: int
    """Number of busy loops beside it."""
    system: str
    version: str
    commit: str | None
    metric: str
    rows: int
    """Number of training rows."""
    started: str
    load_start: float
    load_end: float
    wall: float
    """Seconds of the whole process: loading libraries, fit and predictions."""
    seconds: float | None = None
    """Seconds from the training rows to a model."""
    score: float | None = None
    what: str | None = None
    predictions: str | None = None
    """File with `y` and `output` of the test rows, beside the results."""
    error: str | None = None

    @property
    def key(self) -> Key:
        """What makes two fits the same."""
        return (self.table, self.data, self.seed, self.budget, self.busy, self.system, self.version)


class Results:
    """A file of fits, one JSON object per line, and a folder with their predictions."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = path.with_suffix(".predictions")
        self.fits: list[Fit] = []
        if path.exists():
            self._truncate_partial_line()
            for number, line in enumerate(path.read_text().splitlines(), 1):
                try:
                    self.fits.append(Fit(**json.loads(line)))
                except (json.JSONDecodeError, TypeError) as error:
                    raise SystemExit(f"{path}, line {number}: not a fit ({error})") from error

    def _truncate_partial_line(self) -> None:
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            print(f"{self.path}: the last line was cut off when a run was ended, and is left out")
            self.path.write_bytes(whole)

    def append(self, fit: Fit, predictions: Pair | None = None) -> Fit:
        """Store a fit, and its predictions if it has some."""
        if predictions is not None:
            y, output = predictions
            name = re.sub(r"[^\w.-]+", "_", "-".join(map(str, fit.key))) + ".npz"
            self.folder.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(self.folder / name, y=y, output=output)
            fit = replace(fit, predictions=f"{self.folder.name}/{name}")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(fit)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.fits.append(fit)
        return fit

    def predictions(self, fit: Fit) -> Pair:
        """Return the target and the output of the test rows."""
        assert fit.predictions is not None
        with np.load(self.path.parent / fit.predictions) as arrays:
            return arrays["y"], arrays["output"]
