"""The profiles of installations, as one table: people, workspaces, sign-in, limits of a workspace, features."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.access.features import FEATURES
from core.access.limits import WorkspaceLimits, lowest
from core.errors import DeniedError
from core.registry import Registry
from core.settings import Settings, get_settings

__all__ = ["PROFILES", "Profile", "has_feature", "limits", "profile", "require_feature", "upload_limit_mb"]


@dataclass(frozen=True)
class Profile:
    """One kind of installation.

    Parameters
    ----------
    name : str
        Value of ``PLUMBLINE_PROFILE``.
    title : str
        Title in lists.
    people : str
        Phrase that says who uses it.
    signs_in : bool
        Whether everyone signs in, and the server does not start without a provider.
    workspaces : str
        Phrase that says which workspaces there are.
    visitors : bool, default=False
        Whether everybody who comes has a workspace, which a cookie of the browser leads to and which is removed later.
    limits : WorkspaceLimits, default=WorkspaceLimits()
        Limits of one workspace, unless settings change them.
    off : frozenset of str, default=frozenset()
        Names of the features that it lacks.
    """

    name: str
    title: str
    people: str
    signs_in: bool
    workspaces: str
    visitors: bool = False
    limits: WorkspaceLimits = field(default_factory=WorkspaceLimits)
    off: frozenset[str] = frozenset()


PROFILES: Registry[Profile] = Registry(
    "profile",
    [
        Profile(
            "local",
            "Local",
            people="one person, on this machine",
            signs_in=False,
            workspaces="one",
        ),
        Profile(
            "team",
            "Team",
            people="people who sign in with OpenID Connect",
            signs_in=True,
            workspaces="one for each person, and shared ones by invitation, with roles",
            off=frozenset({"server_facts"}),
        ),
        Profile(
            "demo",
            "Demo",
            people="anonymous visitors",
            signs_in=False,
            workspaces="one for each visitor, removed later; and an example, to look at",
            visitors=True,
            limits=WorkspaceLimits(
                running=1,
                running_short=1,
                queued=5,
                upload_mb=50,
                rows=200_000,
                columns=500,
                stored_mb=500,
                budget_s=300,
                run_s=900,
                kept_hours=24,
            ),
            off=frozenset(
                {
                    "server_facts",
                    "hub_models",
                    "model_folders",
                    "mlflow_push",
                    "tensorboard",
                    "onnx_uploads",
                    "load_generator",
                    "pipeline_commands",
                    "schedules",
                    "network_studies",
                    "alert_channels",
                }
            ),
        ),
    ],
)
"""The kinds of installation."""


def profile(settings: Settings | None = None) -> Profile:
    """Return what this installation is for (``PLUMBLINE_PROFILE``)."""
    return PROFILES.require((settings or get_settings()).profile)


def limits(settings: Settings | None = None) -> WorkspaceLimits:
    """Return what one workspace may take in this installation: by its profile, or by ``PLUMBLINE_WORKSPACE_*``."""
    settings = settings or get_settings()
    return profile(settings).limits.changed_by(settings)


def upload_limit_mb(settings: Settings | None = None) -> int:
    """Return the size of the largest file that is taken here (MB)."""
    settings = settings or get_settings()
    return lowest(settings.max_upload_mb, limits(settings).upload_mb)


def has_feature(name: str) -> bool:
    """Return whether this installation has a feature (a key of `FEATURES`)."""
    return FEATURES.require(name).name not in profile().off


def require_feature(name: str) -> None:
    """Refuse what this installation does not have.

    Parameters
    ----------
    name : str
        Name of the feature, a key of `FEATURES`.

    Raises
    ------
    DeniedError
        When its profile lacks the feature.
    """
    feature = FEATURES.require(name)
    if not has_feature(name):
        raise DeniedError(
            f"{feature.title}: not available in this {profile().name}.",
            f"{feature.reason} An installation of your own has it.",
        )
