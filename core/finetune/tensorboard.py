"""TensorBoard's logs of a training: written to TENSORBOARD_LOGGING_DIR, and kept with the result."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

from core.access import require_feature
from core.datasets import Finding

if TYPE_CHECKING:
    from transformers import TrainerCallback

__all__ = ["callback", "findings", "logs_dir"]

_VARIABLE = "TENSORBOARD_LOGGING_DIR"


def _installed() -> bool:
    return any(importlib.util.find_spec(name) for name in ("tensorboard", "tensorboardX"))


def logs_dir(output_dir: Path) -> Path | None:
    """Return the folder of a training's logs, the same for a resumed attempt; None when no logs are written."""
    folder = os.environ.get(_VARIABLE)
    if not folder or not _installed():
        return None
    require_feature("tensorboard")
    name = hashlib.blake2b(str(output_dir.resolve()).encode(), digest_size=4).hexdigest()
    return Path(folder).expanduser() / f"training-{name}"


def callback(output_dir: Path) -> list[TrainerCallback]:
    """Return transformers' callback that writes the logs; empty when no logs are written."""
    folder = logs_dir(output_dir)
    if folder is None:
        return []
    from transformers.integrations import TensorBoardCallback

    writer = TensorBoardCallback()
    writer.logging_dir = str(folder)  # by default all trainings share one folder
    return [writer]


def findings() -> list[Finding]:
    """Return a finding when TensorBoard's logs are enabled and cannot be written."""
    if os.environ.get(_VARIABLE) and not _installed():
        message = f"{_VARIABLE} is set, but TensorBoard is not installed: no logs were written."
        return [Finding("tensorboard", "notice", None, message, "Run: pip install tensorboard")]
    return []
