"""Writes hostile files, or reads them and says what became of each.

``python -m tests.unit.datasets.hostile.run write FOLDER NAME...`` writes them in a process whose memory does not count;
``... read FOLDER MEMORY CPU NAME...`` reads them.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

from core.datasets import Limits, profile, read_table
from core.errors import PlumblineError
from tests.unit.datasets.hostile.corpus import CORPUS

__all__ = ["read_hostile"]


def _cpu_s() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _peak_mb(who: int) -> float:
    if who == resource.RUSAGE_SELF:  # the other counts what the parent had when it started this process
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    return resource.getrusage(who).ru_maxrss / 1024


def read_hostile(name: str, path: Path, limits: Limits) -> dict[str, object]:
    """Read one file and profile its table; return what it said, and what it cost."""
    work = Path(tempfile.mkdtemp(prefix="hostile-"))
    cpu, start = _cpu_s(), time.monotonic()
    rows, said, kind = 0, "", ""
    try:
        table = read_table(path, workdir=work, limits=limits)
        rows = table.rows
        profile(table, limits=limits)
    except PlumblineError as error:
        said, kind = str(error), type(error).__name__
    except BaseException as error:  # noqa: BLE001  (the test says so)
        said, kind = str(error), "crash"
    left = [str(item.relative_to(work)) for item in work.rglob("*")]
    shutil.rmtree(work)
    return {
        "name": name,
        "kb": path.stat().st_size // 1000,
        "rows": rows,
        "kind": kind,
        "said": said[:300],
        "left": [item for item in left if item != "table.parquet" or not rows],
        "cpu_s": round(_cpu_s() - cpu, 2),
        "wall_s": round(time.monotonic() - start, 2),
        "peak_mb": round(max(_peak_mb(resource.RUSAGE_SELF), _peak_mb(resource.RUSAGE_CHILDREN))),
    }


def main(action: str, folder: Path, *arguments: str) -> None:
    """Write or read."""
    if action == "write":
        for name in arguments:
            CORPUS[name].write(folder / str(list(CORPUS).index(name)))
        return
    memory_mb, cpu_s, *names = arguments
    limits = Limits(memory_mb=int(memory_mb), cpu_s=float(cpu_s))
    for name in names:
        path = folder / str(list(CORPUS).index(name))
        sys.stdout.write(json.dumps(read_hostile(name, path, limits)) + "\n")
        sys.stdout.flush()
        path.unlink()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
