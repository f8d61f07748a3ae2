"""Jobs that take memory or time, or crash, to see what becomes of a process with limits."""

from __future__ import annotations

import os
from typing import Any


def take_memory(job: dict[str, Any], report: object) -> dict[str, Any]:
    parts = [bytearray(b"x") * 2**20 for _ in range(job["mb"])]
    return {"parts": len(parts)}


def take_time(job: dict[str, Any], report: object) -> dict[str, Any]:
    while True:
        pass


def crash(job: dict[str, Any], report: object) -> dict[str, Any]:
    os.kill(os.getpid(), job["signal"])
    return {}


def fail(job: dict[str, Any], report: object) -> dict[str, Any]:
    raise ValueError("of our own")
