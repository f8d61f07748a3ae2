"""A Slurm cluster as the engine, by its command line: sbatch, squeue, sacct, scancel, sinfo and scontrol.

The handle is the name of the job, not its id, so that a job whose id was lost with the answer of sbatch is still there.
submitit is not used: it submits a pickled function through a folder that all nodes share, and jobs have one command.

Facts that the code below relies on (Slurm 20.02 and newer; recorded with 22.05):

* squeue shows a job for some minutes after its end (MinJobAge); then only sacct knows it, where there is accounting;
* a job whose output file cannot be opened on its node dies by signal 53 before it begins, so output goes to /dev/null
  and the script opens a file itself, in the run's folder, where the node has that folder;
* each command tries for nine seconds to reach a controller that is away; it is given less here;
* ``--export=NONE`` passes variables that begin with ``SLURM_`` on, and has the node load the environment of the user as
  for a login; what a job gets from us is in its script, which only the user and operators can read;
* jobs that no node can hold are refused at once, or wait with a reason, as EnforcePartLimits says;
* scancel sends TERM to the command, and KILL after KillWait.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import subprocess

from core.errors import JobError, RemoteError, SettingsError
from core.jobs.launchers.base import Job, Node, Nodes, Sight, command, last_line
from core.jobs.launchers.slurm_options import partition, sbatch_options
from core.jobs.launchers.slurm_states import job_sight
from core.settings import get_settings

__all__ = ["SlurmLauncher"]

_COMMANDS = ("sbatch", "squeue", "scancel", "sinfo", "scontrol")
_TIMEOUT_S = 6.0
_KEPT_VARIABLES = ("HOME", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "SLURM_CONF", "SLURM_JWT", "TZ", "USER")
"""Variables of the server that the commands get: those that they need to reach the cluster."""
_AWAY = re.compile(
    r"Unable to contact slurm controller|timed out|Connection refused|Zero Bytes were transmitted|temporarily unable"
    r"|Slurm backup controller in standby|Unexpected missing socket|Communication connection failure",
    re.IGNORECASE,
)
_FULL = re.compile(r"MaxSubmitJob|GrpSubmitJob|job queue full")
"""Words of limits on how many jobs are in the queue, which give way when others end."""
_UNABLE = re.compile(r"down|drain|fail|error|maint|reboot|inval|unknown|future|perfctrs|no_respond|not_responding")
"""Words in states of nodes that take no jobs; ``*`` marks one that does not respond."""
_NOT_THERE = ("~", "#", "%", "!")
"""Ends of the states of nodes that are powered down, or on the way up or down."""
_GPUS = re.compile(r"(?:^|,)(?:gres/)?gpu(?::[^:,()]+)?:(\d+)")
_SHOWN = "JobID:|,State:|,exit_code:|,Reason:"
_NODE_SHOWN = "NodeList:|,StateLong:|,CPUsState:|,Memory:|,AllocMem:|,Gres:|,GresUsed:|,Partition:"


class SlurmLauncher:
    """The Slurm cluster that the commands of this machine reach.

    Parameters
    ----------
    setting : str
        The setting, ``slurm``.
    token : str or None
        Nothing that Slurm needs: its commands authenticate the user of this process.

    Raises
    ------
    SettingsError
        When a command is missing, or PLUMBLINE_ENGINE_OPTIONS has an option that cannot be passed to sbatch.
    """

    title = "the SLURM cluster"

    def __init__(self, setting: str, token: str | None) -> None:
        self._options = sbatch_options(get_settings().engine_options)
        self._partition = partition(self._options)
        for name in _COMMANDS:
            if shutil.which(name) is None:
                raise _missing(name)

    def launch(self, job: Job) -> None:
        """Ask for a job, unless the cluster has one of this name already, which may have ended."""
        if self._jobs(job.handle):
            return
        needs = job.needs
        arguments = [
            *self._options,
            "--parsable",
            f"--job-name={job.handle}",
            "--export=NONE",
            "--no-requeue",
            "--nodes=1",
            "--ntasks=1",
            f"--cpus-per-task={needs.cpus}",
            f"--mem={needs.memory_mb}M",
            *([f"--gres=gpu:{needs.gpus}"] if needs.gpus else []),
            "--chdir=/",
            "--output=/dev/null",
        ]
        done = self._run("sbatch", *arguments, text=_script(job))
        if done.returncode:
            self._refused("start a job", done)

    def look(self, handle: str) -> Sight:
        """Return what became of a job."""
        sights = [job_sight(state, reason, code) for _, state, code, reason in self._jobs(handle)]
        for state in ("running", "waiting"):  # one of two that a lost answer made, should there ever be two
            for sight in sights:
                if sight.state == state:
                    return sight
        last = sights[-1] if sights else self._accounted(handle)
        return last or Sight(state="gone", message=f"{self.title} does not know the job", unknown=True)

    def end(self, handle: str) -> None:
        """End a job, also one that waits."""
        done = self._run("scancel", f"--name={handle}", f"--user={os.getuid()}")
        if done.returncode and _AWAY.search(done.stderr):
            self._refused("end a job", done)

    def log(self, handle: str, tail_bytes: int) -> str:
        """Return the last bytes that a job has written: nothing where its node does not have the folder of runs."""
        for path in get_settings().runs_dir.glob(f"*/{_log_name(handle)}"):
            with contextlib.suppress(OSError), open(path, "rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - tail_bytes))
                return file.read(tail_bytes).decode(errors="replace")
        return ""

    def nodes(self) -> Nodes:
        """Return the nodes of the partitions that jobs are submitted to, without those that take no jobs.

        Nodes that are powered down are left out, as they are not there, and others may be added: of those Slurm itself
        refuses what none can hold.
        """
        done = self._run("sinfo", "-N", "-h", "-a", "-O", _NODE_SHOWN)
        if done.returncode:
            self._refused("list its nodes", done)
        rows = [[field.strip() for field in line.split("|")] for line in done.stdout.splitlines()]
        nodes: dict[str, Node] = {}
        grows = False
        for name, total in self._partitions().items():
            shown = [fields for fields in rows if len(fields) == 8 and fields[7].rstrip("*") == name]
            # Those in a cloud are hidden while they are powered down, unless PrivateData says otherwise.
            grows |= total > len(shown) or any(fields[1].endswith(_NOT_THERE) for fields in shown)
            nodes |= {node.name: node for fields in shown if (node := _node(fields)) is not None}
        return Nodes(nodes=tuple(nodes.values()), grows=grows)

    def _partitions(self) -> dict[str, int]:
        """Return how many nodes the partitions have that jobs are submitted to, by their names."""
        done = self._run("scontrol", "show", "partition", "--oneliner")
        if done.returncode:
            self._refused("list its partitions", done)
        rows = [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in done.stdout.splitlines()]
        sizes = {row["PartitionName"]: int(row.get("TotalNodes", 0)) for row in rows if "PartitionName" in row}
        if self._partition is None:
            default = [row["PartitionName"] for row in rows if row.get("Default") == "YES"]
            return {name: sizes[name] for name in default} or sizes
        names = self._partition.split(",")
        for name in names:
            if name not in sizes:
                raise JobError(
                    f"The SLURM cluster has no partition {name[:80]!r}.",
                    f"Correct --partition in PLUMBLINE_ENGINE_OPTIONS; it has {', '.join(sorted(sizes)) or 'none'}.",
                )
        return {name: sizes[name] for name in names}

    def _jobs(self, handle: str) -> list[list[str]]:
        """Return id, state, exit code and reason of the jobs of a name, the latest last."""
        done = self._run(
            "squeue", "-h", "-a", "--states=all", f"--user={os.getuid()}", f"--name={handle}", "-O", _SHOWN
        )
        if done.returncode:
            self._refused("say what became of a job", done)
        rows = [line.strip().split("|", 3) for line in done.stdout.splitlines() if line.count("|") >= 3]
        return sorted(rows, key=lambda row: int(row[0]) if row[0].isdigit() else 0)

    def _accounted(self, handle: str) -> Sight | None:
        """Return the end of a job from accounting; None without accounting, or without a record of the end."""
        arguments = ["-X", "-n", "-P", f"--user={os.getuid()}", f"--name={handle}", "--starttime=now-30days"]
        try:
            done = self._run("sacct", *arguments, "--format=JobID,State,ExitCode")
        except (RemoteError, SettingsError):
            return None
        rows = [fields for line in done.stdout.splitlines() if len(fields := line.strip().split("|")) == 3]
        sight = job_sight(rows[-1][1], "None", rows[-1][2]) if rows and not done.returncode else None
        # A job of which only accounting says that it works was lost with its controller.
        return sight if sight is not None and sight.state == "gone" else None

    def _refused(self, what: str, done: subprocess.CompletedProcess[str]) -> None:
        reason = _reason(done.stderr)
        if _AWAY.search(done.stderr):
            raise RemoteError(f"The SLURM cluster cannot be reached: {reason}.", "Runs wait until it answers.")
        if _FULL.search(done.stderr):
            raise RemoteError(f"The SLURM cluster takes no more jobs now: {reason}.", "It is tried again.")
        raise JobError(
            f"The SLURM cluster did not {what}: {reason or f'exit code {done.returncode}'}.",
            "Check PLUMBLINE_ENGINE_OPTIONS, and what the partition and the account allow.",
        )

    def _run(self, name: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command and return its output.

        Raises
        ------
        RemoteError
            When it does not end in time.
        SettingsError
            When it is missing.
        """
        try:
            return subprocess.run(
                [name, *arguments],
                input=text,
                capture_output=True,
                timeout=_TIMEOUT_S,
                encoding="utf-8",
                errors="replace",
                env={name: value for name in _KEPT_VARIABLES if (value := os.environ.get(name)) is not None},
                cwd="/",
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise RemoteError(
                f"The SLURM cluster cannot be reached: {name} did not end within {_TIMEOUT_S:g} s.",
                "Runs wait until it answers.",
            ) from error
        except OSError as error:
            raise _missing(name) from error


def _script(job: Job) -> str:
    """Return the script of a job, which replaces itself by the command, so that signals of Slurm reach it."""
    folder = get_settings().runs_dir / job.run_id
    with contextlib.suppress(OSError):  # the run works without a log, too
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = [
        "#!/bin/sh",
        "unset SLURM_JWT",
        f"if [ -w {shlex.quote(str(folder))} ]; then",
        f"    exec >>{shlex.quote(str(folder / _log_name(job.handle)))} 2>&1",
        "fi",
        *(f"export {name}={shlex.quote(value)}" for name, value in job.environment.items()),
        command(job.run_id),
    ]
    return "\n".join(lines) + "\n"


def _log_name(handle: str) -> str:
    return f"slurm-{handle}.txt"


def _node(fields: list[str]) -> Node | None:
    """Return a node from what sinfo says of it; None for one that takes no jobs or is not there."""
    name, state, cpus, memory, used_memory, gres, used_gres, _ = fields
    counts = cpus.split("/")  # allocated, idle, other, total
    if _UNABLE.search(state.lower()) or state.endswith(("*", *_NOT_THERE)) or len(counts) != 4:
        return None
    return Node(
        name=name,
        cpus=float(counts[3]),
        gpus=_gpus(gres),
        memory_mb=float(memory),
        used_cpus=float(counts[0]),
        used_gpus=_gpus(used_gres),
        used_memory_mb=float(used_memory) if used_memory.isdigit() else None,
    )


def _gpus(gres: str) -> float:
    """Return how many GPUs a list of generic resources has.

    Examples
    --------
    >>> _gpus("gpu:a100:4(S:0-1),nvme:1"), _gpus("gpu:a100:1(IDX:2),gpu:t4:2(IDX:0-1)"), _gpus("(null)")
    (4.0, 3.0, 0.0)
    """
    return float(sum(map(int, _GPUS.findall(re.sub(r"\([^)]*\)", "", gres)))))


def _reason(stderr: str) -> str:
    """Return what a command says, without its name.

    Examples
    --------
    >>> _reason("sbatch: error: Batch job submission failed: Invalid partition name specified\\n")
    'Invalid partition name specified'
    """
    lines = [line.strip(" .") for line in stderr.splitlines() if not line.startswith("Try ")]
    lines = [re.sub(r"^(\w+: )?(\w* ?error: )?(Batch job submission failed: )?", "", line) for line in lines]
    return last_line("; ".join(dict.fromkeys(line for line in lines if line)))


def _missing(name: str) -> SettingsError:
    return SettingsError(
        f"PLUMBLINE_ENGINE is slurm, and the command {name} is not on this machine.",
        "Install the client of Slurm (slurm-client) and its slurm.conf, and put it on the PATH of the server.",
    )
