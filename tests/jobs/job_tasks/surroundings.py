"""Tells what a run's process finds around it."""

import os
import sys
import tempfile
import threading

from core.jobs import RunContext, TaskSpec
from core.settings import get_settings

SPEC = TaskSpec(name="surroundings", title="Surroundings")


def run(context: RunContext) -> dict:
    return {
        "ANSWER": os.environ.get("ANSWER"),
        "lease_s": get_settings().lease_s,
        "stdin": sys.stdin.read(),
        "threads": threading.active_count(),
        "temporary": tempfile.mkdtemp(),
    }
