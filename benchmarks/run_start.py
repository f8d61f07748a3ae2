"""Time from the submission of a small import to its end: forked from a warm process, a new interpreter, a sandbox.

    python benchmarks/run_start.py [--repeats 10]

The ways alternate in one process; each is given as its median with the least and the most, and the ratios to the first.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from core.access import LOCAL

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ["PLUMBLINE_HOME"] = tempfile.mkdtemp(prefix="plumbline-run-start-")

from core import fork_server, jobs  # noqa: E402
from core.jobs.launchers import local  # noqa: E402
from core.tasks import ingest  # noqa: E402


def import_s(number: int) -> float:
    """Return how long an import of two rows takes."""
    start = time.perf_counter()
    table = io.BytesIO(f"a,b\n1,{number}\n2,3\n".encode())
    run = jobs.wait(ingest.submit_upload(table, "table.csv", access=LOCAL), 60, access=LOCAL)
    assert run.result is not None, run.error_message
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10)
    repeats = parser.parse_args().repeats
    start = time.perf_counter()
    jobs.warm_up()
    server = fork_server.running_server(local.PRELOAD)
    if server is None:
        raise SystemExit("Processes are not forked on this system.")
    while not server.ready:
        time.sleep(0.01)
    print(f"the libraries are loaded after {time.perf_counter() - start:.1f} s")
    warm, cold, sandboxed = [], [], []
    bubblewrap = shutil.which("bwrap") is not None
    running = local.running_server
    for number in range(-1, repeats):
        local.running_server = running
        forked = import_s(2 * number)
        local.running_server = lambda _: None
        started = import_s(2 * number + 1)
        if bubblewrap:
            local.running_server = running
            os.environ["PLUMBLINE_SANDBOX"] = "bubblewrap"
            sandboxed.append(import_s(2 * repeats + number + 2))
            del os.environ["PLUMBLINE_SANDBOX"]
        if number >= 0:  # the first of each also makes the catalog
            warm.append(forked)
            cold.append(started)
    ways = {"forked": warm, "new interpreter": cold} | ({"forked, in a sandbox": sandboxed[1:]} if bubblewrap else {})
    for name, seconds in ways.items():
        print(f"{name}: {statistics.median(seconds):.2f} s [{min(seconds):.2f}, {max(seconds):.2f}]")
    for name, seconds in ways.items():
        print(f"ratio of {name}: {statistics.median(seconds) / statistics.median(warm):.1f}")


if __name__ == "__main__":
    main()
