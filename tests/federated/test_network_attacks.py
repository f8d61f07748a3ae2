"""What a study between machines refuses: other certificates, other names, other messages, and anything unapproved."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.federated.network.certificates import Authority, read_token, write_private
from core.federated.network.study_folder import create_study
from tests.federated import attackers
from tests.federated.conftest import SETTINGS
from tests.federated.network_processes import Network, run_site, until, wait_for_server


@pytest.fixture(scope="module")
def network(make_network: Callable[..., Network], tmp_path_factory: pytest.TempPathFactory) -> Network:
    """A study whose server runs, which one site has joined, and which others attack in the meantime."""
    network = make_network()
    network.start_study()
    network.start_site("south")
    until(lambda: network.state("south") == "approved", "the first site")
    folder = tmp_path_factory.mktemp("others")
    create_study(folder / "other", SETTINGS, ("north", "south", "west"), f"127.0.0.1:{network.port}")
    attack = {
        "liar": (attackers.site_that_lies, str(network.tokens["north"])),
        "borrower": (attackers.site_under_another_name, str(network.tokens["north"])),
        "stranger": (attackers.site_of_another_study, str(folder / "other" / "north.token")),
    }
    started = [
        network.start(function, f"{name}.out", token, str(folder / name), str(network.folder / f"{name}.json"))
        for name, (function, token) in attack.items()
    ]
    for process in started:
        assert network.finish(process) == 0
    return network


def answers_of(network: Network, name: str) -> dict[str, Any]:
    return dict(json.loads((network.folder / f"{name}.json").read_text()))


def handshake(network: Network, folder: Path, certificate: str, key: str) -> bool:
    """Connect to the server as a site would, and return whether it lets the connection stand."""
    (folder / "own.pem").write_text(certificate + key)
    context = ssl.create_default_context(cadata=read_token(network.tokens["north"]).authority)
    context.check_hostname = False
    if certificate:
        context.load_cert_chain(folder / "own.pem")
    with (
        socket.create_connection(("127.0.0.1", network.port), 5) as plain,
        context.wrap_socket(plain) as connection,
    ):
        connection.settimeout(1)
        try:
            return bool(connection.recv(1))
        except TimeoutError:
            return True


def test_other_certificates_are_refused(network: Network, tmp_path: Path) -> None:
    token = read_token(network.tokens["north"])
    silent = [socket.create_connection(("127.0.0.1", network.port)) for _ in range(20)]  # they hold nobody up
    assert handshake(network, tmp_path, token.certificate, token.key)
    other = Authority.create("another study").for_site("north")
    with pytest.raises(ssl.SSLError, match=r"(?i)unknown.ca"):
        handshake(network, tmp_path, other.certificate, other.key)
    with pytest.raises(ssl.SSLError, match=r"(?i)certificate.required"):
        handshake(network, tmp_path, "", "")
    with pytest.raises(ssl.SSLError, match=r"(?i)mismatch"):
        handshake(network, tmp_path, token.certificate, other.key)
    for connection in silent:
        connection.close()


def test_a_site_of_another_study_cannot_join(network: Network) -> None:
    assert answers_of(network, "stranger") == {"connected": False}


def test_a_site_cannot_act_as_the_server(network: Network, tmp_path: Path) -> None:
    """North has a certificate of the study's authority, and stands between south and the server."""
    token = read_token(network.tokens["north"])
    (tmp_path / "own.pem").write_text(token.certificate + token.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        write_private(
            tmp_path / "west.token", replace(read_token(network.tokens["west"]), address=address).to_text().encode()
        )
        process = network.start(run_site, "west between.out", ["show", str(tmp_path / "west.token")])
        plain, _ = listener.accept()
        with (
            pytest.raises((ssl.SSLError, ConnectionError)) as refused,
            context.wrap_socket(plain, server_side=True) as connection,
        ):
            connection.recv(1)
        network.kill(process)
    assert "certificate" in str(refused.value).lower()


def test_a_site_that_lies_is_not_heard(network: Network) -> None:
    answers = answers_of(network, "liar")
    assert answers.pop("plain") == "ok"
    assert answers.pop("no message") == "invalid_request"
    assert set(answers.values()) == {"timeout"}, answers
    assert network.state("south") == "approved"
    assert network.output("study").count("A message was dropped") >= len(answers)
    assert not (network.site_folder("south") / "messages.jsonl").read_text()


def test_a_site_under_another_name_is_not_heard(network: Network) -> None:
    assert answers_of(network, "borrower") == {"answered": False}
    assert network.state("south") == "approved"


def test_a_site_answers_what_was_approved_and_nothing_else(
    make_network: Callable[..., Network], tmp_path: Path
) -> None:
    network = make_network()
    output, go = tmp_path / "answers.json", tmp_path / "go"
    arguments = (str(network.study), "south", str(go), str(output))
    server = network.start(attackers.server_that_asks_for_more, "server.out", *arguments)
    wait_for_server(network.port)
    network.start(run_operator, "south.out", network.site_arguments("south", approve=False), str(go))
    network.finish(server)
    answers = json.loads(output.read_text())
    assert answers["before approval"] == {"state": "waiting"}
    assert answers["describe"]["state"] == "done"
    assert answers["describe again"] == answers["describe"]
    errors = {name: answer["message"] for name, answer in answers.items() if "message" in answer}
    assert errors == {
        "the same number": "Request 1 came after request 1 was answered.",
        "another kind": "Messages of the kind 'leaf' are not part of what was approved.",
        "an unknown kind": "Messages of the kind 'rows' are not part of what was approved.",
        "other settings": "The settings in 'describe' are not those that were approved.",
        "a plan with other settings": "The settings in 'plan' are not those that were approved.",
        "a value of its own": "It could not answer 'moments' (InputError).",
    }
    assert answers["objects"] == answers["objects as a reply"] == "timeout"
    log = [json.loads(line) for line in (network.site_folder("south") / "messages.jsonl").read_text().splitlines()]
    assert [(line["kind"], line.get("note", "")) for line in log] == [
        ("describe", ""),
        ("describe", "again"),
        ("categories", "error"),
        ("leaf", "error"),
        ("rows", "error"),
        ("describe", "error"),
        ("plan", "error"),
        ("moments", "error"),
    ]
    assert (network.site_folder("south") / "approval.json").exists()


def run_operator(arguments: list[str], go: str) -> int:
    """Run a site whose operator types "yes" once a file is there."""
    import io
    import sys
    import time

    from core.federated.network.site_command import main

    class Keyboard(io.StringIO):
        def readline(self, size: int = -1) -> str:  # type: ignore[override]
            while not Path(go).exists():
                time.sleep(0.02)
            return "yes\n"

    sys.stdin = Keyboard()
    return main(arguments)


def test_an_operator_who_does_not_approve_ends_it(make_network: Callable[..., Network]) -> None:
    plain = {"algorithm": "fedavg", "secure_sums": False, "min_sites": 1}
    network = make_network(SETTINGS.model_copy(update=plain), approval_timeout_s=60)
    coordinator = network.start_study()
    sites = [network.start_site("north", answer="no\n")]
    sites.append(network.start_site("south", answer=""))
    network.tables["west"].write_text("age,job\n1,clerk\n2,nurse\n")
    sites.append(network.start_site("west"))
    assert [network.finish(site) for site in sites] == [1, 1, 1]
    assert network.finish(coordinator) == 1
    assert "0 of 3 sites have approved, and 1 are needed: " in network.output("study")
    assert network.states()["phase"] == "failed"
    for site in ("north", "south"):
        assert not (network.site_folder(site) / "messages.jsonl").read_text()
        assert not (network.site_folder(site) / "approval.json").exists()
        assert "Not approved; nothing was shared." in network.output(site)
    assert "The site 'west' has no column 'ill'. Leave the site out." in network.output("west")
    assert network.states()["sites"]["north"]["reason"] == "Its operator has not approved the study."
