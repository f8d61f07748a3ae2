"""The command that starts a sandboxed worker: what bubblewrap shows it of this machine, and its environment."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.access import LIMIT_TITLES, SETTING
from core.jobs.processes import MARK
from core.jobs.sandbox.folders import NOBODY, RunFolders
from core.resources import CORES, MEMORY_MB
from core.settings import Settings

__all__ = ["ENTRY", "KEPT_OUT", "PASSED", "arguments", "closed_folders", "environment", "probe_arguments"]

ENTRY = "core.jobs.sandbox.entry"
"""Module that runs within the sandbox."""
PASSED = {
    "engine",
    "engine_lanes",
    "extensions",
    "max_attempts",
    "max_cell_bytes",
    "max_cells",
    "max_columns",
    "max_kept_uploads_mb",
    "max_name_chars",
    "max_rows",
    "max_running",
    "max_running_pipelines",
    "max_running_short",
    "max_upload_mb",
    "memory_limit_mb",
    "pipeline_commands",
    "profile",
    "read_cpu_s",
    "read_memory_mb",
    "run_disk_mb",
    "run_processes",
    "run_timeout_s",
    "tabicl_checkpoint",
    "task_packages",
    *(f"{SETTING}{name}" for name in LIMIT_TITLES),
}
"""Settings that a sandboxed worker gets."""
KEPT_OUT = {
    "all_downloads_mb",
    "all_uploads_mb",
    "cache_mb",
    "content_grace_s",
    "database",
    "engine_options",
    "engine_template",
    "engine_token",
    "grace_s",
    "home",
    "keep_work_days",
    "lease_s",
    "max_stored_mb",
    "log_format",
    "message_mb",
    "node_folder",
    "node_name",
    "node_python",
    "outbound_hosts",
    "public_url",
    "requests_per_minute",
    "reruns_per_minute",
    "sandbox",
    "secrets_file",
    "session_uploads_mb",
    "sign_ins_per_minute",
    "smtp_credential",
    "smtp_host",
    "smtp_port",
    "smtp_security",
    "smtp_sender",
    "smtp_user",
    "sockets_per_address",
    "source_folders",
    "storage",
    "tick_every_s",
    "visitor_secret",
}
"""Settings that it does not get: where the catalog and the store are, with their passwords; what others do for it."""

_SHARED = "sandbox://shared"
"""Storage setting of a worker where hosts share a storage, which it reaches through its monitor."""
_ROOT = Path(__file__).resolve().parents[3]
_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin")
_MACHINE = (
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/mime.types",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
)
_SHARED_MEMORY_BYTES = 256 << 20
_VARIABLES = (
    "TZ",
    "OMP_NUM_THREADS",
    "OMP_THREAD_LIMIT",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    CORES,
    MEMORY_MB,
)


def environment(run_id: str, settings: Settings) -> dict[str, str]:
    """Return the environment of a sandboxed worker, and of bubblewrap, whose own the worker could read.

    Parameters
    ----------
    run_id : str
        Id of the run.
    settings : Settings
        Settings of the installation, of which those in `PASSED` are passed.
    """
    values = settings.model_dump(mode="json", include=PASSED, exclude_none=True)
    passed = {f"PLUMBLINE_{name.upper()}": _text(value) for name, value in values.items()}
    path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])
    extra = [str(folder) for folder in _extra_paths(settings)]
    return {
        **{name: os.environ[name] for name in _VARIABLES if name in os.environ},
        **passed,
        **({} if settings.storage is None else {"PLUMBLINE_STORAGE": _SHARED}),
        **({"PYTHONPATH": os.pathsep.join(extra)} if extra else {}),
        MARK: run_id,
        "PLUMBLINE_HOME": str(settings.home.absolute()),
        "PATH": path,
        "HOME": "/tmp",
        "USER": "plumbline",
        "TMPDIR": "/tmp",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_CACHE": str(_hub_cache()),
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def arguments(folders: RunFolders, settings: Settings, connection: int) -> list[str]:
    """Return the command that runs the worker of a run.

    Parameters
    ----------
    folders : RunFolders
        Folders of the run.
    settings : Settings
        Settings of the installation.
    connection : int
        Open file by which the worker reaches its monitor.
    """
    binds: list[str] = []
    for source, target in folders.binds():
        binds += _bind("--bind", source, target)
    binds += _bind("--ro-bind", folders.contents, folders.contents)
    return [*_sandbox(settings, binds), *_user(), sys.executable, "-m", ENTRY, str(connection)]


def probe_arguments(settings: Settings) -> list[str]:
    """Return a command that does nothing in such a sandbox."""
    return [*_sandbox(settings, ["--tmpfs", "/tmp"]), *_user(), sys.executable, "-c", ""]


def closed_folders(settings: Settings) -> list[Path]:
    """Return the folders of code that the user of a sandbox may not enter, where that user is not the server's."""
    if os.geteuid() != 0:
        return []
    return [folder for folder in _read_only(settings) if folder.is_dir() and not folder.stat().st_mode & stat.S_IXOTH]


