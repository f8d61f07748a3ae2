"""What coordinator and sites keep: tokens, certificates, journals, the memory of a site, states."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509

from core.errors import DeniedError, InputError, NotFoundError, SettingsError, StorageError
from core.federated import FederatedSettings
from core.federated.network.certificates import Authority, Token, read_token
from core.federated.network.journal import Journal, flatten, request_digest, split
from core.federated.network.proposal import Proposal, describe_proposal
from core.federated.network.site_memory import SiteMemory
from core.federated.network.site_states import SiteStates, read_states
from core.federated.network.study_folder import create_study, load_study
from core.federated.protocol.message import Reply, Request, encode
from core.federated.site.answering import answer
from core.federated.site.site import Site
from tests.federated.tables import sites_table

SETTINGS = FederatedSettings(target="ill", algorithm="linear")
SITES = ("north", "south")


def test_a_study_has_a_private_token_for_each_site(tmp_path: Path) -> None:
    tokens = create_study(tmp_path / "study", SETTINGS, SITES, "127.0.0.1:8470", answer_timeout_s=5)
    assert [path.name for path in tokens] == ["north.token", "south.token"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in (tmp_path / "study").iterdir())
    network = load_study(tmp_path / "study")
    assert (network.settings, network.sites, network.answer_timeout_s) == (SETTINGS, SITES, 5)
    token = read_token(tokens[0])
    assert (token.study, token.site, token.address) == (network.study, "north", "127.0.0.1:8470")
    assert "KEY" not in repr(token)
    names = [x509.load_pem_x509_certificate(read_token(path).certificate.encode()).subject for path in tokens]
    assert [name.rfc4514_string() for name in names] == ["CN=north", "CN=south"]
    stored = (tmp_path / "study" / "server.json").read_text()
    assert stored.count("PRIVATE KEY") == 2  # that of the server; the authority's is gone


@pytest.mark.parametrize(
    ("sites", "address", "words"),
    [
        (("north", "server"), "a:1", "cannot be the name of a site"),
        (("north", "so uth"), "a:1", "cannot be the name of a site"),
        (("north", "../x"), "a:1", "cannot be the name of a site"),
        (("north", "North"), "a:1", "the same name"),
        (("north",), "a:1", "min_sites is 2"),
        (SITES, "a", "must be host:port"),
        (SITES, "a:70000", "must be host:port"),
    ],
)
def test_a_study_that_cannot_be_is_refused(tmp_path: Path, sites: tuple[str, ...], address: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        create_study(tmp_path / "study", SETTINGS, sites, address)
    assert not (tmp_path / "study").exists()


def test_folders_that_are_in_use_are_refused(tmp_path: Path) -> None:
    create_study(tmp_path / "study", SETTINGS, SITES, "a:1")
    with pytest.raises(SettingsError, match="not empty"):
        create_study(tmp_path / "study", SETTINGS, SITES, "a:1")
    with pytest.raises(NotFoundError):
        load_study(tmp_path)


@pytest.mark.parametrize("text", ["", "?", "e30=", base64.b64encode(b"[1]").decode(), base64.b64encode(b"{").decode()])
def test_what_is_not_a_token_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_text(text)
    with pytest.raises(InputError, match="token"):
        read_token(tmp_path / "token")
    with pytest.raises(InputError, match="cannot be read"):
        read_token(tmp_path / "absent")


def test_a_token_is_what_it_was() -> None:
    own = Authority.create("0").for_site("north")
    token = Token("0", "north", "a:1", "authority", own.certificate, own.key)
    assert Token.from_text(token.to_text()) == token


def test_a_torn_record_is_left_out_and_an_altered_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal(path)
    for number in range(3):
        journal.append({"number": number}, {"values": np.arange(3.0) + number})
    whole = path.read_bytes()
    with pytest.raises(StorageError, match="Another process"):
        Journal(path)
    journal.close()
    for cut in (1, 40, len(whole) // 3 - 1):
        path.write_bytes(whole[:-cut])
        journal = Journal(path)
        assert [content["number"] for content, _ in journal.records()] == [0, 1]
        journal.append({"number": 2}, {"values": np.arange(3.0) + 2})
        assert path.read_bytes() == whole
        journal.close()
    path.write_bytes(whole[:60] + b"x" + whole[61:])
    with pytest.raises(StorageError, match="was altered"):
        Journal(path)


def test_replies_of_several_sites_are_one_message() -> None:
    replies = {
        "a b": Reply({"rows": 1}, {"x 1": np.arange(2.0)}),
        "c": Reply({}, {}),
        "d": Reply({}, {"y": np.ones(1)}),
    }
    again = split(*flatten(replies))
    assert list(again) == list(replies)
    np.testing.assert_array_equal(again["a b"].arrays["x 1"], [0.0, 1.0])
    assert again["d"].arrays.keys() == {"y"}


def request(number: int, kind: str = "describe") -> Request:
    return Request(number, kind, {"settings": SETTINGS.model_dump(mode="json")} if kind == "describe" else {})


def site_of(memory: SiteMemory) -> Site:
    return Site("north", sites_table().drop(columns="hospital"), memory.secret)


def keep(memory: SiteMemory, site: Site, asked: Request) -> bytes:
    known = dict(site.answered)
    reply = answer(site, asked)
    data = encode(reply.content, reply.arrays)
    memory.keep(asked, site, known, data)
    return data


def plan(public_key: str, number: int) -> Request:
    content = {
        "settings": SETTINGS.model_dump(mode="json"),
        "task": "binary",
        "labels": ["no", "yes"],
        "columns": {"age": "numeric"},
        "public_keys": {"north": public_key, "south": "0" * 64},
    }
    return Request(number, "plan", content)


def test_a_site_remembers_after_a_restart(tmp_path: Path) -> None:
    memory = SiteMemory(tmp_path / "site", "0" * 16)
    site = site_of(memory)
    keep(memory, site, request(1))
    last = keep(memory, site, plan(site.keys.public, 2))
    site.remember(-7, "a sum of masks")
    memory.keep(request(3), site, {}, b"promise")
    secret = memory.secret
    memory.close()

    again = SiteMemory(tmp_path / "site", "0" * 16)
    same = site_of(again)
    assert again.secret == secret
    assert again.replay(same) == 1
    np.testing.assert_array_equal(same.train, site.train)
    assert not same.remember(-7, "another one")
    assert again.has_taken(plan(site.keys.public, 2))
    assert not again.has_taken(request(2))
    with pytest.raises(DeniedError, match="came after request 3"):
        again.check_new(request(3, "categories"))
    again.check_new(request(4))
    assert last
    again.close()


def test_a_reply_that_was_not_stored_is_made_again(tmp_path: Path) -> None:
    memory = SiteMemory(tmp_path / "site", "0" * 16)
    site = site_of(memory)
    keep(memory, site, request(1))
    before = (tmp_path / "site" / "reply").read_bytes()
    keep(memory, site, plan(site.keys.public, 2))
    memory.close()
    (tmp_path / "site" / "reply").write_bytes(before)  # killed between the journal and the reply
    again = SiteMemory(tmp_path / "site", "0" * 16)
    assert again.last is not None
    assert again.last.number == 1
    assert again.replay(site_of(again)) == 0
    again.check_new(plan(site.keys.public, 2))
    again.close()


def test_a_folder_of_another_study_or_table_is_refused(tmp_path: Path) -> None:
    memory = SiteMemory(tmp_path / "site", "0" * 16)
    memory.check_table("a")
    memory.check_table("b")  # nothing was answered yet
    keep(memory, site_of(memory), request(1))
    with pytest.raises(StorageError, match="not the one"):
        memory.check_table("c")
    memory.close()
    with pytest.raises(StorageError, match="another study"):
        SiteMemory(tmp_path / "site", "1" * 16)


def test_the_proposal_says_what_leaves_in_the_site_s_own_words(tmp_path: Path) -> None:
    create_study(tmp_path / "study", SETTINGS, SITES, "a:1")
    network = load_study(tmp_path / "study")
    proposal = Proposal(network.study, network.address, network.sites, network.settings)
    assert Proposal.from_dict(json.loads(json.dumps(proposal.to_dict()))).digest == proposal.digest
    other = Proposal(network.study, network.address, network.sites, SETTINGS.model_copy(update={"l2": 2.0}))
    assert other.digest != proposal.digest
    text = describe_proposal(proposal, Site("north", sites_table().drop(columns="hospital")))
    for words in (
        "Predicts: ill",
        "age: number",
        "job: category",
        "Labels that would be shared: no, yes",
        "Gradient: ",
    ):
        assert words in text
    assert "leaf" not in proposal.message_names
    noisy = SETTINGS.model_copy(update={"algorithm": "fedavg", "noise_multiplier": 1.0})
    text = describe_proposal(Proposal(network.study, "a:1", SITES, noisy))
    assert "depends on the number of your rows" in text
    text = describe_proposal(Proposal(network.study, "a:1", SITES, noisy), Site("north", sites_table()))
    assert "epsilon is at most" in text
    with pytest.raises(DeniedError, match="Sites that were not part"):
        proposal.check(Request(1, "plan", {"public_keys": {"invented": ""}}))


def test_states_are_kept_across_a_restart(tmp_path: Path) -> None:
    assert read_states(tmp_path)["phase"] == "created"
    states = SiteStates(tmp_path, SITES)
    states.set("north", "approved")
    states.set("south", "refused", "No.")
    states.missed("north", 3)
    again = SiteStates(tmp_path, SITES)
    assert [again.of(site) for site in SITES] == ["away", "refused"]
    assert again.reason("south") == "No."
    assert read_states(tmp_path)["sites"]["north"]["missed"] == [3]


def test_a_digest_has_number_and_arrays() -> None:
    digests = {
        request_digest(Request(1, "slope", {}, {"x": np.zeros(1)})),
        request_digest(Request(2, "slope", {}, {"x": np.zeros(1)})),
        request_digest(Request(1, "slope", {}, {"x": np.ones(1)})),
    }
    assert len(digests) == 3
