"""Engines that launchers are tested on: each with one node, on which a stand-in for the monitor works."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.jobs.launchers.base import Job, Launcher
from core.jobs.launchers.kubernetes import KubernetesLauncher
from core.jobs.launchers.slurm import SlurmLauncher
from core.jobs.needs import Needs
from core.settings import get_settings
from tests.jobs.fake_kubernetes import FakeKubernetes
from tests.jobs.fake_slurm import FakeSlurm

__all__ = ["CPUS", "GPUS", "MEMORY_MB", "PASSWORD", "Engine", "kubernetes", "slurm"]

CPUS, GPUS, MEMORY_MB = 4, 2, 8_000
"""Resources of the one node of an engine under test."""
PASSWORD = "hush-hush"
"""Part of settings of the server that no engine may get."""
_SECRET_SETTINGS = {
    "PLUMBLINE_DATABASE": f"postgresql+psycopg://plumbline:{PASSWORD}@db.internal/plumbline",
    "PLUMBLINE_SECRET_SMTP": PASSWORD,
    "PLUMBLINE_VISITOR_SECRET": PASSWORD * 4,
    "AWS_SECRET_ACCESS_KEY": PASSWORD,
}
_MONITOR = """
import json, os, pathlib, signal, sys, time
folder, run_id = pathlib.Path.cwd(), sys.argv[1]
def end(*_):
    print("ended by TERM", flush=True)
    (folder / f"{run_id}.ended").touch()
    sys.exit(143)
signal.signal(signal.SIGTERM, end)
(folder / f"{run_id}.environ").write_text(json.dumps(dict(os.environ)))
print("begins", run_id, os.environ.get("PLUMBLINE_RUN_CLAIM"), flush=True)
with open(folder / f"{run_id}.started", "a") as file:
    file.write("once\\n")
while not (folder / f"{run_id}.code").exists():
    time.sleep(0.01)
sys.exit(int((folder / f"{run_id}.code").read_text()))
"""


@dataclass(kw_only=True)
class Engine:
    """An engine under test.

    Parameters
    ----------
    launcher : Launcher
        The launcher of it.
    node : Path
        Folder of Plumbline on its nodes, with a stand-in for the monitor.
    stop : callable
        Function after which the engine does not answer.
    submitted : callable or None
        Function that returns all that the engine was given; None where nobody can look.
    refused : Needs or None, default=None
        Needs that the engine refuses at once; None where such a run waits.
    ends_waiting : bool, default=True
        Whether a job that waits can be ended before it starts.
    explains_waiting : bool, default=True
        Whether it says why a job waits.
    """

    launcher: Launcher
    node: Path
    stop: Callable[[], None]
    submitted: Callable[[], str] | None
    refused: Needs | None = None
    ends_waiting: bool = True
    explains_waiting: bool = True

    def launch(self, name: str, needs: Needs | None = None, **environment: str) -> str:
        """Launch a job for a run of this name and return its handle."""
        handle = f"plumbline-{name}"
        needs = needs or Needs(memory_mb=100)
        self.launcher.launch(Job(handle=handle, run_id=name, environment=environment, needs=needs))
        return handle

    def finish(self, name: str, code: int = 0) -> None:
        """Let the stand-in for the monitor of a run exit."""
        partial = self.node / f"{name}.partial"
        partial.write_text(str(code))
        partial.replace(self.node / f"{name}.code")

    def variables(self, name: str) -> dict[str, str]:
        """Return the variables that the command of a run had."""
        values: dict[str, str] = json.loads((self.node / f"{name}.environ").read_text())
        return values

    def starts(self, name: str) -> int:
        """Return how often the command of a run has started."""
        file = self.node / f"{name}.started"
        return len(file.read_text().splitlines()) if file.exists() else 0


@contextmanager
def _settings(folder: Path, **settings: object) -> Iterator[Path]:
    """Use settings of a server whose engine has nodes with a stand-in for the monitor; yield their folder."""
    node = folder / "it's a node"
    (node / "core/jobs").mkdir(parents=True)
    (node / "core/__init__.py").touch()
    (node / "core/jobs/__init__.py").touch()
    (node / "core/jobs/monitor.py").write_text(_MONITOR)
    own = {"HOME": folder / "home", "NODE_FOLDER": node, "NODE_PYTHON": sys.executable, **settings}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _SECRET_SETTINGS.items():
            patch.setenv(name, value)
        for setting, setting_value in own.items():
            patch.setenv(f"PLUMBLINE_{setting}", str(setting_value))
        get_settings.cache_clear()
        try:
            yield node
        finally:
            patch.undo()
            get_settings.cache_clear()


@contextmanager
def slurm(folder: Path, options: str = "") -> Iterator[tuple[Engine, FakeSlurm]]:
    """Yield the fake of Slurm as an engine, and the fake.

    Parameters
    ----------
    folder : Path
        Folder for both.
    options : str, default=""
        Value of PLUMBLINE_ENGINE_OPTIONS.
    """
    gres = f"gpu:a100:{GPUS}(S:0-1)"
    cluster = FakeSlurm(folder / "slurm", {"n1": {"cpus": CPUS, "memory_mb": MEMORY_MB, "gres": gres}})

    def stop() -> None:
        with cluster.state() as state:
            state["away"] = "answers"

    with _settings(folder, ENGINE="slurm", ENGINE_OPTIONS=options) as node, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{cluster.commands}:/usr/bin:/bin")
        engine = Engine(
            launcher=SlurmLauncher("slurm", None),
            node=node,
            stop=stop,
            submitted=cluster.submitted,
            refused=Needs(memory_mb=2 * MEMORY_MB),
        )
        try:
            yield engine, cluster
        finally:
            cluster.close()


TEMPLATE = """
apiVersion: batch/v1
kind: Job
metadata:
  labels: {team: ml}
spec:
  template:
    spec:
      containers:
        - name: run
          image: plumbline
          envFrom: [{secretRef: {name: plumbline}}]
"""
"""A template of Jobs."""


@contextmanager
def kubernetes(folder: Path, template: str = TEMPLATE) -> Iterator[tuple[Engine, FakeKubernetes]]:
    """Yield the fake of Kubernetes as an engine, and the fake.

    Parameters
    ----------
    folder : Path
        Folder for both.
    template : str, default=TEMPLATE
        Content of the template of Jobs.
    """
    file = folder / "job.yaml"
    file.write_text(template)
    # Amounts as kubelets report them: what is allocatable is what the system leaves over.
    node = {"cpu": str(CPUS), "memory": f"{MEMORY_MB * 1024}Ki", "nvidia.com/gpu": str(GPUS)}
    cluster = FakeKubernetes(folder, {"n1": node})
    cluster.secrets["plumbline"] = {"PLUMBLINE_DATABASE": _SECRET_SETTINGS["PLUMBLINE_DATABASE"]}
    with (
        _settings(folder, ENGINE="kubernetes", ENGINE_TEMPLATE=file) as node_folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("KUBECONFIG", str(cluster.kubeconfig(folder / "kubeconfig")))
        launcher = KubernetesLauncher("kubernetes", None)
        engine = Engine(launcher=launcher, node=node_folder, stop=cluster.stop, submitted=cluster.submitted)
        try:
            yield engine, cluster
        finally:
            cluster.close()
