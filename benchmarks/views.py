"""Processor time and memory of a server per view of a page, side by side for the pages of finished runs.

    python benchmarks/views.py [HOME] [--repeats 5] [--only WORD]

HOME is an installation that `python -m core.demo HOME` filled; without it one is made, which takes minutes. A server
works on a copy. A visitor opens each page over the server's WebSocket, as a browser does, but draws nothing: first on a
server that has not shown the page, then again and again, each time in a session of its own.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

ROOT = Path(__file__).resolve().parents[1]
MB = 2**20
START_S = 60.0
VIEW_S = 180.0


@dataclass(frozen=True)
class View:
    """What opening a page took.

    Parameters
    ----------
    cpu_s, wall_s : float
        Processor time of the server, and time until the page was drawn (seconds).
    peak_mb : float
        Highest memory of the server meanwhile (MB).
    sent_bytes : int
        Size of the messages that the server sent.
    errors : tuple of str
        Titles and texts of errors that the page shows.
    """

    cpu_s: float
    wall_s: float
    peak_mb: float
    sent_bytes: int
    errors: tuple[str, ...]


class Server:
    """A running `streamlit run app.py` on an installation."""

    def __init__(self, home: Path, environment: Mapping[str, str] | None = None) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._log = (home / "server.log").open("ab")
        options = (
            "headless=true",
            "address=127.0.0.1",
            f"port={self.port}",
            "fileWatcherType=none",
            "disconnectedSessionTTL=1",  # each view is of a session of its own, which is not needed again
        )
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", *(f"--server.{option}" for option in options)],
            cwd=ROOT,
            env={**os.environ, **(environment or {}), "PLUMBLINE_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._measured = psutil.Process(self._process.pid)
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_stcore/health", timeout=2) as answer:
                    if answer.read() == b"ok":
                        return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.1)
        self.stop()
        raise SystemExit(f"The server did not start; see {self._log.name}.")

    def stop(self) -> None:
        """End the server."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _cpu_s(self) -> float:
        times = self._measured.cpu_times()
        return times.user + times.system

    def _forget_peak(self) -> None:
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5", encoding="ascii")

    def _peak_mb(self) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) / 1024

    def visit(self, page: str, query: dict[str, str]) -> View:
        """Open a page in a session of its own, and wait until it is drawn."""
        self._forget_peak()
        began, used = time.perf_counter(), self._cpu_s()
        errors, sent = [], 0
        address = f"ws://127.0.0.1:{self.port}/_stcore/stream"
        with connect(address, subprotocols=["streamlit"], max_size=None) as session:  # type: ignore[list-item]
            asked = BackMsg()
            asked.rerun_script.query_string = urlencode(query)
            asked.rerun_script.page_name = page
            asked.rerun_script.context_info.url = f"http://127.0.0.1:{self.port}/{page}"
            asked.rerun_script.context_info.timezone = "UTC"
            session.send(asked.SerializeToString())
            deadline, runs = time.monotonic() + VIEW_S, 0
            while True:
                content = session.recv(timeout=max(0.0, deadline - time.monotonic()))
                assert isinstance(content, bytes)
                sent += len(content)
                message = ForwardMsg.FromString(content)
                kind = message.WhichOneof("type")
                runs += kind == "new_session"
                if kind == "delta" and message.delta.new_element.HasField("alert"):
                    alert = message.delta.new_element.alert
                    if alert.format == alert.ERROR:
                        errors.append(f"{alert.title} {alert.body}".strip())
                if kind == "delta" and message.delta.new_element.HasField("exception"):
                    errors.append(message.delta.new_element.exception.message)
                if kind == "script_finished" and message.script_finished in (
                    ForwardMsg.FINISHED_SUCCESSFULLY,
                    ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
                ):
                    break
        wall = time.perf_counter() - began
        return View(self._cpu_s() - used, wall, self._peak_mb(), sent, tuple(errors))


@contextmanager
def running(home: Path, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run a server on an installation; the first page is shown once, so that its libraries are loaded."""
    server = Server(home, environment)
    try:
        server.visit("", {})
        yield server
    finally:
        server.stop()


def finished_views(home: Path) -> dict[str, tuple[str, dict[str, str]]]:
    """Return the addresses of the pages of finished runs that `core.demo` made: page and query, by name."""
    with closing(sqlite3.connect(home / "catalog.db")) as connection:
        finished = "FROM run WHERE state = 'SUCCEEDED' ORDER BY created_at DESC"
        runs = dict(connection.execute(f"SELECT task, id {finished}").fetchall())  # the first of each kind
        search, dataset = connection.execute(
            f"SELECT id, dataset_id {finished.replace('ORDER', 'AND task = ? ORDER')}", ("automl",)
        ).fetchall()[-1]
        (model,) = connection.execute("SELECT id FROM model WHERE name = 'Credit risk'").fetchone()
    views = {"Home": ("", {}), "Data, columns": ("data", {"dataset": dataset})}
    tabs = {
        ("AutoML", "automl", "run", search): "Leaderboard, Charts, Explain, Where it fails, Decide, What-if, Method",
        ("Fairness", "fairness", "run", search): "Groups, Compare, Threshold lab, Mitigations, Report, Bias audit",
        ("Fine-tuning", "finetune", "run", runs["finetune"]): "Mistakes, Test texts, Learning, Decide, Try it",
        ("Edge export", "edge", "run", runs["export"]): "Variants, Parity, Graph, Measurements",
        ("Edge latency", "edge", "run", runs["latency"]): "Latency, Operators, Method",
        ("Models", "models", "model", model): "Versions, Card, Compare, Score, Decide, History, Lineage",
        ("Scored file", "models", "run", runs["score"]): "Differences, Predictions, Rows",
        ("Runs", "runs", "run", search): "Facts, Log, Files",
    }
    if "pipeline" in runs:
        tabs["Pipelines", "pipelines", "run", runs["pipeline"]] = "Outputs, Steps"
    for (title, page, parameter, identity), named in tabs.items():
        views |= {f"{title}, {tab}": (page, {parameter: identity, "tab": tab}) for tab in named.split(", ")}
    return views | {"Runs": ("runs", {}), "Models": ("models", {}), "Edge": ("edge", {})}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", nargs="?", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="", help="measure the views whose name contains this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="plumbline-views-") as scratch:
        home = Path(scratch) / "home"
        if options.home is None:
            subprocess.run([sys.executable, "-m", "core.demo", str(home)], cwd=ROOT, check=True)
        else:
            shutil.copytree(options.home, home)
        print(f"{'view':32} {'first':>9} {'again':>9} {'drawn in':>9} {'sent':>9} {'peak':>8}")
        with running(home) as server:
            for name, (page, query) in finished_views(home).items():
                if options.only.lower() not in name.lower():
                    continue
                first = server.visit(page, query)
                again = [server.visit(page, query) for _ in range(options.repeats)]
                cpu, wall = (statistics.median(getattr(view, part) for view in again) for part in ("cpu_s", "wall_s"))
                peak = max(view.peak_mb for view in (first, *again))
                print(
                    f"{name:32} {1000 * first.cpu_s:6.0f} ms {1000 * cpu:6.0f} ms {1000 * wall:6.0f} ms "
                    f"{first.sent_bytes / 1024:6.0f} KB {peak:5.0f} MB",
                    flush=True,
                )
                for text in first.errors:
                    print(f"    {text}")


if __name__ == "__main__":
    main()
