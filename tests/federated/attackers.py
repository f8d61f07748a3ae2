"""Processes that use the certificates of a study against its rules; each writes what it was answered to a file."""

from __future__ import annotations

import collections
import json
import time
from pathlib import Path
from typing import Any

from core.federated.network.cells import CHANNEL, StudyCell
from core.federated.network.certificates import SERVER, Certificate, read_token
from core.federated.network.study_folder import load_certificates, load_study
from core.federated.protocol.message import encode

ANSWER_S, DROPPED_S = 5.0, 0.4


def _connected(cell: StudyCell, name: str, deadline_s: float = 20) -> bool:
    end = time.monotonic() + deadline_s
    while time.monotonic() < end and not cell.reaches(name):
        time.sleep(0.05)
    return cell.reaches(name)


def _send(cell: StudyCell, to: str, topic: str, payload: Any, timeout_s: float = DROPPED_S, **headers: str) -> str:
    """Send what NVFLARE would, with other headers, and return the code of the answer."""
    from nvflare.fuel.f3.message import Message

    core = cell._cell
    real = core._send_to_endpoint

    def forged(to_endpoint: Any, message: Any) -> Any:
        message.add_headers(headers)
        return real(to_endpoint, message)

    core._send_to_endpoint = forged
    try:
        reply = core.send_request(CHANNEL, topic, to, Message({}, payload), timeout=timeout_s)
    finally:
        core._send_to_endpoint = real
    return str(reply.get_header("cn__return_code"))


def site_that_lies(token_path: str, folder: str, output: str) -> int:
    """A site that is part of the study, and sends what it may not."""
    token = read_token(token_path)
    Path(folder).mkdir()
    own = Certificate(token.certificate, token.key)
    cell = StudyCell(token.site, token.address, token.authority, own, Path(folder))
    cell.start()
    assert _connected(cell, SERVER)
    refusal = encode({"state": "refused", "reason": "forged"}, {})
    to_site = encode({"number": 1, "kind": "describe", "content": {}, "missed": False}, {})
    objects = collections.OrderedDict(state="refused")
    answers = {
        "plain": _send(cell, SERVER, "proposal", encode({}, {}), ANSWER_S),
        "under another name": _send(cell, SERVER, "state", refusal, cn__origin="south"),
        "under another name, wholly": _send(cell, SERVER, "state", refusal, cn__origin="south", cn__from="south"),
        "under the server's name to another site": _send(cell, "south", "ask", to_site, cn__origin="server"),
        "to another site": _send(cell, "south", "ask", to_site),
        "as a reply to another site": _send(cell, "south", "ask", to_site, cn__msg_type="reply"),
        "objects": _send(cell, SERVER, "state", objects),
        "objects as a reply": _send(cell, SERVER, "state", objects, cn__msg_type="reply"),
        "another type": _send(cell, SERVER, "state", refusal, cn__msg_type="return"),
        "an address": _send(cell, SERVER, "state", refusal, cn__conn_url="tcp://127.0.0.1:1"),
        "no message": _send(cell, SERVER, "state", b"PLF1 nothing", ANSWER_S),
    }
    Path(output).write_text(json.dumps(answers))
    cell.stop()
    return 0


def site_under_another_name(token_path: str, folder: str, output: str) -> int:
    """A site that connects with its own certificate under the name of another one."""
    token = read_token(token_path)
    Path(folder).mkdir()
    cell = StudyCell("south", token.address, token.authority, Certificate(token.certificate, token.key), Path(folder))
    cell.start()
    _connected(cell, SERVER, 1)
    answered = cell.send(SERVER, "state", {"state": "refused", "reason": "forged"}, timeout_s=DROPPED_S)
    Path(output).write_text(json.dumps({"answered": answered is not None}))
    return 0


def site_of_another_study(token_path: str, folder: str, output: str) -> int:
    """A site with the certificate of another study's authority."""
    token = read_token(token_path)
    Path(folder).mkdir()
    own = Certificate(token.certificate, token.key)
    cell = StudyCell(token.site, token.address, token.authority, own, Path(folder))
    cell.start()
    Path(output).write_text(json.dumps({"connected": _connected(cell, SERVER, 2)}))
    return 0


def server_that_asks_for_more(study: str, site: str, go: str, output: str) -> int:
    """A coordinator that asks a site before and after its approval what it may not."""
    network = load_study(study)
    authority, own = load_certificates(study)
    cell = StudyCell(SERVER, network.address, authority, own, Path(study))
    proposal = {
        "study": network.study,
        "address": network.address,
        "sites": list(network.sites),
        "settings": network.settings.model_dump(mode="json"),
    }
    cell.on("proposal", lambda sender, content, arrays: (proposal, {}))
    cell.on("state", lambda sender, content, arrays: ({}, {}))
    cell.start()
    assert _connected(cell, site, 30)
    settings = proposal["settings"]

    def ask(number: int, kind: str, **content: Any) -> Any:
        request = {"number": number, "kind": kind, "content": content, "missed": False}
        answered = None
        end = time.monotonic() + 10
        while time.monotonic() < end and (answered is None or answered["state"] in ("busy", "working")):
            reply = cell.send(site, "ask", request, timeout_s=ANSWER_S)
            answered = None if reply is None else reply[0]
        return answered

    answers: dict[str, Any] = {"before approval": ask(1, "describe", settings=settings)}
    Path(go).touch()
    while cell.send(site, "ping", {}, timeout_s=ANSWER_S)[0]["state"] != "approved":  # type: ignore[index]
        time.sleep(0.05)
    answers["describe"] = ask(1, "describe", settings=settings)
    answers["describe again"] = ask(1, "describe", settings=settings)
    answers["the same number"] = ask(1, "categories")
    answers["another kind"] = ask(2, "leaf", leaf=0, new=1, feature=0, position=0, asked=0)
    answers["an unknown kind"] = ask(3, "rows")
    changed = {**settings, "test_fraction": 0.0}
    answers["other settings"] = ask(4, "describe", settings=changed)
    plan = {"task": "binary", "labels": ["no", "yes"], "columns": {"age": "numeric"}, "public_keys": {}}
    answers["a plan with other settings"] = ask(5, "plan", settings=changed, **plan)
    answers["a value of its own"] = ask(6, "moments")
    answers["objects"] = _send(cell, site, "ask", collections.OrderedDict(number=7))
    answers["objects as a reply"] = _send(cell, site, "ask", collections.OrderedDict(a=1), cn__msg_type="reply")
    cell.send(site, "end", {}, timeout_s=ANSWER_S)
    Path(output).write_text(json.dumps(answers))
    cell.stop()
    return 0
