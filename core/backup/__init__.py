"""One file with everything that an installation stores: the catalog and the contents that its rows name.

``python -m core.backup make FILE``, ``check FILE`` and ``restore FILE``. A backup is made while servers and runs work:
the catalog is copied first and the contents after it, since contents come before their rows and stay for a day after
them, so that no row of the copy names a content that is missing. Working files of runs are not part of it: a run that
worked at that time is recovered as one whose computer restarted.
"""

from core.backup.archive import Manifest, check, make, restore

__all__ = ["Manifest", "check", "make", "restore"]
