"""Options of sbatch that an installation adds to those of each job: which are accepted, and in which form."""

from __future__ import annotations

import shlex

from core.errors import SettingsError

__all__ = ["partition", "sbatch_options"]

_FROM_NEEDS = "the needs of each run set it"
_OURS = "Plumbline sets it itself"
_REFUSED = {
    "array": "a run is one job",
    "chdir": _OURS,
    "cluster": "only the cluster of SLURM_CONF is looked at",
    "clusters": "only the cluster of SLURM_CONF is looked at",
    "cpus-per-gpu": _FROM_NEEDS,
    "cpus-per-task": _FROM_NEEDS,
    "error": _OURS,
    "export": _OURS,
    "export-file": _OURS,
    "get-user-env": _OURS,
    "external": "no job would start",
    "gid": "jobs belong to the user of the server",
    "gpus": _FROM_NEEDS,
    "gpus-per-node": _FROM_NEEDS,
    "gpus-per-socket": _FROM_NEEDS,
    "gpus-per-task": _FROM_NEEDS,
    "gres": _FROM_NEEDS,
    "help": "no job would start",
    "hold": "no job would start",
    "input": _OURS,
    "job-name": "jobs are looked up by the name that Plumbline gives them",
    "mem": _FROM_NEEDS,
    "mem-per-cpu": _FROM_NEEDS,
    "mem-per-gpu": _FROM_NEEDS,
    "nodes": "a run works on one node",
    "ntasks": "a run is one task",
    "ntasks-per-core": "a run is one task",
    "ntasks-per-gpu": "a run is one task",
    "ntasks-per-node": "a run is one task",
    "ntasks-per-socket": "a run is one task",
    "output": _OURS,
    "parsable": _OURS,
    "requeue": "Plumbline places a run again itself",
    "tasks-per-node": "a run is one task",
    "test-only": "no job would start",
    "tres-per-task": _FROM_NEEDS,
    "uid": "jobs belong to the user of the server",
    "usage": "no job would start",
    "version": "no job would start",
    "wait": "the server would wait for the end of each run",
    "wrap": _OURS,
}
"""Options that would break how jobs are started, looked up or ended, and why."""

_SHORT = {
    "A": "account",
    "C": "constraint",
    "F": "nodefile",
    "L": "licenses",
    "S": "core-spec",
    "b": "begin",
    "d": "dependency",
    "m": "distribution",
    "p": "partition",
    "q": "qos",
    "t": "time",
    "w": "nodelist",
    "x": "exclude",
}
"""Short forms of options with a value, which are passed on in their long form."""


def sbatch_options(text: str) -> tuple[str, ...]:
    """Return the options of a setting as arguments of sbatch, each as one word.

    An option and its value are joined by "=", so that no value can be taken for the name of a script. As sbatch accepts
    the beginning of an option's name for the whole, what may be meant for a refused one is refused as well.

    Parameters
    ----------
    text : str
        Options as a shell reads them, such as ``--partition=gpu -t 12:00:00``.

    Raises
    ------
    SettingsError
        When an option would break how jobs are started, looked up or ended.

    Examples
    --------
    >>> sbatch_options("-p gpu --account team --exclusive")
    ('--partition=gpu', '--account=team', '--exclusive')
    """
    try:
        words = shlex.split(text)
    except ValueError:
        raise _refusal(text, "a quote is not closed") from None
    options: list[str] = []
    while words:
        word = words.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("-"):
            raise _refusal(word, "it is not an option")
        if not word.startswith("--"):
            name, value = _long_name(word), word[2:]
            equals = "=" if value else ""
        _check(word, name)
        if not equals and words and not words[0].startswith("-"):
            equals, value = "=", words.pop(0)
        options.append(f"--{name}{equals}{value}")
    return tuple(options)


def partition(options: tuple[str, ...]) -> str | None:
    """Return the partitions that jobs are submitted to, separated by commas; None for the cluster's default.

    Parameters
    ----------
    options : tuple of str
        Options as `sbatch_options` returns them.

    Examples
    --------
    >>> partition(("--qos=high", "--partition=gpu,cpu"))
    'gpu,cpu'
    """
    values = [value for name, _, value in (option.partition("=") for option in options) if _is_partition(name[2:])]
    return values[-1] if values else None


def _is_partition(name: str) -> bool:
    return len(name) >= len("part") and "partition".startswith(name)


def _long_name(word: str) -> str:
    name = _SHORT.get(word[1:2])
    if name is None:
        raise _refusal(word, "it is not among the short options that are passed on; write it in its long form")
    return name


def _check(word: str, name: str) -> None:
    reason = _REFUSED.get(name) or next((reason for long, reason in _REFUSED.items() if long.startswith(name)), None)
    if reason is not None:
        raise _refusal(word, reason)


def _refusal(word: str, reason: str) -> SettingsError:
    return SettingsError(
        f"PLUMBLINE_ENGINE_OPTIONS has {word[:80]!r}, which cannot be passed to sbatch: {reason}.",
        "It takes options such as --partition=gpu --account=team --time=12:00:00.",
    )
