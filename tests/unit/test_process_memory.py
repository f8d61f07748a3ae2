"""Memory of a process that serves, in a process of its own: what was freed goes back, and modules are set aside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVES = """
import gc
from core import process_memory as memory

memory.settle()
print(gc.get_freeze_count())
print(memory.is_high())
memory.use_system_allocator()
memory.keep_below(1)
memory.settle()
settled = gc.get_freeze_count()
print(settled > 10_000)
print(memory.is_high())
memory.settle()
print(gc.get_freeze_count() == settled)
import pyarrow as pa
import email.mime.audio, xml.dom.minidom
memory.settle()
print(gc.get_freeze_count() > settled)
print(pa.default_memory_pool().backend_name)
memory.give_back()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the options are those of the GNU C library")
def test_a_server_keeps_little_and_collects_fast() -> None:
    done = subprocess.run([sys.executable, "-c", SERVES], cwd=ROOT, capture_output=True, text=True, check=True)
    # before the server begins nothing is set aside; then all is, once, and again when more was loaded
    assert done.stdout.split() == ["0", "False", "True", "True", "True", "True", "system"]
