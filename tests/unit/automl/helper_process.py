"""What a helper process does in the tests of the fork server: as the file "what" in its folder says."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from core.automl.tuning.processes import end_with_parent


def main(folder: Path) -> int:
    """Do it."""
    what = (folder / "what").read_text()
    if what != "sleep unattended":
        end_with_parent(os.getppid())
    if what == "fail":
        raise ValueError("on purpose")
    if what == "exit":
        sys.exit(7)
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "draw":
        (folder / f"drawn-{os.getpid()}").write_text(f"{random.random()} {np.random.random()}")
    if what == "echo":
        for line in sys.stdin:
            print(line.strip().upper(), flush=True)  # noqa: T201
    if what.startswith("sleep"):
        child = subprocess.Popen(["sleep", "60"])
        (folder / "pids").write_text(f"{os.getpid()} {child.pid}")
        time.sleep(60)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
