"""What a site keeps of a study in a private folder: its secret, the approval, what it answered, what left it.

The journal has every request that was answered, before the reply leaves. A site that was killed replays those that
later ones build on, and sends nothing while it does. What it promised for a sum (one question per number, one set of
sites per sum of masks) holds across restarts, because it is in the journal.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import DeniedError, StorageError
from core.federated.messages import MESSAGES
from core.federated.network.certificates import write_private
from core.federated.network.journal import Journal, request_digest
from core.federated.protocol.message import Arrays, Request, decode, encode
from core.federated.site.site import Site
from core.files import os_errors_explained
from core.jsonable import JsonObject
from core.private_folder import make_private

__all__ = ["Answered", "SiteMemory"]

_SECRET_BYTES = 32


@dataclass(frozen=True)
class Answered:
    """The last reply of a site.

    Parameters
    ----------
    number : int
        Number of the request.
    digest : str
        Digest of the request.
    data : bytes
        Reply.
    """

    number: int
    digest: str
    data: bytes


class SiteMemory:
    """The folder of a site in a study.

    Parameters
    ----------
    folder : Path
        Folder; made, for its user alone, where there is none.
    study : str
        Id of the study.

    Raises
    ------
    StorageError
        When the folder cannot be used.
    """

    def __init__(self, folder: Path, study: str) -> None:
        make_private(folder)
        self.folder = folder
        owner = folder / "study"
        if owner.exists() and owner.read_text(encoding="ascii").strip() != study:
            raise StorageError(f"'{folder}' belongs to another study.", "Give a folder of its own for each study.")
        write_private(owner, study.encode())
        self.secret = self._secret()
        self.journal = Journal(folder / "journal")
        self.last = self._last()
        self._stateful: dict[int, str] = {}
        self._log = os.open(folder / "messages.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def _secret(self) -> bytes:
        path = self.folder / "secret"
        if not path.exists():
            write_private(path, os.urandom(_SECRET_BYTES))
        secret = path.read_bytes()
        if len(secret) != _SECRET_BYTES:
            raise StorageError(f"'{path}' was altered.", "Restore the file, or ask for a new study.")
        return secret

    def _last(self) -> Answered | None:
        """Return the last reply; a journaled request whose reply was not stored has not left, and is asked again."""
        path = self.folder / "reply"
        stored = None
        if path.exists():
            content, arrays = decode(path.read_bytes())
            stored = Answered(content["number"], content["digest"], arrays["data"].tobytes())
        last = None
        for last, _ in self.journal.records():  # noqa: B007 (the last one is needed)
            pass
        if last is not None and (stored is None or stored.number != last["number"]):
            self.journal.drop_last()
        return stored

    def check_table(self, fingerprint: str) -> None:
        """Keep the fingerprint of the site's table.

        Raises
        ------
        StorageError
            When requests were answered from another table.
        """
        path = self.folder / "table"
        if len(self.journal) and path.exists() and path.read_text(encoding="ascii") != fingerprint:
            raise StorageError(
                "The table is not the one that this study began with.",
                "Give the same file as before, or ask for a new study.",
            )
        write_private(path, fingerprint.encode("ascii"))

    @property
    def approval(self) -> JsonObject | None:
        """What the operator approved; None before that."""
        path = self.folder / "approval.json"
        if not path.exists():
            return None
        record: JsonObject = json.loads(path.read_text(encoding="utf-8"))
        return record

    def approve(self, digest: str, proposal: JsonObject) -> None:
        """Keep the operator's approval of a proposal."""
        record = {"digest": digest, "approved": _now(), "proposal": proposal}
        write_private(self.folder / "approval.json", json.dumps(record, indent=2).encode())

    def replay(self, site: Site) -> int:
        """Bring a site to where it was, and return the number of requests that were answered again."""
        for content, arrays in self.journal.records():
            site.answered.update({int(number): digest for number, digest in content["answered"].items()})
            if content["request"] is None:
                continue
            request = Request(content["number"], content["request"]["kind"], content["request"]["content"], arrays)
            MESSAGES.require(request.kind).answer(site, request)
            self._stateful[request.number] = content["digest"]
        return len(self._stateful)

    def has_taken(self, request: Request) -> bool:
        """Return whether a request that later ones build on was answered before."""
        return self._stateful.get(request.number) == request_digest(request)

    def check_new(self, request: Request) -> None:
        """Raise DeniedError where a request comes after a later one, or asks something else under the same number."""
        if self.last is not None and request.number <= self.last.number:
            raise DeniedError(
                f"Request {request.number} came after request {self.last.number} was answered.",
                "Start a new study: the coordinator has lost its journal.",
            )

    def keep(self, request: Request, site: Site, known: dict[int, str], data: bytes) -> None:
        """Store an answered request and its reply, before the reply leaves.

        Parameters
        ----------
        request : Request
            The request.
        site : Site
            The site.
        known : dict of int to str
            Promises of the site for sums before the request, as `Site.answered`.
        data : bytes
            The reply.
        """
        digest, stateful = request_digest(request), MESSAGES[request.kind].stateful
        added = {str(number): value for number, value in site.answered.items() if number not in known}
        content: JsonObject = {"number": request.number, "digest": digest, "answered": added, "request": None}
        if stateful:
            content["request"] = {"kind": request.kind, "content": request.content}
            self._stateful[request.number] = digest
        self.journal.append(content, request.arrays if stateful else {})
        self.last = Answered(request.number, digest, data)
        stored: Arrays = {"data": np.frombuffer(data, dtype=np.uint8)}
        write_private(self.folder / "reply", encode({"number": request.number, "digest": digest}, stored))

    def log(self, number: int, kind: str, data: bytes, *, masked: bool = False, note: str = "") -> None:
        """Note a message that leaves, before it does.

        Parameters
        ----------
        number : int
            Number of the request.
        kind : str
            Key of `MESSAGES`.
        data : bytes
            Bytes that leave.
        masked : bool, default=False
            Whether its arrays are masked.
        note : str, default=""
            "again" for the same bytes another time, "error" for the words of an error.
        """
        line: dict[str, Any] = {
            "time": _now(),
            "number": number,
            "kind": kind,
            "title": MESSAGES[kind].title if kind in MESSAGES else "",
            "bytes": len(data),
            "masked": masked,
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        if note:
            line["note"] = note
        with os_errors_explained("Writing messages.jsonl"):
            os.write(self._log, (json.dumps(line) + "\n").encode())

    def close(self) -> None:
        """Close the files."""
        self.journal.close()
        os.close(self._log)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
