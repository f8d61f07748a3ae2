"""Cost of a pipeline whose steps are all kept, against the run that executed them, and against its bare commands.

    python benchmarks/pipelines.py

A chain of ten steps, each of which copies a table of 1 MB: without the catalog (`run_pipeline`), and as a run of an
installation in a temporary folder (`core.tasks.pipeline`). Medians of several repetitions in this process.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from core.access import LOCAL

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.pipelines import Pipeline, load_pipeline, run_pipeline

_STEPS = 10
_REPEATS = 5
_BYTES = 1_000_000


def _text() -> str:
    lines = ["type: pipeline", "display_name: chain of ten", "jobs:"]
    for number in range(_STEPS):
        source = f"${{{{parent.jobs.step_{number - 1}.outputs.out}}}}" if number else "step"
        command = (
            "cp ${{inputs.data}}/n ${{outputs.out}}/n"
            if number
            else f"head -c {_BYTES} /dev/zero > ${{{{outputs.out}}}}/n"
        )
        lines += [
            f"  step_{number}:",
            f"    command: {command}; true {number}",
            "    environment: none",
            f'    inputs: {{data: "{source}"}}',
            "    outputs: {out: }",
        ]
    return "\n".join(lines)


def _seconds(function: Callable[[], object], repeats: int = _REPEATS) -> float:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _commands(folder: Path) -> None:
    """Run the same commands in one shell."""
    lines = [f"mkdir -p {folder}/0; head -c {_BYTES} /dev/zero > {folder}/0/n"]
    lines += [f"mkdir -p {folder}/{n}; cp {folder}/{n - 1}/n {folder}/{n}/n" for n in range(1, _STEPS)]
    subprocess.run(["bash", "-c", "\n".join(lines)], check=True)


def _in_process(pipeline: Pipeline, folder: Path) -> None:
    number = iter(range(1_000))

    def run() -> None:
        run_pipeline(pipeline, workdir=folder / f"w{next(number)}", cache=folder / "cache")

    began = time.perf_counter()
    run()
    first = time.perf_counter() - began
    kept = _seconds(run)
    bare = _seconds(lambda: _commands(folder / "bare"))
    print(f"run_pipeline, {_STEPS} steps: {first:.3f} s executed, {kept:.3f} s kept ({kept / first:.2f} of it);")
    print(f"  the bare commands in one shell: {bare:.3f} s ({bare / first:.2f} of it)")


def _as_run(folder: Path) -> None:
    os.environ["PLUMBLINE_HOME"] = str(folder / "home")
    from core import jobs
    from core.catalog import approvals, runs
    from core.tasks import pipeline

    jobs.warm_up()
    text = _text()
    read = pipeline.read(text, {}, folder / "read", access=LOCAL)
    approvals.approve([command.digest for command in pipeline.unapproved(read, access=LOCAL)], access=LOCAL)

    def run() -> None:
        run_id = pipeline.submit(text, title="benchmark", access=LOCAL)
        ended = jobs.wait(run_id, 300, access=LOCAL)
        assert ended.state == "SUCCEEDED", ended.error_message
        executed.append(len(runs.children(run_id, access=LOCAL)))

    executed: list[int] = []
    began = time.perf_counter()
    run()
    first = time.perf_counter() - began
    kept = _seconds(run)
    print(f"as a run: {first:.2f} s executed, {kept:.2f} s kept ({kept / first:.2f} of it); steps executed {executed}")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pipeline.yml").write_text(_text(), encoding="utf-8")
        _in_process(load_pipeline(folder / "pipeline.yml"), folder)
        _as_run(folder)


if __name__ == "__main__":
    main()
