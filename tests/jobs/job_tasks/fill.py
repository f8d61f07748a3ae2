"""Fills a disk: with an artifact, with events, or with a file of its own."""

import os

from core.jobs import RunContext, TaskSpec
from core.progress import Event
from core.storage import get_store

SPEC = TaskSpec(name="fill", title="Fill")


def run(context: RunContext) -> dict:
    context.report(Event("fill", None, "Filling"))
    match context.settings["with"]:
        case "artifact":
            get_store().put_bytes(os.urandom(64 << 20))
        case "scratch":
            with open(context.workdir / "scratch", "wb") as file:
                while True:
                    file.write(bytes(1 << 20))
        case "events":
            while True:
                context.report(Event("fill", None, "x" * 100_000))
    raise AssertionError("the disk is not full")
