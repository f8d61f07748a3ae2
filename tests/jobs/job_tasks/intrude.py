"""Tries what a run in a sandbox must not be able to do, and returns what came of each attempt.

``try``: "everything" for all that can be tried in one run; the other values name what ends the run.
"""

import glob
import os
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from core import jobs
from core.access import Access
from core.catalog import RunArtifact, artifacts, datasets, engine, events, runs
from core.jobs import RunContext, TaskSpec
from core.progress import Event
from core.storage import get_store

SPEC = TaskSpec(name="intrude", title="Intrude")

REACHED = "reached"


def _attempt(action) -> str:
    try:
        return f"{REACHED}: {action()!r}"
    except Exception as error:  # noqa: BLE001  (whatever refuses it)
        return f"{type(error).__name__}: {error}"


def _connect(family, address):
    with socket.socket(family) as client:
        client.settimeout(3)
        client.connect(address)


def _environments() -> str:
    texts = [repr(os.environ)]
    for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
        try:
            texts.append(Path(path).read_bytes().decode(errors="replace"))
        except OSError as error:
            texts.append(str(error))
    return "\n".join(texts)


def _write(path) -> None:
    with open(path, "ab") as file:
        file.write(b"#")


def run(context: RunContext) -> dict:
    settings = context.settings
    context.report(Event("work", None, "Trying"))
    match settings["try"]:
        case "forks":
            children = []
            while len(children) < 10_000:
                children.append(os.fork())
                if children[-1] == 0:
                    time.sleep(600)
        case "memory":
            bytearray(50 << 30)
        case "filled":  # below the bound of one process, in several
            code = "import time; held = bytearray(200 << 20); time.sleep(600)"
            for _ in range(8):
                subprocess.Popen([sys.executable, "-c", code])
            time.sleep(600)
        case "disk":
            for number in range(10_000):
                (context.workdir / f"{number}").write_bytes(os.urandom(4 << 20))
        case "deleted":
            files = []
            for number in range(1_000):
                path = Path("/tmp") / f"{number}"
                files.append(path.open("wb"))
                path.unlink()
                files[-1].write(os.urandom(4 << 20))
                files[-1].flush()
        case "store":
            for _ in range(10_000):
                get_store().put_bytes(os.urandom(4 << 20))
        case "everything":
            path = context.workdir / "own"
            path.write_bytes(b"own")
            read = get_store().read_bytes(context.keep("kept", path)).decode()
            return {"read": read, "attempts": _attempts(context), "left": _leave(), "environments": _environments()}
    return {}


def _leave() -> int:
    code = "import os, time; os.setsid(); time.sleep(600)"
    return subprocess.Popen([sys.executable, "-c", code], start_new_session=True).pid


def _attempts(context: RunContext) -> dict[str, str]:
    settings = context.settings
    home, root = Path(settings["home"]), Path(__file__).parents[3]
    other, own = settings["other"], context.access
    foreign = Access.engine("another")
    attempts = {
        "open the catalog": lambda: (home / "catalog.db").open("rb"),
        "query the catalog": lambda: sqlite3.connect(home / "catalog.db").execute("SELECT * FROM run").fetchall(),
        "open a session": lambda: engine.get_engine(),
        "another run's log": lambda: (home / "runs" / other / "log.txt").read_bytes(),
        "another run's folder": lambda: os.listdir(home / "runs" / other),
        "write the own log's folder": lambda: _write(home / "runs" / context.run.id / "outcome.json"),
        "list the artifacts": lambda: os.listdir(home / "artifacts"),
        "the project's settings": lambda: (root / "pyproject.toml").read_bytes(),
        "the server's passwords": lambda: Path("/etc/shadow").read_bytes(),
        "loopback": lambda: _connect(socket.AF_INET, ("127.0.0.1", settings["port"])),
        "outside": lambda: _connect(socket.AF_INET, ("1.1.1.1", 53)),
        "a local socket": lambda: _connect(socket.AF_UNIX, settings["socket"]),
        "an abstract socket": lambda: _connect(socket.AF_UNIX, settings["abstract"]),
        "write the code": lambda: _write(root / "core" / "settings.py"),
        "write the environment": lambda: _write(Path(sys.prefix) / "pyvenv.cfg"),
        "fill memory as a folder": lambda: _write("/dev/filled"),
        "fill the root": lambda: _write("/filled"),
        "another's pid": lambda: os.kill(settings["pid"], 0),
        "become root": lambda: os.setuid(0),
        "raise a limit": _raise_a_limit,
        "another workspace's run": lambda: runs.get(settings["foreign"], access=foreign),
        "another workspace's runs": lambda: next(
            run.id for run in runs.find(access=foreign) if run.workspace != own.workspace
        ),
        "another workspace's dataset": lambda: datasets.get(settings["foreign_dataset"], access=foreign),
        "a content of another workspace": lambda: get_store().read_bytes(settings["backwards"][::-1]),
        "claim a content of another workspace": lambda: artifacts.add(
            RunArtifact(
                workspace=own.workspace,
                run_id=context.run.id,
                name="stolen",
                digest=settings["backwards"][::-1],
                size_bytes=1,
            ),
            access=own,
        ),
        "delete a content": lambda: get_store().delete(settings["backwards"][::-1]),
        "a file of another run": lambda: artifacts.add(
            RunArtifact(workspace=own.workspace, run_id=other, name="x", digest="0" * 64, size_bytes=1), access=own
        ),
        "an event of another run": lambda: events.append(other, Event("x"), access=own),
        "another run's title": lambda: runs.set_fields(other, ["SUCCEEDED"], title="mine", access=own),
        "the own limits": lambda: runs.set_fields(context.run.id, ["RUNNING"], timeout_s=1e9, access=own),
        "the own state": lambda: runs.change_state(context.run.id, ["RUNNING"], "SUCCEEDED", access=own),
        "start a run": lambda: jobs.submit("count", {}, access=own),
        "cancel a run": lambda: jobs.cancel(other, access=own),
    }
    return {name: _attempt(action) for name, action in attempts.items()}


def _raise_a_limit() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_NPROC, (100_000, 100_000))
