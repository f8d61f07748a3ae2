"""One of the processes that torchrun starts for a training on several GPUs: ``gpu_process FOLDER``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from core.finetune.checkpoints import TrainingFolder
from core.finetune.exchange import STOP, FolderExchange
from core.finetune.gpus import REQUEST
from core.finetune.member import ReadOnlyFolder, take_part

__all__ = ["main"]


def main(folder: Path) -> int:
    """Train with the other processes."""
    request = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    path = Path(request["folder"])
    own = TrainingFolder(path) if os.environ["RANK"] == "0" else ReadOnlyFolder(path)
    take_part(request, FolderExchange(folder), own, folder, (folder / STOP).exists)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
