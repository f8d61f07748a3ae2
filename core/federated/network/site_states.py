"""What the coordinator knows of each site, kept in ``state.json`` for pages and commands to read."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from core.files import write_text
from core.jsonable import JsonObject

__all__ = ["SITE_STATES", "SiteStates", "read_states"]

SITE_STATES = {
    "invited": "has a token, and has not joined yet",
    "connected": "has joined",
    "asked": "waits for the approval of its operator",
    "approved": "has approved, and answers",
    "refused": "does not take part",
    "away": "does not answer",
    "done": "has finished the study",
}
"""States of a site, and what they mean."""


def read_states(folder: str | Path) -> JsonObject:
    """Return the content of a study's ``state.json``; one without any site where there is none yet."""
    path = Path(folder) / "state.json"
    if not path.exists():
        return {"phase": "created", "message": "", "sites": {}}
    record: JsonObject = json.loads(path.read_text(encoding="utf-8"))
    return record


class SiteStates:
    """States of the sites, written to a file whenever one changes.

    Parameters
    ----------
    folder : Path
        Folder of the study.
    sites : sequence of str
        Names of the sites.
    """

    def __init__(self, folder: Path, sites: Sequence[str]) -> None:
        self._path = folder / "state.json"
        self._lock = threading.RLock()
        now = _now()
        record = read_states(folder)
        sites_before = record["sites"]
        self._record: JsonObject = {
            "phase": "waiting",
            "message": "",
            "updated": now,
            "sites": {
                site: sites_before.get(site, {"state": "invited", "reason": "", "since": now, "missed": []})
                for site in sites
            },
        }
        for site in sites:
            if self.of(site) in ("connected", "asked", "approved", "done"):
                self.set(site, "away", "The server was started again.")
        self._write()

    def of(self, site: str) -> str:
        """Return the state of a site, a key of `SITE_STATES`."""
        return str(self._record["sites"][site]["state"])

    def in_state(self, state: str) -> list[str]:
        """Return the names of the sites in a state."""
        return [site for site in self._record["sites"] if self.of(site) == state]

    def reason(self, site: str) -> str:
        """Return why a site is in its state."""
        return str(self._record["sites"][site]["reason"])

    def set(self, site: str, state: str, reason: str = "") -> None:
        """Set the state of a site."""
        with self._lock:
            entry = self._record["sites"][site]
            if (entry["state"], entry["reason"]) != (state, reason):
                since = entry["since"] if entry["state"] == state else _now()
                entry.update({"state": state, "reason": reason, "since": since})
                self._write()

    def missed(self, site: str, number: int) -> None:
        """Note a request that a site did not answer."""
        with self._lock:
            numbers = self._record["sites"][site]["missed"]
            if number not in numbers:
                numbers.append(number)
                self._write()

    def phase(self, phase: str, message: str = "") -> None:
        """Set what the study does: waiting, training, evaluation, finished or failed."""
        with self._lock:
            self._record.update({"phase": phase, "message": message})
            self._write()

    def _write(self) -> None:
        with self._lock:
            self._record["updated"] = _now()
            write_text(self._path, json.dumps(self._record, indent=2))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
