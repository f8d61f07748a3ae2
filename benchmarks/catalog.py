"""Events written by 4 processes of 8 threads each: time per event, and whether all are stored.

``python benchmarks/catalog.py [--events 10000]``. Target: a median below 1 ms per event, none lost.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

from core.access import LOCAL

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.catalog import Run, events, runs  # noqa: E402
from core.progress import Event  # noqa: E402

PROCESSES, THREADS = 4, 8
BENCH = replace(LOCAL, workspace="bench")


def write(process: int, count: int, start: float) -> None:
    """Write this process's share from all its threads; print the milliseconds of each event."""
    took: list[list[float]] = [[] for _ in range(THREADS)]
    shares = [len(range(thread, count, THREADS)) for thread in range(THREADS)]
    runs.add(Run(id=f"run{process}", workspace="bench", task="bench"), access=BENCH)  # opens the database

    def work(thread: int) -> None:
        for number in range(shares[thread]):
            values = {"thread": thread, "number": number, "score": 0.123456789}
            before = time.perf_counter()
            events.append(
                f"run{process}",
                Event("search", number / count, f"Trial {number}", values),
                access=BENCH,
            )
            took[thread].append((time.perf_counter() - before) * 1000)

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(THREADS)]
    time.sleep(max(0.0, start - time.time()))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(list(itertools.chain(*took))))


def main() -> int:
    """Run the writers, print the figures, verify the catalog; return 0 when all that was asked holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    count = parser.parse_args().events // PROCESSES
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as home:
        os.environ["PLUMBLINE_HOME"] = home
        start = time.time() + 5
        writers = [
            subprocess.Popen(
                [sys.executable, __file__, "--write", str(process), str(count), str(start)],
                stdout=subprocess.PIPE,
                text=True,
            )
            for process in range(PROCESSES)
        ]
        outputs = [writer.communicate()[0] for writer in writers]
        wall = time.time() - start
        took = sorted(itertools.chain(*(json.loads(output) for output in outputs)))

        ordered = True
        stored = 0
        for process in range(PROCESSES):
            rows = events.read(f"run{process}", access=BENCH)
            stored += len(rows)
            for thread in range(THREADS):
                own = [event.values["number"] for event in rows if event.values["thread"] == thread]
                ordered &= own == list(range(len(own)))

    median, p95, p99 = (took[int(len(took) * share)] for share in (0.5, 0.95, 0.99))
    print(
        f"{PROCESSES} processes x {THREADS} threads, {len(took):,} events in {wall:.2f} s ({len(took) / wall:,.0f}/s)"
    )
    print(f"ms an event: median {median:.3f}, p95 {p95:.2f}, p99 {p99:.2f}, longest {took[-1]:.1f}")
    print(f"stored {stored:,}, lost {len(took) - stored}, each writer's order kept: {ordered}")
    return 0 if stored == len(took) == count * PROCESSES and ordered and median < 1 else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
    else:
        sys.exit(main())
