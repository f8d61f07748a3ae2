"""Who may do what in which workspace, and how much: the object that functions take, profiles and limits."""

from core.access.access import INSTALLATION, LOCAL, Access, Installation, Role
from core.access.features import FEATURES, Feature
from core.access.limits import LIMIT_TITLES, SETTING, WorkspaceLimits, lowest
from core.access.profiles import PROFILES, Profile, has_feature, limits, profile, require_feature, upload_limit_mb

__all__ = [
    "FEATURES",
    "INSTALLATION",
    "LIMIT_TITLES",
    "LOCAL",
    "PROFILES",
    "SETTING",
    "Access",
    "Feature",
    "Installation",
    "Profile",
    "Role",
    "WorkspaceLimits",
    "has_feature",
    "limits",
    "lowest",
    "profile",
    "require_feature",
    "upload_limit_mb",
]
