"""The measuring process seen from outside: started, listened to, kept within its limits, and ended.

The child says what it begins; this side tells the time. So progress costs the child nothing while it measures.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

import core.errors
from core.edge.latency._machine import pick_cores
from core.edge.latency._settings import Limits
from core.errors import InputError, LimitError, PlumblineError, StoppedError
from core.progress import Event, Report, silent

__all__ = ["in_child"]

_ROOT = Path(__file__).resolve().parents[3]
_POLL_S = 0.1
_REPORT_S = 0.3
_GRACE_S = 10.0
_WORDS = 8_000  # of the child's log are read
_RUNTIME = re.compile(r"\[ONNXRuntimeError\] : \d+ : \w+ : (.+)", re.DOTALL)
_TEXTS = {
    "start": "The measuring process starts",
    "load": "The model is loaded",
    "first": "First run",
    "tokenise": "Texts are tokenised",
    "floor": "The harness measures itself",
    "warmup": "Warm-up",
    "search": "The highest rate is searched",
    "measure": "Measuring",
    "profile": "Operators are profiled",
    "roof": "The machine's limits are measured",
    "work": "The graph's work is counted",
}


def in_child(
    job: Mapping[str, Any],
    folder: Path,
    *,
    threads: int,
    duration_s: float,
    limits: Limits,
    library_threads: int = 1,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[dict[str, Any], list[int]]:
    """Do a job in a process of its own; return its result, and the cores it was kept on.

    Parameters
    ----------
    job : mapping
        ``operation`` and what it needs, JSON-serialisable.
    folder : Path
        Holds the job's files, and what the child leaves.
    threads : int
        Cores that the child gets.
    duration_s : float
        Seconds that all timed parts together should take.
    library_threads : int
        Threads of OpenMP and BLAS; ONNX Runtime has its own setting.

    Raises
    ------
    LimitError
        When it takes too much memory or time; it is ended.
    StoppedError
        When `should_stop` says so; it is ended.
    InputError
        When the model cannot be run, or crashes its process.
    """
    cores = pick_cores(threads)
    whole_s = 2 * limits.load_s + 4 * duration_s + 4 * _GRACE_S
    (folder / "job.json").write_text(
        json.dumps({**job, "cores": cores, "memory_mb": limits.memory_mb, "deadline_s": whole_s}), encoding="utf-8"
    )
    heard, told = os.pipe()
    try:
        with open(folder / "child.log", "wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "core.edge.latency.measuring.main", str(folder), str(told)],
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | _thread_variables(library_threads),
                pass_fds=(told,),
                start_new_session=True,
            )
    finally:
        os.close(told)
    try:
        watch = _Watch(process, heard, limits, duration_s, whole_s, report or silent, should_stop)
        return watch.result(folder / "child.log"), cores
    finally:
        os.close(heard)
        _end(process)


def _thread_variables(threads: int) -> dict[str, str]:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
    return {**dict.fromkeys(names, str(threads)), "TOKENIZERS_PARALLELISM": "false"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and all it started, at once."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class _Watch:
    """Listens to one child, and judges it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        heard: int,
        limits: Limits,
        duration_s: float,
        whole_s: float,
        report: Report,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self._process, self._heard, self._limits, self._duration_s = process, heard, limits, duration_s
        self._report, self._should_stop = report, should_stop
        self._begun = self._since = time.monotonic()
        self._whole_s = whole_s
        self._step: dict[str, Any] = {"phase": "start", "seconds": 1.0}
        self._reported = 0.0
        self._past_s = 0.0
        self._expected_s = duration_s + 2.0
        self._told: dict[str, Any] = {}
        self._rest = b""

    def result(self, log: Path) -> dict[str, Any]:
        """Wait for the child's last word."""
        while self._listen():
            if self._should_stop is not None and self._should_stop():
                raise StoppedError("The measurement was stopped.", "Nothing was kept; start it again.")
            self._check_memory()
            self._check_time()
            self._tell()
        status = self._process.wait()
        if "result" in self._told:
            self._report(Event("done", 1.0, "Measured"))
            return dict(self._told["result"])
        if "error" in self._told:
            error = self._told["error"]
            kind: type[PlumblineError] = getattr(core.errors, error["type"])
            raise kind(error["message"], error["hint"])
        raise _failure(status, log.read_bytes()[-_WORDS:].decode(errors="replace"), self._limits)

    def _listen(self) -> bool:
        """Take in what the child says within a moment; False when it has said all."""
        if not select.select([self._heard], [], [], _POLL_S)[0]:
            return True
        more = os.read(self._heard, 1 << 20)
        *lines, self._rest = (self._rest + more).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "phase" in message:
                self._past_s += self._step["seconds"]
                self._step, self._since = message, time.monotonic()
            else:
                self._told = message
        return bool(more)

    def _check_memory(self) -> None:
        with contextlib.suppress(psutil.Error):
            used = psutil.Process(self._process.pid).memory_info().rss / 2**20
            if used > self._limits.memory_mb:
                raise _out_of_memory(self._limits)

    def _check_time(self) -> None:
        phase, passed, load_s = self._step["phase"], time.monotonic() - self._since, self._limits.load_s
        if phase in ("start", "load") and passed > load_s:
            raise LimitError(
                f"The model was not loaded within {load_s:g} s.", "Raise the limit (load_s), or use a smaller model."
            )
        if phase == "first" and passed > 2 * self._duration_s + _GRACE_S:
            raise LimitError(
                f"One run takes longer than the measurement lasts ({self._duration_s:g} s).",
                "Raise duration_s to some hundred times what a run takes, or check the model.",
            )
        if passed > 3 * (self._step["seconds"] + self._duration_s) + _GRACE_S or self._over():
            raise LimitError(
                f"The measurement did not end in time ({_TEXTS[phase]} for {passed:.0f} s).",
                "Single requests take too long: raise duration_s, or lower batch_size.",
            )

    def _over(self) -> bool:
        return time.monotonic() - self._begun > self._whole_s

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._reported < _REPORT_S:
            return
        self._reported = now
        done = self._past_s + min(now - self._since, self._step["seconds"])
        values = {name: value for name, value in self._step.items() if name in ("number", "probes", "qps")}
        text = _TEXTS[self._step["phase"]]
        if values:
            text = f"{text}: probe {values['number'] + 1} of {values['probes']}, {values['qps']:.4g} requests a second"
        self._report(Event(self._step["phase"], min(0.99, done / max(self._expected_s, done)), text, values))


def _out_of_memory(limits: Limits) -> LimitError:
    return LimitError(
        f"The model needs more than {limits.memory_mb:,} MB of memory.", "Lower batch_size, or raise the limit."
    )


def _failure(status: int, log: str, limits: Limits) -> PlumblineError:
    """Say why a child ended without a word."""
    words = log.strip()
    told = _RUNTIME.findall(words)
    last = (" ".join(told[-1].split()) if told else words.splitlines()[-1] if words else "")[:400]
    if status == -signal.SIGALRM:
        return LimitError("The measurement did not end in time.", "Raise duration_s, or check the model.")
    if status == -signal.SIGKILL:
        return LimitError("The measuring process was killed: the system ran out of memory.", "Lower batch_size.")
    if status < 0:
        return InputError(
            f"The model crashed its process ({signal.strsignal(-status)}).",
            "It works in no process of yours either: check the file.",
        )
    if any(sign in last for sign in ("MemoryError", "bad_alloc", "Failed to allocate memory", "bad allocation")):
        return _out_of_memory(limits)
    return InputError(
        f"The model cannot be run: {last or f'exit status {status}'}.",
        "Check that the inputs fit the model: its own data rather than random values.",
    )
