"""The measuring process seen from outside: started, polled, kept within its limits, and ended.

The child announces each step that it begins, and this side keeps the time. So progress costs the child nothing while
it measures.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil
from pydantic import JsonValue, TypeAdapter

from core.edge.latency.machine import pick_cores
from core.edge.latency.messages import Job, Step
from core.edge.latency.settings import Limits
from core.errors import (
    ErrorRecord,
    InputError,
    LimitError,
    PlumblineError,
    StoppedError,
    UnexpectedError,
    from_record,
)
from core.progress import Event, Report, silent

__all__ = ["describe_exit", "run_in_child"]

T = TypeVar("T")

_ROOT = Path(__file__).resolve().parents[3]
_POLL_S = 0.1
_REPORT_S = 0.3
_GRACE_S = 10.0
_PHASES = {
    "start": "Starting the measuring process",
    "load": "Loading the model",
    "first": "First run",
    "tokenise": "Tokenizing the texts",
    "floor": "Measuring the harness itself",
    "warmup": "Warming up",
    "search": "Searching for the highest rate",
    "measure": "Measuring",
    "profile": "Profiling operators",
    "roof": "Measuring the limits of the machine",
    "work": "Counting the work of the graph",
}


def run_in_child(
    job: Job,
    folder: Path,
    result_type: type[T],
    *,
    duration_s: float,
    limits: Limits,
    library_threads: int = 1,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[T, list[int]]:
    """Run a job in a process of its own; return its result, and the cores that the process was pinned to.

    Parameters
    ----------
    job : Job
        The operation. The process gets as many cores as the settings have threads.
    folder : Path
        Folder with the job's files; the child leaves its files there, too.
    result_type : type
        Type of the operation's result.
    duration_s : float
        Seconds that all timed parts together should take.
    limits : Limits
        Limits of the process.
    library_threads : int, default=1
        Threads of OpenMP and BLAS; ONNX Runtime has a setting of its own.
    report, should_stop : callable, optional
        See `measure_latency`.

    Raises
    ------
    LimitError
        When it takes too much memory or time; it is ended.
    StoppedError
        When `should_stop` says so; it is ended.
    InputError
        When the model cannot be run, or crashes its process.
    """
    cores = pick_cores(job.settings.threads)
    deadline_s = 2 * limits.load_s + 4 * duration_s + 4 * _GRACE_S
    envelope = {
        "job": TypeAdapter(Job).dump_python(job, mode="json"),
        "cores": cores,
        "memory_mb": limits.memory_mb,
        "deadline_s": deadline_s,
    }
    (folder / "job.json").write_text(json.dumps(envelope), encoding="utf-8")
    read_fd, write_fd = os.pipe()
    try:
        with open(folder / "child.log", "wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "core.edge.latency.measuring.main", str(folder), str(write_fd)],
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | _thread_variables(library_threads),
                pass_fds=(write_fd,),
                start_new_session=True,
            )
    finally:
        os.close(write_fd)
    try:
        supervisor = _Supervisor(process, read_fd, limits, duration_s, deadline_s, report or silent, should_stop)
        return TypeAdapter(result_type).validate_python(supervisor.wait()), cores
    finally:
        os.close(read_fd)
        _end(process)


def _thread_variables(threads: int) -> dict[str, str]:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
    return {**dict.fromkeys(names, str(threads)), "TOKENIZERS_PARALLELISM": "false"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and everything it started, at once."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class _Supervisor:
    """Polls one child, and enforces its limits."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        read_fd: int,
        limits: Limits,
        duration_s: float,
        deadline_s: float,
        report: Report,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self._process, self._read_fd, self._limits, self._duration_s = process, read_fd, limits, duration_s
        self._report, self._should_stop = report, should_stop
        self._started = self._step_started = time.monotonic()
        self._deadline_s = deadline_s
        self._step = Step("start", 1.0)
        self._reported = 0.0
        self._planned_s = 0.0
        self._expected_s = duration_s + 2.0
        self._result: JsonValue = None
        self._error: ErrorRecord | None = None
        self._has_result = False
        self._rest = b""

    def wait(self) -> JsonValue:
        """Wait for the child's result."""
        while self._poll():
            if self._should_stop is not None and self._should_stop():
                raise StoppedError("The measurement was stopped.", "Nothing was kept; start it again.")
            self._check_memory()
            self._check_time()
            self._report_progress()
        status = self._process.wait()
        if self._has_result:
            self._report(Event("done", 1.0, "Measured"))
            return self._result
        if self._error is not None:
            raise from_record(self._error)
        raise describe_exit(status)

    def _poll(self) -> bool:
        """Read what the child wrote in the last moment; False when it has closed its end."""
        if not select.select([self._read_fd], [], [], _POLL_S)[0]:
            return True
        chunk = os.read(self._read_fd, 1 << 20)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "step" in message:
                self._planned_s += self._step.seconds
                self._step, self._step_started = Step(**message["step"]), time.monotonic()
            elif "error" in message:
                self._error = message["error"]
            else:
                self._result, self._has_result = message["result"], True
        return bool(chunk)

    def _check_memory(self) -> None:
        with contextlib.suppress(psutil.Error):
            used = psutil.Process(self._process.pid).memory_info().rss / 2**20
            if used > self._limits.memory_mb:
                raise LimitError(
                    f"The model needs more than {self._limits.memory_mb:,} MB of memory.",
                    "Lower batch_size, or raise the limit.",
                )

    def _check_time(self) -> None:
        phase, passed, load_s = self._step.phase, time.monotonic() - self._step_started, self._limits.load_s
        loading = phase in ("start", "load")
        if loading and passed > load_s:
            raise LimitError(
                f"The model was not loaded within {load_s:g} s.", "Raise the limit (load_s), or use a smaller model."
            )
        if phase == "first" and passed > 2 * self._duration_s + _GRACE_S:
            raise LimitError(
                f"One run takes longer than the measurement lasts ({self._duration_s:g} s).",
                "Raise duration_s to some hundred times what a run takes, or check the model.",
            )
        overdue = time.monotonic() - self._started > self._deadline_s
        if overdue or (not loading and passed > 3 * (self._step.seconds + self._duration_s) + _GRACE_S):
            raise LimitError(
                f"The measurement did not end in time ({_PHASES[phase]} for {passed:.0f} s).",
                "Single requests take too long: raise duration_s, or lower batch_size.",
            )

    def _report_progress(self) -> None:
        now = time.monotonic()
        if now - self._reported < _REPORT_S:
            return
        self._reported = now
        done = self._planned_s + min(now - self._step_started, self._step.seconds)
        values = {name: getattr(self._step, name) for name in ("number", "probes", "qps")}
        values = {name: value for name, value in values.items() if value is not None}
        text = _PHASES[self._step.phase]
        if values:
            text = (
                f"{text}: probe {values['number'] + 1} of {values['probes']}, {values['qps']:.4g} requests per second"
            )
        self._report(Event(self._step.phase, min(0.99, done / max(self._expected_s, done)), text, values))


def describe_exit(status: int) -> PlumblineError:
    """Return the error of a child that ended without a result.

    Parameters
    ----------
    status : int
        Its exit status, as `subprocess` has it: negative for a signal.

    Examples
    --------
    >>> describe_exit(-signal.SIGALRM).message
    'The measurement did not end in time.'
    """
    if status == -signal.SIGALRM:
        return LimitError("The measurement did not end in time.", "Raise duration_s, or check the model.")
    if status == -signal.SIGKILL:
        return LimitError("The measuring process was killed: the system ran out of memory.", "Lower batch_size.")
    if status < 0:
        return InputError(
            f"The model crashed its process ({signal.strsignal(-status)}).",
            "It would crash any other process, too: check the file.",
        )
    return UnexpectedError(
        f"The measuring process ended without a result (exit status {status}).",
        "This is a defect of ours: report it, with the model if you can.",
    )
