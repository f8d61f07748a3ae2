"""A reader never sees half an artifact: writers, readers and killed writers in processes of their own."""

import hashlib
import subprocess
import sys
import time
from pathlib import Path

from core.storage import ArtifactStore

ROOT = Path(__file__).parents[2]
SIZE = 4 << 20

WRITER = f"""
import sys
from core.storage import ArtifactStore
store = ArtifactStore(sys.argv[1])
print("ready", flush=True)
for number in range(int(sys.argv[2])):
    store.put_bytes(bytes([number]) * {SIZE})
    if number % 2:
        store.delete(store.put_bytes(bytes([number]) * {SIZE}))
"""

KILLED = """
import sys, time
from core.storage import ArtifactStore
store = ArtifactStore(sys.argv[1])
def write(file):
    file.write(b"x" * 1_000_000)
    file.flush()
    print("half", flush=True)
    time.sleep(600)
store._store("{digest}", write)
"""


def test_readers_see_all_or_nothing(tmp_path):
    """Two processes store the same 12 contents, and remove half of them, while this one reads."""
    root = str(tmp_path / "artifacts")
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, root, "12"], cwd=ROOT) for _ in range(2)]
    wanted = {hashlib.sha256(bytes([number]) * SIZE).hexdigest() for number in range(12)}
    seen = set()
    while any(writer.poll() is None for writer in writers):
        for path in (tmp_path / "artifacts").glob("??/*"):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue
            assert hashlib.sha256(content).hexdigest() == path.name
            seen.add(path.name)
        time.sleep(0.005)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen <= wanted
    assert len(seen) >= 6
    assert list((tmp_path / "artifacts" / "tmp").iterdir()) == []


def test_killed_writer_leaves_no_artifact(tmp_path):
    root = str(tmp_path / "artifacts")
    digest = hashlib.sha256(b"x" * 2_000_000).hexdigest()
    code = KILLED.format(digest=digest)
    writer = subprocess.Popen([sys.executable, "-c", code, root], cwd=ROOT, stdout=subprocess.PIPE)
    assert writer.stdout.readline() == b"half\n"
    writer.kill()
    writer.communicate()
    store = ArtifactStore(root)
    assert not store.exists(digest)
    assert store.put_bytes(b"x" * 2_000_000) == digest
    assert store.read_bytes(digest) == b"x" * 2_000_000
