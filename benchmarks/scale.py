"""Runs on a cluster of two Ray nodes against runs on one machine, with PostgreSQL and an S3 server under both.

    python benchmarks/scale.py [--repeats 10] [--queued 200]

1. From the submission of a run to its first line of work: on the cluster and on this machine, in turns, with the ratio.
2. Many queued runs, drained by two nodes while the server only keeps time: runs per minute, their order, double starts.

All servers and nodes are processes of this machine: what is measured is the way that a run takes, and not a network.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core import jobs  # noqa: E402
from core.access import LOCAL  # noqa: E402
from core.catalog import Run, RunState  # noqa: E402
from core.jobs import Needs  # noqa: E402
from core.settings import get_settings  # noqa: E402
from tests.ray_nodes import ray_cluster  # noqa: E402
from tests.servers import KEYS, moto, postgresql_server  # noqa: E402

CPUS = 2
NEEDS = Needs(cpus=1, memory_mb=200)


@contextmanager
def installation() -> Iterator[str]:
    """Start two nodes and what they share; yield the setting of the engine."""
    import s3fs

    folder = Path(tempfile.mkdtemp(prefix="plumbline-scale-"))
    with postgresql_server() as server, moto(folder) as address, ray_cluster() as ray:
        shared = {
            **KEYS,
            "AWS_ENDPOINT_URL": address,
            "PLUMBLINE_DATABASE": server.replace("postgresql://", "postgresql+psycopg://"),
            "PLUMBLINE_STORAGE": "s3://plumb",
            "PLUMBLINE_TASK_PACKAGES": "core.tasks,tests.jobs.job_tasks",
        }
        s3fs.S3FileSystem(endpoint_url=address, key="testing", secret="testing").mkdir("plumb")
        for name in ("one", "two"):
            ray.add(cpus=CPUS, environment={**shared, "PLUMBLINE_HOME": str(folder / name)})
        os.environ |= {**shared, "PLUMBLINE_HOME": str(folder / "server"), "PLUMBLINE_ENGINE_TOKEN": ray.token}
        yield ray.engine


def use(engine: str) -> None:
    """Let this process place runs there from now on."""
    os.environ["PLUMBLINE_ENGINE"] = engine
    get_settings.cache_clear()


def submit(number: int) -> str:
    """Submit a run that takes no time."""
    return jobs.submit("count", {"steps": 1, "pause": 0.0}, title=f"{number}", needs=NEEDS, access=LOCAL)


def first_line_s(number: int) -> float:
    """Return the seconds from the submission of a run to the first line of its work."""
    began = time.time()
    run_id = submit(number)
    run = jobs.wait(run_id, 120, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    return jobs.events(run_id, access=LOCAL)[0].at - began


def drain(count: int) -> None:
    """Queue many runs, let the nodes work on them, and print how that went."""
    os.environ["PLUMBLINE_TICK_EVERY_S"] = "10"
    get_settings.cache_clear()
    began = time.monotonic()
    ids = [submit(number) for number in range(count)]
    jobs.keep_time()
    runs: list[Run] = []
    while len(runs) < count:
        time.sleep(2.0)
        runs = [run for run in (jobs.get(run_id, access=LOCAL) for run_id in ids) if run.state.terminal]
    took = time.monotonic() - began
    events = [len(jobs.events(run_id, access=LOCAL)) for run_id in ids]
    placed = [run.id for run in sorted(runs, key=lambda run: run.placed_at or 0.0)]
    started = [run.id for run in sorted(runs, key=lambda run: run.started_at or 0.0)]
    moved = max(abs(started.index(run_id) - number) for number, run_id in enumerate(ids))
    print(f"{count} queued runs on two nodes of {CPUS} CPUs: {took:.0f} s, {60 * count / took:.0f} per minute")
    print(f"  succeeded: {sum(run.state is RunState.SUCCEEDED for run in runs)}")
    print(f"  placed in the order of the queue: {'yes' if placed == ids else 'no'}")
    print(f"  started at most {moved} positions from it")
    print(f"  worked on more than once: {sum(number != 1 for number in events)}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--queued", type=int, default=200)
    arguments = parser.parse_args()
    with installation() as engine:
        seconds: dict[str, list[float]] = {engine: [], "local": []}
        for number in range(-1, arguments.repeats):
            for where, values in seconds.items():
                use(where)
                value = first_line_s(number)
                if number >= 0:
                    values.append(value)
        for where, values in seconds.items():
            name = "this machine, a new interpreter" if where == "local" else "a node of Ray"
            print(f"{name}: {statistics.median(values):.2f} s ({min(values):.2f} to {max(values):.2f})")
        print(f"ratio {statistics.median(seconds[engine]) / statistics.median(seconds['local']):.2f}")
        use(engine)
        drain(arguments.queued)


if __name__ == "__main__":
    main()
