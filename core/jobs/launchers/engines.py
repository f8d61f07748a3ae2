"""The engine of the installation, by its setting."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module

from core.jobs.launchers.base import Launcher
from core.settings import get_settings

__all__ = ["launcher"]

_CLASSES = {
    "ray": "core.jobs.launchers.ray:RayLauncher",
    "slurm": "core.jobs.launchers.slurm:SlurmLauncher",
    "kubernetes": "core.jobs.launchers.kubernetes:KubernetesLauncher",
}
"""Class of an engine by the beginning of its setting; it takes the setting and the token."""


def launcher() -> Launcher | None:
    """Return the engine that places runs; None where they work on this machine.

    Raises
    ------
    SettingsError
        When what the engine needs is not set.

    Examples
    --------
    >>> launcher() is None
    True
    """
    settings = get_settings()
    token = None if settings.engine_token is None else settings.engine_token.get_secret_value()
    return None if settings.engine == "local" else _launcher(settings.engine, token)


@lru_cache(maxsize=4)
def _launcher(setting: str, token: str | None) -> Launcher:
    module, _, name = _CLASSES[setting.partition(":")[0].partition("+")[0]].partition(":")
    made: Launcher = getattr(import_module(module), name)(setting, token)
    return made
