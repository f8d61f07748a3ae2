"""The cache of golden installations: what a process makes or uses stays, however its parent ended."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

from tests.golden import held, remove_unused


def test_only_installations_that_no_process_holds_are_removed(tmp_path: Path) -> None:
    for name in ("made", "used", "left"):
        (tmp_path / name / "home").mkdir(parents=True)
    command = [sys.executable, "-c", "input()"]
    with held(tmp_path / "made", fcntl.LOCK_EX) as lock:  # a process that makes it and outlives its parent's lock
        maker = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(lock,))
    with maker, held(tmp_path / "used", fcntl.LOCK_SH):
        assert remove_unused(tmp_path) == ["left"]
        assert (tmp_path / "made" / "home").is_dir()
        assert (tmp_path / "used" / "home").is_dir()
        maker.communicate(b"end\n")
        assert remove_unused(tmp_path) == ["made"]
    assert remove_unused(tmp_path) == ["used"]
