"""A full disk: a real one, a small file system in memory that holds the installation."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import RunState
from core.errors import StorageError
from core.storage import ArtifactStore


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of 8 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if not sys.platform.startswith("linux") or mount is None:
        pytest.skip("needs Linux and its mount command")
    made = subprocess.run([mount, "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no right to mount a small file system: {made.stderr.strip()}")
    yield disk
    # Lazy: a process that is just ending may still hold a file.
    subprocess.run(["umount", "--lazy", disk], check=True)


def test_store_leaves_nothing_behind(small_disk, tmp_path):
    store = ArtifactStore(str(small_disk / "artifacts"))
    kept = store.put_bytes(b"kept")
    big = tmp_path / "big"
    big.write_bytes(bytes(16 << 20))
    for put in (lambda: store.put_file(big), lambda: store.put_bytes(bytes(16 << 20))):
        with pytest.raises(StorageError, match="disk is full") as caught:
            put()
        assert "Free some space" in caught.value.hint
    files = [path for path in small_disk.rglob("*") if path.is_file()]
    assert files == [Path(store.local_path(kept))]
    assert store.read_bytes(store.put_bytes(b"room again")) == b"room again"


@pytest.mark.parametrize("what", ["artifact", "scratch", "events"])
def test_run_says_so(installation, small_disk, what):
    with installation(small_disk / "home"):
        run = jobs.wait(jobs.submit("fill", {"with": what}, access=LOCAL), 60, access=LOCAL)
        assert run.state is RunState.FAILED
        assert "disk is full" in run.error_message
        assert "Free some space" in run.error_hint
        assert not list((small_disk / "home" / "artifacts").rglob("*/*"))


def test_run_that_cannot_be_started_says_why(installation, small_disk):
    with installation(small_disk / "home"):
        blocked = small_disk / "home" / "runs"
        jobs.tick()
        blocked.write_text("a file where the folder should be")
        run = jobs.get(jobs.submit("count", {"steps": 1}, access=LOCAL), access=LOCAL)
        assert run.state is RunState.FAILED
        assert "could not be started" in run.error_message
