"""A site of a study: it joins, waits for its operator, answers what was approved, and resumes after it was killed."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets import fingerprint
from core.errors import DeniedError, PlumblineError, RemoteError
from core.federated.evidence.alone import train_alone
from core.federated.messages import MESSAGES
from core.federated.network.cells import StudyCell
from core.federated.network.certificates import SERVER, Certificate, Token
from core.federated.network.journal import request_digest
from core.federated.network.proposal import Proposal
from core.federated.network.site_memory import SiteMemory
from core.federated.protocol.message import Arrays, Reply, Request, decode, encode
from core.federated.site.answering import answer
from core.federated.site.site import Site
from core.jsonable import JsonObject

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SiteServer"]

_log = logging.getLogger(__name__)
_POLL_S = 1.0
_SEND_S = 10.0
Answer = tuple[JsonObject, Arrays]


@dataclass
class _Work:
    """A request that is worked on, or the last one that was."""

    key: str
    request: Request
    future: Future[Answer]
    sent: bool = False

    @property
    def failed(self) -> bool:
        return self.future.done() and self.future.result()[0]["state"] == "error"


class SiteServer:
    """One site between machines.

    Parameters
    ----------
    token : Token
        The site's token.
    frame : DataFrame
        The site's table.
    folder : Path
        Private folder of the site in this study.
    """

    def __init__(self, token: Token, frame: pd.DataFrame, folder: Path) -> None:
        self.token = token
        self.memory = SiteMemory(folder, token.study)
        self.site = Site(token.site, frame, self.memory.secret, train_alone=train_alone)
        self.proposal: Proposal | None = None
        self.state, self.reason = "asked", ""
        self._ended, self._stopped = threading.Event(), False
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._work: _Work | None = None
        self._lock = threading.Lock()
        own = Certificate(token.certificate, token.key)
        self.cell = StudyCell(token.site, token.address, token.authority, own, folder)
        for topic, handler in (("ping", self._ping), ("ask", self._ask), ("poll", self._poll), ("end", self._end)):
            self.cell.on(topic, handler)

    def join(self, *, wait_s: float = math.inf, should_stop: Callable[[], bool] = bool) -> Proposal:
        """Connect, and return the study's proposal.

        Parameters
        ----------
        wait_s : float, optional
            Seconds to wait for the server; by default until it is there.
        should_stop : callable, optional
            Function that returns whether to stop waiting.

        Raises
        ------
        RemoteError
            When the server does not answer in time.
        """
        self.cell.start()
        waited = 0.0
        while waited < wait_s and not should_stop():
            answered = self.cell.send(SERVER, "proposal", {}, timeout_s=_SEND_S)
            if answered is not None:
                self.proposal = Proposal.from_dict(answered[0])
                if self.proposal.study != self.token.study:
                    raise RemoteError("The server leads another study.", "Ask for a new token.")
                return self.proposal
            self._ended.wait(0.1)
            waited += 0.1
        raise RemoteError(
            f"The server at {self.token.address} does not answer '{self.token.site}'.",
            "Ask whether the study runs, and whether the token is the newest.",
        )

    @property
    def approved(self) -> bool:
        """Whether this very proposal was approved before."""
        approval = self.memory.approval
        return approval is not None and self.proposal is not None and approval["digest"] == self.proposal.digest

    def approve(self) -> None:
        """Keep the operator's approval."""
        assert self.proposal is not None
        self.memory.approve(self.proposal.digest, self.proposal.to_dict())

    def refuse(self, reason: str) -> None:
        """Say that the site does not take part, and end."""
        self.state, self.reason = "refused", reason
        self.cell.send(SERVER, "state", {"state": "refused", "reason": reason}, timeout_s=_SEND_S)
        self.stop()

    def serve(self, *, should_stop: Callable[[], bool] = bool) -> None:
        """Answer requests until the study is over.

        Parameters
        ----------
        should_stop : callable, optional
            Function that returns whether to end before that.
        """
        if not self.approved:
            raise DeniedError(f"'{self.token.site}' has not approved this study.", "Approve the proposal first.")
        self.memory.check_table(fingerprint(self.site.frame))
        replayed = self.memory.replay(self.site)
        _log.info("%s: %d requests replayed", self.token.site, replayed)
        self.state = "approved"
        self.cell.send(SERVER, "state", {"state": "approved", "reason": ""}, timeout_s=_SEND_S)
        while not self._ended.wait(0.2) and not should_stop():
            pass

    def stop(self) -> None:
        """End the connection, and close the files; once is enough."""
        if self._stopped:
            return
        self._stopped = True
        self.cell.stop()
        self._worker.shutdown()
        self.memory.close()

    def _ping(self, sender: str, content: JsonObject, arrays: Arrays) -> Answer:
        return {"state": self.state, "reason": self.reason}, {}

    def _end(self, sender: str, content: JsonObject, arrays: Arrays) -> Answer:
        self.state, self.reason = "done", str(content.get("reason", ""))
        self._ended.set()
        return {"state": self.state}, {}

    def _ask(self, sender: str, content: JsonObject, arrays: Arrays) -> Answer:
        request = Request(int(content["number"]), str(content["kind"]), content["content"], arrays)
        missed = bool(content["missed"])
        if self.state != "approved":
            return {"state": "waiting"}, {}
        key = f"{request_digest(request)} {missed}"
        with self._lock:
            work = self._work
            if work is None or (work.future.done() and (work.key != key or work.failed)):
                self._work = _Work(key, request, self._worker.submit(self._answered, request, missed))
        return self._waited(key)

    def _poll(self, sender: str, content: JsonObject, arrays: Arrays) -> Answer:
        return self._waited(str(content["key"]))

    def _waited(self, key: str) -> Answer:
        """Return the answer to what is worked on, or that it is worked on."""
        work = self._work
        if work is None or work.key != key:
            return {"state": "busy" if work is not None and not work.future.done() else "unknown"}, {}
        try:
            answered = work.future.result(timeout=_POLL_S)
        except NotDone:
            return {"state": "working", "key": key}, {}
        with self._lock:
            if work.sent and answered[0].get("content"):
                data, request = encode(*answered), work.request
                self.memory.log(request.number, request.kind, data, masked=_is_masked(answered), note="again")
            work.sent = True
        return answered

    def _answered(self, request: Request, missed: bool) -> Answer:
        """Return the answer to a request; it is stored and logged before it leaves."""
        try:
            return self._reply(request, missed)
        except DeniedError as error:
            message, hint = error.message, error.hint
        except PlumblineError as error:  # its words may quote cells, or sums of the site
            _log.warning("Request %d (%s): %s %s", request.number, request.kind, error.message, error.hint)
            message = f"It could not answer '{request.kind}' ({type(error).__name__})."
            hint = "Its operator sees the reason in its log."
        except Exception as error:  # noqa: BLE001 (its words may quote rows, so the log alone has them)
            _log.exception("Request %d (%s) failed", request.number, request.kind)
            message = f"Its answer to '{request.kind}' failed ({type(error).__name__})."
            hint = "The log of the site has the details."
        content = {"state": "error", "message": message, "hint": hint}
        self.memory.log(request.number, request.kind, encode(content, {}), note="error")
        return content, {}

    def _reply(self, request: Request, missed: bool) -> Answer:
        assert self.proposal is not None
        self.proposal.check(request)
        kind, last = MESSAGES.require(request.kind), self.memory.last
        if missed and self.memory.has_taken(request):
            return {"state": "done", "content": {}}, {}
        if last is not None and last.number == request.number and last.digest == request_digest(request) and last.data:
            answered = decode(last.data)
            self.memory.log(request.number, request.kind, last.data, masked=_is_masked(answered), note="again")
            return answered
        self.memory.check_new(request)
        if request.kind == "plan" and self.site.plan is not None:
            raise DeniedError("A plan was agreed on before.", "Make a new study for another one.")
        known = dict(self.site.answered)
        if missed:
            kind.answer(self.site, request)
            self.memory.keep(request, self.site, known, b"")
            return {"state": "done", "content": {}}, {}
        reply: Reply = answer(self.site, request)
        answered = {"state": "done", "content": reply.content}, reply.arrays
        data = encode(*answered)
        self.memory.keep(request, self.site, known, data)
        self.memory.log(request.number, request.kind, data, masked=_is_masked(answered))
        return answered


def _is_masked(answered: Answer) -> bool:
    return "shapes" in answered[0]["content"]
