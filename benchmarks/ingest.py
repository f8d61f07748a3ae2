"""Time to import a large CSV as a dataset with its profile, relative to DuckDB alone.

Generates a CSV of the given size with columns of every type, then measures in the same run, each in a separate
process and with the file in the page cache:

* ours: `read_table` (types, Parquet, fingerprint) and `profile`, with the peak of resident memory;
* DuckDB's: `COPY` of `read_csv` to Parquet, and `SUMMARIZE` of it.

    python benchmarks/ingest.py --gb 1

The target: at most 2 times DuckDB's time, and a peak below 1.5 GB.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BYTES_A_ROW = 127
RATIO_LIMIT = 2.0
PEAK_LIMIT_MB = 1_500

COLUMNS = """
    i AS id,
    (hash(i) % 73 + 17)::INT AS age,
    round(exp((hash(i + 1) % 1000000) / 100000.0), 2) AS amount,
    CASE WHEN hash(i + 2) % 20 = 0 THEN NULL ELSE (hash(i + 3) % 100000) / 1000.0 END AS reading,
    ['north', 'south', 'east', 'west', 'centre'][(hash(i + 4) % 5 + 1)::INT] AS region,
    'city ' || (hash(i + 5) % 20000) AS city,
    hash(i + 6) % 3 = 0 AS active,
    DATE '2015-01-01' + (hash(i + 7) % 3650)::INT AS day,
    TIMESTAMP '2020-01-01' + to_seconds((hash(i + 8) % 100000000)::BIGINT) AS seen,
    lpad((hash(i + 9) % 100000)::VARCHAR, 5, '0') AS zip,
    'note ' || md5(i::VARCHAR) || CASE WHEN i % 10 = 0 THEN ', "quoted"' ELSE '' END AS note,
    CASE WHEN hash(i + 11) % 50 = 0 THEN 'NA' ELSE (hash(i + 10) % 1000)::VARCHAR END AS score,
    (hash(i + 12) % 2)::INT AS target
"""


def generate(path: Path, gigabytes: float) -> None:
    """Write the CSV."""
    import duckdb

    rows = int(gigabytes * 1e9 / BYTES_A_ROW)
    duckdb.execute("SET enable_progress_bar = false")
    duckdb.execute(f"COPY (SELECT {COLUMNS} FROM range({rows}) t(i)) TO '{path}' (HEADER)")


def ours(path: Path, folder: Path) -> dict[str, float]:
    """Read and profile."""
    from core.datasets import profile, read_table

    start = time.perf_counter()
    table = read_table(path, workdir=folder)
    middle = time.perf_counter()
    described = profile(table)
    end = time.perf_counter()
    assert described.rows == table.rows
    assert table.report.skipped == 0
    return {"read": middle - start, "profile": end - middle, "total": end - start, "rows": table.rows}


def reference(path: Path, folder: Path) -> dict[str, float]:
    """COPY and SUMMARIZE, with the threads that the machine has."""
    import duckdb

    connection = duckdb.connect()
    start = time.perf_counter()
    out = folder / "reference.parquet"
    connection.execute(f"COPY (SELECT * FROM read_csv('{path}')) TO '{out}' (FORMAT parquet)").fetchall()
    middle = time.perf_counter()
    connection.execute(f"SUMMARIZE SELECT * FROM '{out}'").fetchall()
    end = time.perf_counter()
    return {"copy": middle - start, "summarize": end - middle, "total": end - start}


def in_child(kind: str, path: Path, folder: Path) -> dict[str, float]:
    """Run one of the two in a process of its own."""
    command = [sys.executable, __file__, "--child", kind, str(path), str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _used(measured: dict[str, float]) -> str:
    return f"processors {measured['cpu']:6.1f} s   peak {measured['peak_mb']:,.0f} MB"


def main() -> int:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gb", type=float, default=1.0, help="size of the CSV, 10^9 bytes")
    parser.add_argument("--repeats", type=int, default=1, help="measure so many times and take each side's best")
    parser.add_argument("--child", nargs=3, metavar=("KIND", "CSV", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        sys.path.insert(0, str(ROOT))
        kind, path, folder = arguments.child
        measured = {"ours": ours, "reference": reference}[kind](Path(path), Path(folder))
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        measured["peak_mb"] = max(usage.ru_maxrss for usage in used) / 1024
        measured["cpu"] = sum(usage.ru_utime + usage.ru_stime for usage in used)
        print(json.dumps(measured))
        return 0
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as folder_name:
        folder = Path(folder_name)
        path = folder / "table.csv"
        generate(path, arguments.gb)
        print(f"CSV of {path.stat().st_size / 1e9:.2f} GB")
        runs = []
        for _ in range(arguments.repeats):
            theirs = in_child("reference", path, folder)
            mine = in_child("ours", path, folder)
            runs.append((theirs, mine))
            print(
                f"DuckDB  COPY {theirs['copy']:6.1f} s   SUMMARIZE {theirs['summarize']:6.1f} s   "
                f"together {theirs['total']:6.1f} s   {_used(theirs)}"
            )
            print(
                f"ours    read {mine['read']:6.1f} s   profile   {mine['profile']:6.1f} s   "
                f"together {mine['total']:6.1f} s   {_used(mine)}"
            )
    ratio, cpu = (min(mine[x] for _, mine in runs) / min(theirs[x] for theirs, _ in runs) for x in ("total", "cpu"))
    peak = max(mine["peak_mb"] for _, mine in runs)
    passed = ratio <= RATIO_LIMIT and peak < PEAK_LIMIT_MB
    print(
        f"ratio {ratio:.2f} (at most {RATIO_LIMIT}), {cpu:.2f} of processor time, "
        f"peak {peak:,.0f} MB (below {PEAK_LIMIT_MB:,}): "
        f"{'PASS' if passed else 'FALLS SHORT'}"
    )
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