def _sandbox(settings: Settings, binds: list[str]) -> list[str]:
    command = [
        shutil.which("bwrap") or "bwrap",
        "--die-with-parent",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-net",
        "--unshare-cgroup-try",
    ]
    if os.geteuid() == 0:
        command += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        command += ["--unshare-user", "--disable-userns"]
    command += ["--hostname", "sandbox", "--proc", "/proc", "--dev", "/dev"]
    command += ["--size", str(_SHARED_MEMORY_BYTES), "--perms", "1777", "--tmpfs", "/dev/shm"]
    # Memory that is called a folder would count for no one: these, and the root itself, are read-only.
    command += ["--remount-ro", "/dev"]
    for path in _SYSTEM:
        command += _system(Path(path))
    for path in _MACHINE:
        command += ["--ro-bind-try", path, path]
    command += binds
    for folder in _read_only(settings):
        command += _bind("--ro-bind", folder, folder)
    return [*command, "--remount-ro", "/", "--chdir", str(_ROOT), "--"]


def _bind(option: str, source: Path, target: Path) -> list[str]:
    """Return the options of a mount; folders above it are made for all, whoever may enter them outside."""
    above = [folder for folder in reversed(target.parents) if len(folder.parts) > 1 and folder != Path("/tmp")]
    made = [part for folder in above for part in ("--perms", "0755", "--dir", str(folder))]
    return [*made, option, str(source), str(target)]


def _system(path: Path) -> list[str]:
    if path.is_symlink():  # to its place below /usr
        return ["--symlink", os.readlink(path), str(path)]
    return ["--ro-bind", str(path), str(path)] if path.is_dir() else []


def _user() -> list[str]:
    """Return what makes the command another user's, where bubblewrap itself is root's."""
    if os.geteuid() != 0:
        return []
    return ["/usr/bin/setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all"]


def _read_only(settings: Settings) -> list[Path]:
    """Return the code, the Python environment, and the weights that are there: downloaded before, or a checkpoint."""
    folders = [_ROOT / "core", *map(Path, (sys.prefix, sys.base_prefix)), *_modules(settings)]
    if _hub_cache().is_dir():
        folders.append(_hub_cache())
    if settings.tabicl_checkpoint is not None and settings.tabicl_checkpoint.is_file():
        folders.append(settings.tabicl_checkpoint.resolve())
    return [folder for folder in dict.fromkeys(folders) if not any(folder.is_relative_to(path) for path in _SYSTEM)]


def _hub_cache() -> Path:
    """Return the folder of models from the hub, without the settings and the token beside it."""
    home = Path(os.environ.get("HF_HOME") or "~/.cache/huggingface").expanduser()
    return Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser().absolute()


def _modules(settings: Settings) -> Iterator[Path]:
    """Yield the folders or files of extensions and packages of tasks that are not part of what is shown anyway."""
    for name in (*settings.extensions, *settings.task_packages):
        spec = importlib.util.find_spec(name)
        if spec is None:
            continue
        if spec.submodule_search_locations:
            yield from _outside(map(Path, spec.submodule_search_locations))
        elif spec.origin is not None:
            yield from _outside([Path(spec.origin)])


def _outside(paths: Iterable[Path]) -> Iterator[Path]:
    shown = [_ROOT / "core", Path(sys.prefix), Path(sys.base_prefix)]
    for path in paths:
        if not any(path.resolve().is_relative_to(folder) for folder in shown):
            yield path.resolve()


def _extra_paths(settings: Settings) -> list[Path]:
    """Return the folders on the search path of modules that `_modules` yields from, without the project's own."""
    paths = [Path(entry).resolve() for entry in sys.path if entry]
    parents = [path for module in _modules(settings) for path in paths if module.is_relative_to(path)]
    return [path for path in dict.fromkeys(parents) if path != _ROOT]
