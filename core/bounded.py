"""A function that runs in a process of its own, with hard limits on memory and processor time.

What parses bytes from outside may take any memory and time, or crash. In a process with limits it ends in an error of
the tree instead, and the process that asked continues.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from core.errors import (
    ErrorRecord,
    InputError,
    LimitError,
    PlumblineError,
    UnexpectedError,
    from_record,
    lack_of_memory,
)
from core.jsonable import JsonObject
from core.progress import Event, Report, silent

__all__ = ["run_bounded"]

_ROOT = Path(__file__).resolve().parents[1]
_POLL_S = 0.02
_ENOUGH = 0.9
"""Share of the memory limit at which a process is ended: it grows until this process is scheduled again."""
_NEARLY = 0.6
"""Share of the memory limit above which a crash is taken for a failed allocation."""
_ENVIRONMENT = {
    # Libraries reserve memory for each thread, and Arrow's own allocator a lot at once.
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "MALLOC_ARENA_MAX": "2",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}


def run_bounded(
    function: str,
    job: Mapping[str, JsonValue],
    *,
    subject: str,
    memory_mb: int,
    cpu_s: float,
    report: Report | None = None,
) -> JsonObject:
    """Run a function in a process of its own, and return its result.

    Parameters
    ----------
    function : str
        Function as ``module:name``. It is called with `job` and a `report` callback, and returns a JSON object.
    job : mapping
        Work that it should do, as JSON values.
    subject : str
        Noun for the work in messages, such as "The file".
    memory_mb : int
        Limit of the memory of the process, MB.
    cpu_s : float
        Limit of its processor time, seconds.
    report : callable, optional
        Function that receives the events which the function reports.

    Returns
    -------
    dict

    Raises
    ------
    PlumblineError
        Any that the function raises.
    LimitError
        When it needs more memory or processor time.
    InputError
        When the process crashes: a sound file does not do that.
    UnexpectedError
        When the process cannot be started.

    Examples
    --------
    >>> run_bounded("core.bounded_child:echo", {"a": 1}, subject="The file", memory_mb=500, cpu_s=10)
    {'a': 1}
    """
    read_fd, write_fd = os.pipe()
    command = [sys.executable, "-m", "core.bounded_child", function, str(write_fd), str(memory_mb), str(cpu_s)]
    try:
        process = subprocess.Popen(
            command,
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=os.environ | _ENVIRONMENT,
            pass_fds=(write_fd,),
        )
    finally:
        os.close(write_fd)
    try:
        return _Supervisor(process, read_fd, subject, memory_mb, cpu_s, report or silent).wait(job)
    finally:
        os.close(read_fd)
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        process.kill()
        process.wait()
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def _resident_bytes(pid: int) -> int:
    """Return the memory of a process, 0 when it has ended or when the system does not say."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        pass
    try:
        import psutil  # models leave with this module, and without this library

        return int(psutil.Process(pid).memory_info().rss)
    except (ImportError, psutil.Error):
        return 0


class _Supervisor:
    """Waits for one child, watches its memory, and says how it ended."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        read_fd: int,
        subject: str,
        memory_mb: int,
        cpu_s: float,
        report: Report,
    ) -> None:
        self._process, self._read_fd = process, read_fd
        self._subject, self._memory_mb, self._cpu_s, self._report = subject, memory_mb, cpu_s, report
        self._result: JsonObject | None = None
        self._error: ErrorRecord | None = None
        self._rest = b""
        self._peak_mb = 0.0

    def wait(self, job: Mapping[str, JsonValue]) -> JsonObject:
        """Send the job, and return the child's result."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it ended before: its status says why
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()  # and stays open: the child ends itself when this process is gone
        while self._poll():
            self._check_memory()
        if self._result is not None:
            return self._result
        if self._error is not None:
            raise from_record(self._error)
        raise self._crash()

    def _poll(self) -> bool:
        """Read what the child wrote in the last moment; False when it has closed its end."""
        if not select.select([self._read_fd], [], [], _POLL_S)[0]:
            return True
        chunk = os.read(self._read_fd, 1 << 20)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "event" in message:
                self._report(Event(**message["event"]))
            elif "out_of_memory" in message:
                raise self._too_much_memory()
            elif "error" in message:
                self._error = message["error"]
            else:
                self._result = message["result"]
        return bool(chunk)

    def _check_memory(self) -> None:
        self._peak_mb = max(self._peak_mb, _resident_bytes(self._process.pid) / 2**20)
        if self._peak_mb > _ENOUGH * self._memory_mb:
            raise self._too_much_memory()

    def _too_much_memory(self) -> LimitError:
        if refused := lack_of_memory(MemoryError(), self._memory_mb):
            return refused
        return LimitError(
            f"{self._subject} needs more than {self._memory_mb:,} MB of memory.",
            "This looks like a decompression bomb. If it is not, split it, or raise PLUMBLINE_READ_MEMORY_MB.",
        )

    def _crash(self) -> PlumblineError:
        """Return the error of a child that ended without a word."""
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = code = os.waitstatus_to_exitcode(status)
        if code == -signal.SIGXCPU or usage.ru_utime + usage.ru_stime >= self._cpu_s:
            return LimitError(
                f"{self._subject} needs more than {self._cpu_s:,.0f} s of processor time.",
                "Split it, save it in another format, or raise PLUMBLINE_READ_CPU_S.",
            )
        if code == -signal.SIGKILL or self._peak_mb > _NEARLY * self._memory_mb:
            return self._too_much_memory()
        if code == 1:
            return lack_of_memory(MemoryError(), self._memory_mb) or UnexpectedError(
                "The process that reads files could not be started.", "The log says why. Check the installation."
            )
        how = signal.strsignal(-code) if code < 0 else f"exit status {code}"
        return InputError(
            f"{self._subject} is damaged: reading it crashed ({how}).", "Write it again, or save it in another format."
        )
