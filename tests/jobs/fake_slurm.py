"""Commands of Slurm that run jobs on this machine: sbatch, squeue, sacct, scancel, sinfo and scontrol.

What they print, and how they fail, is as recorded from Slurm 22.05, generic resources as in its source. Each command
looks after the jobs before it answers, so no process stays behind but those of jobs that work.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["FakeSlurm"]

_CODE = "import sys; sys.path.insert(0, sys.argv[1]); import fake_slurm; sys.exit(fake_slurm.main(*sys.argv[2:]))"
_PROGRAM = (sys.executable, "-I", "-S", "-c", _CODE, str(Path(__file__).parent))  # as a module it is compiled once
COMMANDS = ("sbatch", "squeue", "sacct", "scancel", "sinfo", "scontrol")
_OPTIONS = {
    *("account", "chdir", "constraint", "cpus-per-task", "export", "gres", "job-name", "mem", "nodes", "ntasks"),
    *("output", "partition", "qos", "time"),
}
_FLAGS = {"exclusive", "no-requeue", "parsable"}
_AWAY = "Unable to contact slurm controller (connect failure)"
_SUBJECTS = {
    "sbatch": "sbatch: error: Batch job submission failed: ",
    "sinfo": "slurm_load_partitions: ",
    "scontrol": "slurm_load_partitions error: ",
}
_ENDED = ("CANCELLED", "COMPLETED", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "TIMEOUT")


class FakeSlurm:
    """A cluster in a folder, whose commands are in ``folder / "bin"``.

    Parameters
    ----------
    folder : Path
        Folder of its state, which is made.
    nodes : dict
        Nodes by name: cpus, memory_mb, and if need be gres, state and partition.
    """

    def __init__(self, folder: Path, nodes: dict[str, dict[str, Any]]) -> None:
        self.folder = folder
        self.commands = folder / "bin"
        self.commands.mkdir(parents=True)
        for name in COMMANDS:
            file = self.commands / name
            words = [*_PROGRAM, name, str(folder)]
            file.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
            file.chmod(0o755)
        cluster = {"nodes": nodes, "jobs": [], "away": "", "accounting": True, "enforces": True}
        (folder / "cluster.json").write_text(json.dumps(cluster))

    @contextlib.contextmanager
    def state(self) -> Iterator[dict[str, Any]]:
        """Yield the state of the cluster, which may be changed."""
        with _state(self.folder) as cluster:
            yield cluster

    def submitted(self) -> str:
        """Return all that was handed to sbatch: arguments, script and variables."""
        with self.state() as cluster:
            return json.dumps([job["submitted"] for job in cluster["jobs"]])

    def end_as(self, name: str, state: str, *, reason: str = "None") -> None:
        """Let a job end by what happens to nodes: in a state such as NODE_FAIL."""
        with self.state() as cluster:
            for job in cluster["jobs"]:
                if job["name"] == name:
                    _signal(self.folder, job, signal.SIGKILL)
                    job |= {"state": state, "reason": reason}

    def forget(self) -> None:
        """Let squeue forget jobs that have ended, as after MinJobAge."""
        with self.state() as cluster:
            _look_after(self.folder, cluster)
            for job in cluster["jobs"]:
                job["forgotten"] = job["state"] in _ENDED

    def close(self) -> None:
        """End all jobs."""
        with self.state() as cluster:
            for job in cluster["jobs"]:
                _signal(self.folder, job, signal.SIGKILL)


@contextlib.contextmanager
def _state(folder: Path) -> Iterator[dict[str, Any]]:
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cluster = json.loads((folder / "cluster.json").read_text())
        yield cluster
        partial = folder / "cluster.json.partial"
        partial.write_text(json.dumps(cluster))
        partial.replace(folder / "cluster.json")


def _signal(folder: Path, job: dict[str, Any], number: int) -> None:
    with contextlib.suppress(OSError, ValueError):
        if not (folder / f"{job['id']}.status").exists():
            os.kill(int((folder / f"{job['id']}.pid").read_text()), number)


def _look_after(folder: Path, cluster: dict[str, Any]) -> None:
    """Take note of jobs that ended, and start those that fit."""
    for job in cluster["jobs"]:
        file = folder / f"{job['id']}.status"
        if job["state"] in ("RUNNING", "COMPLETING") and file.exists() and file.read_text():
            job["status"] = int(file.read_text())
            failed = "CANCELLED" if job["cancelled"] else "FAILED"
            job["state"] = "COMPLETED" if job["status"] == 0 and not job["cancelled"] else failed
            if failed == "FAILED" and job["status"]:
                job["reason"] = "NonZeroExitCode"
    reason = "Resources"
    for job in cluster["jobs"]:
        if job["state"] != "PENDING" or job.get("held"):
            continue
        node = next((name for name in cluster["nodes"] if _fits(cluster, name, job)), None)
        if node is None:
            job["reason"], reason = reason, "Priority"
            continue
        job |= {"state": "RUNNING", "reason": "None", "node": node}
        _start(folder, job)


def _fits(cluster: dict[str, Any], name: str, job: dict[str, Any]) -> bool:
    node, used = cluster["nodes"][name], _used(cluster, name)
    return bool(
        node.get("state", "idle") == "idle"
        and node.get("partition", "main") == job["partition"]
        and used["cpus"] + job["cpus"] <= node["cpus"]
        and used["memory_mb"] + job["memory_mb"] <= node["memory_mb"]
        and used["gpus"] + job["gpus"] <= _count(node.get("gres", ""))
    )


def _used(cluster: dict[str, Any], name: str) -> dict[str, int]:
    working = [job for job in cluster["jobs"] if job["state"] == "RUNNING" and job["node"] == name]
    return {key: sum(job[key] for job in working) for key in ("cpus", "gpus", "memory_mb")}


def _count(gres: str) -> int:
    return sum(int(count) for count in re.findall(r"gpu(?::[a-z]\w*)?:(\d+)", gres))


def _start(folder: Path, job: dict[str, Any]) -> None:
    words = [*_PROGRAM, "step", str(folder), json.dumps(job)]
    null = subprocess.DEVNULL
    subprocess.Popen(words, stdin=null, stdout=null, stderr=null, start_new_session=True)
    for _ in range(2_000):  # the job is there before anyone can cancel it
        if (folder / f"{job['id']}.pid").exists():
            return
        signal.sigtimedwait([], 0.005)


def _step(folder: Path, job: dict[str, Any]) -> int:
    """Run the script of a job and leave its status, as slurmstepd does."""
    script = folder / f"{job['id']}.sh"
    script.write_text(job["submitted"]["script"])
    script.chmod(0o700)
    # --export=NONE: what begins with SLURM_ comes from the submission, all else from a login on the node.
    environment = {name: value for name, value in job["submitted"]["variables"].items() if name.startswith("SLURM_")}
    environment |= {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/", "SLURM_JOB_ID": str(job["id"])}
    status = 53  # the signal of a job whose output file cannot be opened
    with contextlib.suppress(OSError), open(job["options"]["output"], "ab") as output:
        child = subprocess.Popen(
            [str(script)], cwd=job["options"]["chdir"], env=environment, stdout=output, stderr=output
        )
        (folder / f"{job['id']}.pid").write_text(str(child.pid))
        code = child.wait()
        status = code << 8 if code >= 0 else -code
    partial = folder / f"{job['id']}.status.partial"
    partial.write_text(str(status))
    partial.replace(folder / f"{job['id']}.status")
    if not (folder / f"{job['id']}.pid").exists():
        (folder / f"{job['id']}.pid").write_text("")
    return 0


def _parsed(arguments: list[str]) -> tuple[dict[str, str], set[str]]:
    options, flags = {}, set()
    for word in arguments:
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or name not in (_OPTIONS if equals else _FLAGS):
            sys.stderr.write(f"sbatch: unrecognized option '{word}'\nTry \"sbatch --help\" for more information\n")
            raise SystemExit(255)
        if equals:
            options[name] = value
        else:
            flags.add(name)
    return options, flags


def _sbatch(folder: Path, cluster: dict[str, Any], arguments: list[str]) -> int:
    options, flags = _parsed(arguments)
    script = sys.stdin.read()
    if not script.startswith("#!"):
        return _error("sbatch: error: This does not look like a batch script.  The first")
    if flags >= {"parsable", "no-requeue"} and options.get("nodes") == options.get("ntasks") == "1":
        memory = re.fullmatch(r"(\d+)M", options["mem"])
        gres = options.get("gres", "gpu:0")
        partition = options.get("partition", "main")
        job = {
            "id": len(cluster["jobs"]) + 1,
            "name": options["job-name"],
            "partition": partition,
            "cpus": int(options["cpus-per-task"]),
            "gpus": _count(gres),
            "memory_mb": int(memory[1]) if memory else 0,
            "state": "PENDING",
            "reason": "None",
            "node": "",
            "status": 0,
            "cancelled": False,
            "forgotten": False,
            "options": options,
            "submitted": {"arguments": arguments, "script": script, "variables": dict(os.environ)},
        }
        refusal = _refusal(cluster, job)
        if refusal:
            return _error(*refusal)
        cluster["jobs"].append(job)
        sys.stdout.write(f"{job['id']}\n")
        return 0
    return _error("sbatch: error: the fake takes jobs of one task alone")


def _refusal(cluster: dict[str, Any], job: dict[str, Any]) -> list[str]:
    failed, partition = "sbatch: error: Batch job submission failed: ", job["partition"]
    nodes = [node for node in cluster["nodes"].values() if node.get("partition", "main") == partition]
    if not nodes:
        return [
            f"sbatch: error: invalid partition specified: {partition}",
            f"{failed}Invalid partition name specified",
        ]
    if cluster.get("full"):
        policy = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
        return ["sbatch: error: AssocMaxSubmitJobLimit", f"{failed}{policy}"]
    if not cluster["enforces"]:
        return []
    unavailable = f"{failed}Requested node configuration is not available"
    if all(job["memory_mb"] > node["memory_mb"] for node in nodes):
        return ["sbatch: error: Memory specification can not be satisfied", unavailable]
    too_large = all(job["cpus"] > node["cpus"] or job["gpus"] > _count(node.get("gres", "")) for node in nodes)
    return [unavailable] if too_large else []


def _error(*lines: str) -> int:
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    return 1


def _chosen(cluster: dict[str, Any], arguments: list[str]) -> list[dict[str, Any]]:
    values = dict(word.removeprefix("--").split("=", 1) for word in arguments if "=" in word)
    assert values["user"] == str(os.getuid())
    return [job for job in cluster["jobs"] if job["name"] == values["name"]]


def _squeue(folder: Path, cluster: dict[str, Any], arguments: list[str]) -> int:
    assert {"-h", "-a", "--states=all", "-O"} <= set(arguments)
    for job in _chosen(cluster, arguments):
        values = {"JobID": job["id"], "State": job["state"], "exit_code": job["status"], "Reason": job["reason"]}
        if not job["forgotten"]:
            _write(arguments[arguments.index("-O") + 1], values)
    return 0


def _write(columns: str, values: dict[str, Any]) -> None:
    fields = [column.partition(":") for column in columns.split(",")]
    assert all(colon for _, colon, _ in fields), "without a colon a field is cut at 20 characters"
    sys.stdout.write("".join(f"{values[name]}{suffix}" for name, _, suffix in fields) + "\n")


def _sacct(folder: Path, cluster: dict[str, Any], arguments: list[str]) -> int:
    if not cluster["accounting"]:
        return _error("Slurm accounting storage is disabled")
    assert {"-X", "-n", "-P", "--format=JobID,State,ExitCode"} <= set(arguments)
    for job in _chosen(cluster, arguments):
        state = f"CANCELLED by {os.getuid()}" if job["state"] == "CANCELLED" else job["state"]
        sys.stdout.write(f"{job['id']}|{state}|{job['status'] >> 8}:{job['status'] & 0x7F}\n")
    return 0


def _scancel(folder: Path, cluster: dict[str, Any], arguments: list[str]) -> int:
    for job in _chosen(cluster, arguments):
        if job["state"] == "PENDING":
            job["state"] = "CANCELLED"
        elif job["state"] == "RUNNING":
            job |= {"state": "COMPLETING", "cancelled": True}
            _signal(folder, job, signal.SIGTERM)
    return 0


def _sinfo(folder: Path, cluster: dict[str, Any], arguments: list[str]) -> int:
    assert {"-N", "-h", "-a", "-O"} <= set(arguments)
    for name, node in cluster["nodes"].items():
        if node.get("hidden"):
            continue
        used, state, partition = _used(cluster, name), node.get("state", "idle"), node.get("partition", "main")
        if state == "idle" and used["cpus"]:
            state = "allocated" if used["cpus"] == node["cpus"] else "mixed"
        other = node["cpus"] if state.rstrip("*") in ("down", "drained") else 0
        idle = node["cpus"] - used["cpus"] - other
        gres = node.get("gres", "(null)")
        values = {
            "NodeList": name,
            "StateLong": state,
            "CPUsState": f"{used['cpus']}/{idle}/{other}/{node['cpus']}",
            "Memory": node["memory_mb"],
            "AllocMem": used["memory_mb"],
            "Gres": gres,
            "GresUsed": f"gpu:a100:{used['gpus']}(IDX:N/A)" if "gpu" in gres else "(null)",
            "Partition": f"{partition}*" if partition == "main" else partition,
        }
        _write(arguments[arguments.index("-O") + 1], values)
    return 0


def _scontrol(folder: Path, cluster: dict[str, Any], arguments: list[str]) -> int:
    assert arguments == ["show", "partition", "--oneliner"]
    for name in sorted({node.get("partition", "main") for node in cluster["nodes"].values()}):
        total = sum(node.get("partition", "main") == name for node in cluster["nodes"].values())
        default = "YES" if name == "main" else "NO"
        sys.stdout.write(
            f"PartitionName={name} AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL AllocNodes=ALL Default={default}"
            f" QoS=N/A State=UP TotalCPUs=8 TotalNodes={total} SelectTypeParameters=NONE JobDefaults=(null)"
            " TRES=cpu=8,mem=16000M,node=1,billing=8\n"
        )
    return 0


def main(name: str, path: str, *words: str) -> int:
    """Run a command and return its exit status."""
    folder, arguments = Path(path), list(words)
    if name == "step":
        return _step(folder, json.loads(arguments[0]))
    with _state(folder) as cluster:
        away = cluster["away"]
    if away == "hangs":
        signal.sigtimedwait([], 60.0)
    if away and name != "sacct":
        return _error(f"{_SUBJECTS.get(name, 'slurm_load_jobs error: ')}{_AWAY}")
    with _state(folder) as cluster:
        _look_after(folder, cluster)
        status = int(globals()[f"_{name}"](folder, cluster, arguments))
        _look_after(folder, cluster)
        return status
