"""Who may do what in which workspace: the object that every function takes which reads or changes stored things."""

from core.access.access import INSTALLATION, LOCAL, Access, Installation, Role
from core.access.profiles import PROFILES, Profile, profile

__all__ = ["INSTALLATION", "LOCAL", "PROFILES", "Access", "Installation", "Profile", "Role", "profile"]
