"""The channel of a study between machines: sites are asked at the same time, and what they answered is journaled."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from core.errors import RemoteError, StorageError
from core.federated.messages import MESSAGES
from core.federated.network.journal import Journal, flatten, request_digest, split
from core.federated.network.server import StudyServer
from core.federated.protocol.message import Reply, Request
from core.jsonable import JsonObject

__all__ = ["CellChannel"]

_SEND_S, _LEAST_SEND_S = 5.0, 0.5
_PAUSE_S = 0.05


class CellChannel:
    """A channel to sites elsewhere.

    A request ends when all sites have answered, or those who have not gave no sign of life for `answer_timeout_s`. A
    site that reconnects meanwhile is asked again, under the same number. Further requests wait for a site that did not
    answer only if too few others are there; when it comes back, it first gets the requests that it missed and later
    ones build on, and its replies to these are dropped.

    Every request and its replies are in the journal before `ask` returns. A coordinator that was killed runs the same
    program from the start, and gets what was answered before.

    Parameters
    ----------
    server : StudyServer
        The server that the sites are connected to.
    journal : Journal
        Journal of the study.
    sites : sequence of str
        Sites that take part.

    Attributes
    ----------
    replayed : int
        Number of requests that were answered by the journal.
    """

    def __init__(self, server: StudyServer, journal: Journal, sites: Sequence[str]) -> None:
        self._server, self._journal = server, journal
        self._sites = list(sites)
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(sites)))
        self._lost: set[str] = set()
        self._missed: dict[str, list[Request]] = {site: [] for site in sites}
        self._past = islice(journal.records(), 1, len(journal))  # the first one names the sites
        self.replayed = 0

    @property
    def sites(self) -> list[str]:
        return self._sites

    def losses(self) -> dict[str, float]:
        return {}

    def ask(self, request: Request, sites: Sequence[str]) -> dict[str, Reply]:
        """Return the replies of the sites that answered in time, by name.

        Raises
        ------
        RemoteError
            When a site answers with an error.
        StorageError
            When the journal is that of another study.
        """
        digest = request_digest(request)
        past = next(self._past, None)
        if past is None:
            replies = self._ask_all(request, sites)
            contents, arrays = flatten(replies)
            record: JsonObject = {"number": request.number, "digest": digest, "replies": contents}
            self._journal.append(record, arrays)
        else:
            if past[0]["digest"] != digest:
                raise StorageError(
                    f"The journal has another request {request.number} than this study asks.",
                    "Continue the study with the version that began it, or make a new one.",
                )
            replies = split(past[0]["replies"], past[1])
            self.replayed += 1
        self._note(request, sites, replies)
        return replies

    def _note(self, request: Request, sites: Sequence[str], replies: dict[str, Reply]) -> None:
        for site in sites:
            if site in replies:
                self._lost.discard(site)
                self._missed[site].clear()  # the site got them before this request
            else:
                self._lost.add(site)
                self._server.states.missed(site, request.number)
        if MESSAGES[request.kind].stateful:
            for site in sites:
                if site not in replies:
                    self._missed[site].append(request)
        if request.kind == "describe":  # without its key, a site cannot be part of a sum
            self._sites = [site for site in self._sites if site in replies]

    def _ask_all(self, request: Request, sites: Sequence[str]) -> dict[str, Reply]:
        needed = max(1, min(self._server.network.settings.min_sites, len(sites)))
        there = [site for site in sites if site not in self._lost or self._server.is_there(site)]
        asked = there if len(there) >= needed else list(sites)
        futures = {site: self._pool.submit(self._ask_site, site, request) for site in asked}
        replies = {site: future.result() for site, future in futures.items()}
        return {site: reply for site, reply in replies.items() if reply is not None}

    def _ask_site(self, site: str, request: Request) -> Reply | None:
        for earlier in self._missed[site]:
            if self._deliver(site, earlier, missed=True) is None:
                return None
        return self._deliver(site, request)

    def _deliver(self, site: str, request: Request, *, missed: bool = False) -> Reply | None:
        """Ask a site until it answers, or gives no sign of life for too long."""
        network, cell = self._server.network, self._server.cell
        content: JsonObject = {
            "number": request.number,
            "kind": request.kind,
            "content": request.content,
            "missed": missed,
        }
        began = sign = time.monotonic()
        key = ""
        while True:
            now = time.monotonic()
            left = network.answer_timeout_s - (now - sign)
            if left <= 0 or now - began > network.work_timeout_s:
                return None
            timeout = min(_SEND_S, max(left, _LEAST_SEND_S))
            if key:
                answered = cell.send(site, "poll", {"key": key}, timeout_s=timeout)
            else:
                answered = cell.send(site, "ask", content, request.arrays, timeout_s=timeout)
            if answered is None:
                key = ""
                time.sleep(_PAUSE_S)
                continue
            state = answered[0].get("state")
            if state == "done":
                self._server.sign_of_life(site, "approved")
                return Reply(answered[0]["content"], answered[1])
            if state == "error":
                raise RemoteError(f"'{site}' answers: {answered[0]['message']}", str(answered[0]["hint"]))
            if state in ("working", "busy"):
                sign = time.monotonic()
                self._server.sign_of_life(site, "approved")
            key = str(answered[0]["key"]) if state == "working" else ""
            if state != "working":
                time.sleep(_PAUSE_S)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()
