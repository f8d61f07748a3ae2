"""The collector: sets contents aside that no row needs, and removes those that stayed aside for long.

It is safe beside any number of processes that store, read and collect, without a lock between them:

* A content is set aside only when it was stored last before the grace period, and before every run that works now was
  submitted: a process that has stored it has long added its row, or never will.
* A content that is older than the catalog is left alone: it may be that of a catalog that was lost and can be put back.
* A row may still be added, by a process that had seen another row with the same content. Whoever reads the content puts
  it back; so does the collector itself when it comes to remove it, and finds that a row needs it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from core.catalog import references
from core.settings import get_settings
from core.storage import PREFIXES, ArtifactStore, get_store

__all__ = ["collect", "grace_began"]


def collect(prefixes: Iterable[str] = PREFIXES, *, grace_s: float | None = None) -> int:
    """Collect the contents with these prefixes, of all workspaces.

    Parameters
    ----------
    prefixes : iterable of str, optional
        First two digits of their digests; by default all.
    grace_s : float, optional
        Seconds that a content stays after it was stored last, and as long again after it was set aside; by default
        ``PLUMBLINE_CONTENT_GRACE_S``.

    Returns
    -------
    int
        Number of contents that were removed for good.
    """
    store, removed = get_store(), 0
    began = references.began()
    if began is None:
        return removed
    for prefix in prefixes:
        before = grace_began(grace_s)
        store.delete_unfinished(prefix, before)
        removed += _remove(store, prefix, before)
        old = store.stored_before(prefix, before, since=began)
        for digest in sorted(set(old) - references.needed(old)):
            store.set_aside(digest, before)
    return removed


def grace_began(grace_s: float | None = None) -> float:
    """Return the time that the grace period began; what works now counts from when it was submitted."""
    now, works_since = time.time(), references.earliest_work()
    grace_s = get_settings().content_grace_s if grace_s is None else grace_s
    return (now if works_since is None else min(now, works_since)) - grace_s


def _remove(store: ArtifactStore, prefix: str, before: float) -> int:
    aside = store.set_aside_before(prefix, before)
    needed, removed = references.needed(aside), 0
    for digest in aside:
        if digest in needed and not store.stored(digest):
            store.put_back(digest)
        else:
            store.delete_aside(digest, before)
            removed += not store.stored(digest)
    return removed
