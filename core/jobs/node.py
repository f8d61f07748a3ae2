"""What the process of a run does first on a node of an engine, where no server has prepared anything for it."""

from __future__ import annotations

import os

from core.jobs.context import run_dir
from core.jobs.run_log import LOG_NAME
from core.private_folder import make_private
from core.settings import get_settings

__all__ = ["complain", "prepare"]

_engine_output: int | None = None


def prepare(run_id: str) -> None:
    """Make the folder of a run, and let this process and its children write to the log there.

    Raises
    ------
    StorageError
        When the home cannot be used.
    """
    global _engine_output
    make_private(get_settings().home.absolute())
    folder = run_dir(run_id)
    folder.mkdir(parents=True, exist_ok=True)
    _engine_output = os.dup(2)
    log = os.open(folder / LOG_NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for number in (1, 2):
        os.dup2(log, number)
    os.close(log)


def complain(sentence: str) -> None:
    """Write a sentence where the engine keeps the output of its jobs: it is the reason why a run has not begun."""
    os.write(2 if _engine_output is None else _engine_output, f"{sentence}\n".encode())
