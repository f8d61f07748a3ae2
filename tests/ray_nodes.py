"""A Ray cluster of several nodes on this machine, for tests and benchmarks: each has the resources that it is given."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

__all__ = ["RayCluster", "RayNode", "free_port", "ray_cluster"]

_START_S = 60.0
_OBJECT_STORE_BYTES = 100_000_000
_TOKEN = secrets.token_hex(32)
"""Token of all clusters of this process: Ray reads it once, for the first that it connects to."""


def free_port() -> int:
    """Return a port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RayNode:
    """A node: the processes below one ``ray start --block``."""

    process: subprocess.Popen[bytes]
    log: Path

    def members(self) -> list[psutil.Process]:
        """Return the processes of the node and the jobs that work on it."""
        try:
            own = psutil.Process(self.process.pid)
            return [own, *own.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """End all its processes at once, as a machine does that loses its power."""
        # Jobs are in sessions of their own but below it; stopped first, so that none starts another meanwhile.
        for _ in range(3):
            members = self.members()
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for process in members:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.send_signal(number)
            time.sleep(0.05)
        self.process.wait()


@dataclass
class RayCluster:
    """A head, whose token all others know, and nodes that join it."""

    folder: Path
    token: str = _TOKEN
    port: int = field(default_factory=free_port)
    dashboard_port: int = field(default_factory=free_port)
    nodes: list[RayNode] = field(default_factory=list)

    @property
    def engine(self) -> str:
        """Value of PLUMBLINE_ENGINE that uses it."""
        return f"ray://127.0.0.1:{self.dashboard_port}"

    @property
    def address(self) -> str:
        """Address that `ray.init` takes."""
        return f"127.0.0.1:{self.port}"

    def variables(self) -> dict[str, str]:
        """Return the variables of whoever joins it, or connects to it."""
        return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": self.token, "RAY_USAGE_STATS_ENABLED": "0"}

    def add(
        self,
        *,
        cpus: int = 1,
        gpus: int = 0,
        memory_mb: int = 4_000,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> RayNode:
        """Start a node and wait until it is there; the first one is the head.

        Parameters
        ----------
        cpus, gpus, memory_mb : int, default=1, 0 and 4000
            Resources that the cluster takes it to have.
        environment : mapping, optional
            Variables of its processes, and so of the jobs that work on it.
        folder : Path, optional
            Folder that its processes start in.
        """
        head = not self.nodes
        command = [str(Path(sys.executable).parent / "ray"), "start", "--block", "--disable-usage-stats"]
        if head:
            # Sockets have paths of at most 107 bytes.
            command += ["--head", f"--port={self.port}", "--dashboard-host=127.0.0.1"]
            command += [f"--dashboard-port={self.dashboard_port}", f"--ray-client-server-port={free_port()}"]
            command += [f"--temp-dir={self.folder}"]
        else:
            command += [f"--address={self.address}"]
        command += ["--node-ip-address=127.0.0.1", f"--dashboard-agent-listen-port={free_port()}"]
        command += [f"--num-cpus={cpus}", f"--num-gpus={gpus}", f"--memory={memory_mb * 2**20}"]
        command += [f"--object-store-memory={_OBJECT_STORE_BYTES}"]
        log = self.folder / f"node{len(self.nodes)}.log"
        known = {name: value for name, value in os.environ.items() if not name.startswith("PLUMBLINE_")}
        with open(log, "wb") as output:
            process = subprocess.Popen(
                command,
                cwd=folder or self.folder,
                env=known | self.variables() | dict(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        node = RayNode(process, log)
        self.nodes.append(node)
        self._wait_for(len([other for other in self.nodes if other.process.poll() is None]), node)
        return node

    def _wait_for(self, count: int, node: RayNode) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if node.process.poll() is not None:
                break
            with contextlib.suppress(OSError, ValueError, KeyError):
                if self._alive() >= count:
                    return
            time.sleep(0.1)
        raise RuntimeError(f"The node of Ray did not start: {node.log.read_text(encoding='utf-8')[-2_000:]}")

    def _alive(self) -> int:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.dashboard_port}/nodes?view=summary",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            nodes = json.load(answer)["data"]["summary"]
        return sum(node["raylet"].get("state") == "ALIVE" for node in nodes)

    def close(self) -> None:
        """End all nodes."""
        for node in reversed(self.nodes):
            node.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def ray_cluster() -> Iterator[RayCluster]:
    """Yield a cluster without nodes, and end those that were added."""
    cluster = RayCluster(Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp")))
    try:
        yield cluster
    finally:
        cluster.close()
