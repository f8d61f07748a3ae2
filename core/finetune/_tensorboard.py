"""TensorBoard's logs of a training: written where TENSORBOARD_LOGGING_DIR says, and kept with the result."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path
from typing import Any

from core.datasets import Finding

__all__ = ["callback", "findings", "logs_dir"]

_VARIABLE = "TENSORBOARD_LOGGING_DIR"


def _installed() -> bool:
    return any(importlib.util.find_spec(name) for name in ("tensorboard", "tensorboardX"))


def logs_dir(output_dir: Path) -> Path | None:
    """Return where a training's logs go, a folder of its own that a resumed attempt finds again; None without any."""
    asked = os.environ.get(_VARIABLE)
    if not asked or not _installed():
        return None
    name = hashlib.blake2b(str(output_dir.resolve()).encode(), digest_size=4).hexdigest()
    return Path(asked).expanduser() / f"training-{name}"


def callback(output_dir: Path) -> list[Any]:
    """Return transformers' callback that writes the logs, if they are wanted."""
    folder = logs_dir(output_dir)
    if folder is None:
        return []
    from transformers.integrations import TensorBoardCallback

    writer = TensorBoardCallback()
    writer.logging_dir = str(folder)  # it would put all trainings into one
    return [writer]


def findings() -> list[Finding]:
    """Say that TensorBoard's logs were asked for and cannot be written."""
    if os.environ.get(_VARIABLE) and not _installed():
        message = f"{_VARIABLE} is set, and TensorBoard is not installed: no logs were written."
        return [Finding("tensorboard", "notice", None, message, "Run: pip install tensorboard")]
    return []
