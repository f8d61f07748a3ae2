"""What an engine that places runs on nodes has to do: launch a job, look at it, end it, and say which nodes it has."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from core.jobs.needs import Needs
from core.settings import get_settings

__all__ = ["Job", "Launcher", "Node", "Nodes", "Sight", "command", "last_line"]

_ROOT = Path(__file__).resolve().parents[3]
_MESSAGE_CHARS = 300


@dataclass(frozen=True, kw_only=True)
class Job:
    """A run that an engine is to start.

    Parameters
    ----------
    handle : str
        Name of the job in the engine: lowercase letters, digits and hyphens, at most 60, unlike that of any other job.
        It is known before the job is launched, so that one whose answer was lost can be found.
    run_id : str
        Id of the run.
    environment : mapping
        Variables of the job. None is a secret: engines show them to whoever may look at jobs.
    needs : Needs
        Needs of the run.
    """

    handle: str
    run_id: str
    environment: Mapping[str, str]
    needs: Needs


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What an engine says about a job.

    Parameters
    ----------
    state : {"waiting", "running", "gone"}
        Whether it waits for a node, works on one, or has ended, which includes that the engine does not know it.
    message : str, default=""
        Reason that the engine gives, in one line.
    unknown : bool, default=False
        Whether a job that is gone is one that the engine does not know: it may not have been asked for it.
    blameless : bool, default=False
        Whether a job that is gone ended for no fault of its own, such as one that waited for as long as the engine lets
        jobs wait: placing it again does not count as a second try.
    """

    state: Literal["waiting", "running", "gone"]
    message: str = ""
    unknown: bool = False
    blameless: bool = False


@dataclass(frozen=True, kw_only=True)
class Node:
    """A machine that an engine places runs on.

    Parameters
    ----------
    name : str
        Name.
    cpus, gpus, memory_mb : float
        Total of its resources.
    used_cpus, used_gpus, used_memory_mb : float or None
        Part that jobs have now; None where the engine does not say.
    """

    name: str
    cpus: float
    gpus: float
    memory_mb: float
    used_cpus: float | None = None
    used_gpus: float | None = None
    used_memory_mb: float | None = None


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """The nodes of an engine.

    Parameters
    ----------
    nodes : tuple of Node
        Those that are there now.
    grows : bool, default=False
        Whether the engine may add others, so that what fits on none of these is not refused.
    """

    nodes: tuple[Node, ...]
    grows: bool = False

    def can_hold(self, needs: Needs) -> bool:
        """Return whether a run can work on one of the nodes, alone on it, or on one that may be added."""
        return self.grows or any(
            needs.fit(cpus=node.cpus, gpus=node.gpus, memory_mb=node.memory_mb) for node in self.nodes
        )


class Launcher(Protocol):
    """An engine. Each call takes at most some seconds.

    All raise RemoteError when the engine cannot be reached, does not answer or does not let this installation in, so
    that what was asked for is tried again later; `launch` raises JobError when the engine refuses this very job.
    """

    @property
    def title(self) -> str:
        """Words for it in sentences, such as "the Ray cluster at head:8265"."""
        ...

    def launch(self, job: Job) -> None:
        """Ask for a job. Asking again for one that the engine has already changes nothing."""
        ...

    def look(self, handle: str) -> Sight:
        """Return what became of a job."""
        ...

    def end(self, handle: str) -> None:
        """End a job, or keep one that waits from starting, as far as it can; one that is gone already is accepted."""
        ...

    def log(self, handle: str, tail_bytes: int) -> str:
        """Return the last bytes that a job has written, as text; nothing for one that the engine does not know."""
        ...

    def nodes(self) -> Nodes:
        """Return the nodes that jobs may work on."""
        ...


def command(run_id: str, environment: Mapping[str, str] | None = None) -> str:
    """Return the shell command that starts the monitor of a run on a node, with these variables beside the node's."""
    settings = get_settings()
    folder = settings.node_folder or _ROOT
    python = settings.node_python or sys.executable
    variables = " ".join(shlex.quote(f"{name}={value}") for name, value in (environment or {}).items())
    program = f"env {variables} {shlex.quote(str(python))}" if variables else shlex.quote(str(python))
    return f"cd {shlex.quote(str(folder))} && exec {program} -m core.jobs.monitor {run_id}"


def last_line(text: str) -> str:
    """Return the last line of a message or log that says something, shortened, as one line."""
    lines = [re.sub(r"\s+", " ", line).strip() for line in text.splitlines()]
    return next((line for line in reversed(lines) if line), "")[:_MESSAGE_CHARS]
