"""Runs a call as a child process, in a folder of its own."""

from __future__ import annotations

import codecs
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from core.errors import from_record
from core.pipelines.running.contents import copy_code
from core.pipelines.running.step_call import StepCall, StepOutcome, StepState

__all__ = ["ERROR_MARK", "execute"]

ERROR_MARK = "PLUMBLINE_ERROR "
"""Begin of a line in which a component that is shipped reports its error, as JSON."""

_ROOT = Path(__file__).resolve().parents[3]
_CHUNK_BYTES = 65_536
_TAIL_BYTES = 16_000
_TAIL_LINES = 8
_GRACE_S = 5.0


def execute(
    call: StepCall, should_stop: Callable[[], bool] = lambda: False, *, echo: Callable[[str], object] | None = None
) -> StepOutcome:
    """Run the command of a call, and check that it wrote what it declares.

    Parameters
    ----------
    call : StepCall
        The call.
    should_stop : callable, optional
        Function that returns True when the command is to be ended.
    echo : callable, optional
        Function that receives what the command prints, besides the log of the call.

    Returns
    -------
    StepOutcome
        A command that fails is an outcome, not an exception.
    """
    _prepare(call)
    process = subprocess.Popen(
        [shutil.which("bash") or "/bin/sh", "-c", call.command],
        cwd=Path(call.folder) / "code",
        env=_environment(call),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    reader = threading.Thread(target=_read, args=(process, call.log, echo), daemon=True)
    reader.start()
    try:
        ended = _wait(process, call.timeout_s, should_stop)
    finally:
        _end(process)
        reader.join(_GRACE_S)  # a process that left the session may still hold the other end
    if ended is not None:
        return ended
    if process.returncode != 0:
        return _failure(call, process.returncode)
    _keep_default_outputs(call)
    return _check_outputs(call)


def _prepare(call: StepCall) -> None:
    """Make the folders anew, so that a second attempt does not see what the first one left."""
    folder = Path(call.folder)
    folder.mkdir(parents=True, exist_ok=True)
    copy_code(None if call.code is None else Path(call.code), folder / "code")
    (folder / "code" / "outputs").mkdir(exist_ok=True)  # a cloud has this folder in any case, and scripts write there
    for name, text in call.outputs.items():
        path = Path(text)
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        (path.parent if call.types[name] == "uri_file" else path).mkdir(parents=True, exist_ok=True)


def _environment(call: StepCall) -> dict[str, str]:
    """Return the variables of the command: `python` is that of this installation."""
    values = dict(os.environ)
    values["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), values.get("PATH", os.defpath)])
    values["PYTHONUNBUFFERED"] = "1"
    values["MLFLOW_TRACKING_URI"] = (Path(call.folder) / "mlruns").as_uri()
    values["PLUMBLINE_METRICS"] = str(Path(call.folder) / "metrics.json")
    if call.shipped:
        values["PYTHONPATH"] = os.pathsep.join([str(_ROOT), *filter(None, [values.get("PYTHONPATH")])])
    return values | dict(call.variables)


def _read(process: subprocess.Popen[bytes], log: Path, echo: Callable[[str], object] | None) -> None:
    """Write what the command prints to its log, and pass it on."""
    assert process.stdout is not None
    with open(log, "ab", buffering=0) as file, process.stdout as stream:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while chunk := os.read(stream.fileno(), _CHUNK_BYTES):
            file.write(chunk)
            if echo is not None:
                echo(decoder.decode(chunk))


def _wait(
    process: subprocess.Popen[bytes], timeout_s: float | None, should_stop: Callable[[], bool]
) -> StepOutcome | None:
    """Wait for the command; return the outcome of one that has to be ended."""
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    pause = 0.01
    while process.poll() is None:
        if should_stop():
            return StepOutcome(StepState.CANCELLED, "The step was cancelled.")
        if deadline is not None and time.monotonic() > deadline:
            message = f"The step took longer than its limit of {timeout_s:,.0f} s."
            return StepOutcome(StepState.TIMED_OUT, message, "Raise 'limits: timeout' of the step.")
        time.sleep(pause)
        pause = min(0.25, pause * 1.5)
    return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole session of the command, also what it left in the background."""
    deadline = time.monotonic() + _GRACE_S
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):  # macOS says so of a group of zombies
            break
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
    process.wait()


def _tail(call: StepCall) -> list[str]:
    with open(call.log, "rb") as log:
        log.seek(max(0, call.log.stat().st_size - _TAIL_BYTES))
        return log.read().decode("utf-8", "replace").splitlines()


def _failure(call: StepCall, status: int) -> StepOutcome:
    lines = _tail(call)
    reported = next((line for line in reversed(lines) if line.startswith(ERROR_MARK)), None)
    if reported is not None:
        error = from_record(json.loads(reported.removeprefix(ERROR_MARK)))
        return StepOutcome(StepState.FAILED, error.message, error.hint)
    ended = f"ended by signal {-status}" if status < 0 else f"ended with status {status}"
    last = [line for line in lines if line.strip()][-_TAIL_LINES:]
    said = f" Its last lines: {' / '.join(last)}" if last else " It printed nothing."
    return StepOutcome(StepState.FAILED, f"The command {ended}.{said}", "The log of the step has all that it printed.")


def _keep_default_outputs(call: StepCall) -> None:
    """Fill the output ``artifacts``, which in Azure ML is what a command left in the folder ``outputs``."""
    target = Path(call.outputs.get("artifacts", ""))
    if "artifacts" in call.outputs and target.is_dir() and not any(target.iterdir()):
        shutil.copytree(Path(call.folder) / "code" / "outputs", target / "outputs")


def _check_outputs(call: StepCall) -> StepOutcome:
    for name, text in call.outputs.items():
        path = Path(text)
        if call.types[name] == "uri_file" and not path.is_file():
            return StepOutcome(
                StepState.FAILED,
                f"The step wrote no file for its output '{name}'.",
                f"Write to ${{{{outputs.{name}}}}}.",
            )
        if call.types[name] == "mlflow_model" and not (path / "MLmodel").is_file():
            return StepOutcome(
                StepState.FAILED,
                f"The output '{name}' is not an MLflow model: it has no file 'MLmodel'.",
                "Save it with mlflow, or declare the output as custom_model.",
            )
    return StepOutcome(StepState.SUCCEEDED, values=_metrics(call))


def _metrics(call: StepCall) -> dict[str, float]:
    """Return the last value of each metric that the command logged: by MLflow's files, or in a file of ours."""
    values: dict[str, float] = {}
    for path in sorted((Path(call.folder) / "mlruns").glob("*/*/metrics/**/*"), key=lambda item: item.stat().st_mtime):
        if path.is_file():
            fields = path.read_text(encoding="utf-8").split("\n")
            last = [line.split() for line in fields if line.strip()][-1:]
            name = path.as_posix().split("/metrics/", 1)[1]
            values |= {name: float(last[0][1])} if last else {}
    own = Path(call.folder) / "metrics.json"
    if own.is_file():
        values |= {str(name): float(value) for name, value in json.loads(own.read_text(encoding="utf-8")).items()}
    return values
