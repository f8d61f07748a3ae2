"""Who may do what in which workspace, and how much: the object that functions take, profiles and limits."""

from core.access.access import INSTALLATION, LOCAL, Access, Installation, Role
from core.access.features import FEATURES, Feature
from core.access.limits import LIMIT_TITLES, SETTING, WorkspaceLimits, lowest
from core.access.people import person_name
from core.access.profiles import PROFILES, Profile, has_feature, limits, profile, require_feature, upload_limit_mb
from core.access.visits import COOKIE, EXAMPLES, TOKEN_S, check_secret, new_token, renewed_token, workspace_of

__all__ = [
    "COOKIE",
    "EXAMPLES",
    "FEATURES",
    "INSTALLATION",
    "LIMIT_TITLES",
    "LOCAL",
    "PROFILES",
    "SETTING",
    "TOKEN_S",
    "Access",
    "Feature",
    "Installation",
    "Profile",
    "Role",
    "WorkspaceLimits",
    "check_secret",
    "has_feature",
    "limits",
    "lowest",
    "new_token",
    "person_name",
    "profile",
    "renewed_token",
    "require_feature",
    "upload_limit_mb",
    "workspace_of",
]
