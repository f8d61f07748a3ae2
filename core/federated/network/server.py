"""The server of a study: sites connect to it, and it asks whether they are there and what their operators decided."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from core.errors import LimitError, StoppedError, shortened
from core.federated.network.cells import StudyCell
from core.federated.network.certificates import SERVER
from core.federated.network.proposal import Proposal
from core.federated.network.site_states import SITE_STATES, SiteStates
from core.federated.network.study_folder import NetworkSettings, load_certificates
from core.federated.protocol.message import Arrays
from core.jsonable import JsonObject

__all__ = ["StudyServer"]

_PING_S = 10.0
_SILENT_BEATS = 5


class StudyServer:
    """The server of a study.

    Parameters
    ----------
    folder : Path
        Folder of the study.
    network : NetworkSettings
        Its settings.

    Raises
    ------
    RemoteError
        When nothing can listen at the address.
    """

    def __init__(self, folder: Path, network: NetworkSettings) -> None:
        self.network = network
        self.states = SiteStates(folder, network.sites)
        self.proposal = Proposal(network.study, network.address, network.sites, network.settings)
        authority, own = load_certificates(folder)
        self.cell = StudyCell(SERVER, network.listen_address, authority, own, folder)
        self.cell.on("proposal", self._asked_for_proposal)
        self.cell.on("state", self._state_sent)
        self.last_sign = dict.fromkeys(network.sites, 0.0)
        self._ended = threading.Event()
        self._beats = [
            threading.Thread(target=self._beat, args=(site,), daemon=True, name=f"heartbeat {site}")
            for site in network.sites
        ]

    def start(self) -> None:
        """Listen, and begin to ask whether sites are there."""
        self.cell.start()
        for beat in self._beats:
            beat.start()

    def stop(self, reason: str = "", *, over: bool = False) -> None:
        """End; a study that is over is over for its sites as well."""
        self._ended.set()
        for beat in self._beats:
            beat.join()
        if over:
            for site in filter(self.is_there, self.network.sites):
                if self.cell.send(site, "end", {"reason": reason}, timeout_s=_PING_S) is not None:
                    self.states.set(site, "done")
        self.cell.stop()

    def wait_for_approvals(self, should_stop: Callable[[], bool] = bool) -> list[str]:
        """Return the sites that have approved: all, or enough of them when the time is up.

        Parameters
        ----------
        should_stop : callable, optional
            Function that returns whether to stop waiting.

        Raises
        ------
        LimitError
            When too few sites have approved.
        StoppedError
            When it was stopped.
        """
        network, needed = self.network, self.network.settings.min_sites
        began, enough_since = time.monotonic(), None
        while True:
            approved, refused = self.states.in_state("approved"), self.states.in_state("refused")
            now = time.monotonic()
            enough_since = (enough_since or now) if len(approved) >= needed else None
            if enough_since is not None and len(approved) + len(refused) == len(network.sites):
                return approved
            if enough_since is not None and now - enough_since >= network.join_timeout_s:
                return approved
            if len(network.sites) - len(refused) < needed or now - began > network.approval_timeout_s:
                lacking = [f"'{site}' {SITE_STATES[self.states.of(site)]}" for site in network.sites]
                raise LimitError(
                    f"{len(approved)} of {len(network.sites)} sites have approved, and {needed} are needed: "
                    f"{'; '.join(lacking)}.",
                    "Ask the operators of the sites, and run the study again.",
                )
            if should_stop() or self._ended.wait(0.1):
                raise StoppedError("The study was stopped before enough sites had approved.", "Run it again.")

    def is_there(self, site: str) -> bool:
        """Return whether a site is connected and gave a sign of life lately."""
        return self.cell.reaches(site) and self.states.of(site) not in ("away", "refused")

    def sign_of_life(self, site: str, state: str, reason: str = "") -> None:
        """Note that a site has answered."""
        if state in SITE_STATES:
            self.last_sign[site] = time.monotonic()
            self.states.set(site, state, shortened(reason, 300) if reason else "")

    def _beat(self, site: str) -> None:
        """Ask a site again and again whether it is there."""
        heartbeat = self.network.heartbeat_s
        while not self._ended.is_set():
            answered = self.cell.send(site, "ping", {}, timeout_s=max(heartbeat, 1.0))
            if answered is not None:
                self.sign_of_life(site, str(answered[0].get("state")), str(answered[0].get("reason", "")))
            elif self.states.of(site) in ("connected", "asked", "approved"):
                silent_s = time.monotonic() - self.last_sign[site]
                if not self.cell.reaches(site):
                    self.states.set(site, "away", "The connection has ended.")
                elif silent_s > _SILENT_BEATS * heartbeat:
                    self.states.set(site, "away", f"It has not answered for {silent_s:.0f} seconds.")
            self._ended.wait(heartbeat if self.cell.reaches(site) else min(heartbeat, 0.2))

    def _asked_for_proposal(self, sender: str, content: JsonObject, arrays: Arrays) -> tuple[JsonObject, Arrays]:
        if self.states.of(sender) in ("invited", "away", "refused"):
            self.sign_of_life(sender, "connected")
        return self.proposal.to_dict(), {}

    def _state_sent(self, sender: str, content: JsonObject, arrays: Arrays) -> tuple[JsonObject, Arrays]:
        self.sign_of_life(sender, str(content.get("state")), str(content.get("reason", "")))
        return {}, {}
