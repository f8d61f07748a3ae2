"""Has children: one in the run's session, one that opened its own, and an orphan that did so; then waits.

``deaf``: none of them heeds TERM. ``hold_mb``: the orphan fills as much memory. ``leave``: the task ends at once.
"""

import os
import signal
import subprocess
import sys
import time

from core.jobs import RunContext, TaskSpec
from core.progress import Event

SPEC = TaskSpec(name="family", title="Family")

CHILD = """
import signal, sys, time
if {deaf}: signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
held = bytearray({hold_mb} << 20)
time.sleep(600)
"""
PARENT_OF_ORPHAN = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], start_new_session=True, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
child.returncode = 0
"""


def _child(code: str, own_session: bool) -> int:
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=own_session, stdout=subprocess.PIPE)
    process.stdout.readline()
    return process.pid


def run(context: RunContext) -> dict:
    settings = context.settings
    deaf, hold_mb = settings.get("deaf", False), settings.get("hold_mb", 0)
    quiet = CHILD.format(deaf=deaf, hold_mb=0)
    orphan = subprocess.run([sys.executable, "-c", PARENT_OF_ORPHAN, quiet], stdout=subprocess.PIPE, check=True)
    pids = [
        _child(quiet, own_session=False),
        _child(CHILD.format(deaf=deaf, hold_mb=hold_mb), own_session=True),
        int(orphan.stdout),
    ]
    if deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    context.report(Event("family", None, "All here", {"pids": [*pids, os.getpid(), os.getppid()]}))
    while not settings.get("leave", False):
        time.sleep(1)
    return {"left": pids}
