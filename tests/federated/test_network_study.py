"""A study between processes, from tokens to the result: the simulation's model, over TLS, with a log at each site."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from core.federated import MESSAGES, FederatedResult
from core.federated.network.certificates import read_token, write_private
from tests.federated.conftest import predictions
from tests.federated.network_processes import Network, Recorder, until
from tests.federated.tables import SITES, sites_table


@pytest.fixture(scope="module")
def study(make_network: Callable[..., Network]) -> SimpleNamespace:
    """A study that has ended, and the bytes between one site and the server."""
    network = make_network()
    recorder = Recorder(network.port)
    token = replace(read_token(network.tokens["north"]), address=f"127.0.0.1:{recorder.port}")
    network.tokens["north"] = network.folder / "north.token"
    write_private(network.tokens["north"], token.to_text().encode())
    coordinator = network.start_study()
    sites = {site: network.start_site(site) for site in SITES}
    assert network.finish(coordinator) == 0, network.output("study")
    codes = {site: network.finish(process) for site, process in sites.items()}
    recorder.close()
    return SimpleNamespace(
        network=network,
        codes=codes,
        recorded=bytes(recorder.data),
        result=FederatedResult.load(network.study / "result"),
    )


def test_the_model_is_that_of_the_simulation(study: SimpleNamespace, simulated: FederatedResult) -> None:
    np.testing.assert_allclose(predictions(study.result), predictions(simulated), rtol=0, atol=1e-9)
    assert [record.loss for record in study.result.rounds] == [record.loss for record in simulated.rounds]
    assert study.codes == dict.fromkeys(SITES, 0)
    assert [study.network.state(site) for site in SITES] == ["done"] * 3
    assert study.result.overall is None
    assert study.result.search.test.empty


def test_the_evidence_of_each_site_is_that_of_the_simulation(
    study: SimpleNamespace, simulated: FederatedResult
) -> None:
    by_name = {item.site: item for item in simulated.sites}
    assert {item.site for item in study.result.sites} >= {"north", "south"}  # a class has too few test rows in the west
    for here in study.result.sites:
        there = by_name[here.site]
        assert (here.site, here.train, here.test) == (there.site, there.train, there.test)
        for model in ("federated", "local"):
            assert here.metrics[model]["roc_auc"].value == pytest.approx(
                there.metrics[model]["roc_auc"].value, abs=6e-4
            )
        assert here.gain is not None
        assert there.gain is not None
        assert here.gain.value == pytest.approx(there.gain.value, abs=6e-4)  # three digits leave a site
    groups = json.loads((study.network.study / "groups.json").read_text())
    assert {record["column"] for record in groups["north"]} == {"job", "age"}
    assert all(row["n"] >= 10 for site in SITES for record in groups[site] for row in record["metrics"])


def test_nothing_on_the_wire_is_plain_text(study: SimpleNamespace) -> None:
    assert len(study.recorded) > 20_000
    words = [*sites_table().columns, "nurse", "describe", "participants", "plumbline", "north", '{"', "PLF1"]
    for word in words:
        plain = word.encode()
        if len(plain) > 3:  # shorter ones are in any random bytes of this length
            assert plain not in study.recorded, word


def test_each_site_has_a_log_of_every_message_that_left(study: SimpleNamespace) -> None:
    messages = study.result.messages
    for site in SITES:
        folder = study.network.site_folder(site)
        lines = [json.loads(line) for line in (folder / "messages.jsonl").read_text().splitlines()]
        asked = messages[messages["site"] == site]
        assert [(line["number"], line["kind"]) for line in lines] == list(
            asked[["number", "kind"]].itertuples(index=False, name=None)
        )
        assert [line["masked"] for line in lines] == list(asked["masked"])
        assert all(line["title"] == MESSAGES[line["kind"]].title and len(line["sha256"]) == 64 for line in lines)
        assert all(line["bytes"] > received for line, received in zip(lines, asked["received"], strict=True))
    last = (study.network.site_folder("west") / "reply").read_bytes()
    assert hashlib.sha256(last[-lines[-1]["bytes"] :]).hexdigest() == lines[-1]["sha256"]


def test_what_is_kept_is_private(study: SimpleNamespace) -> None:
    folders = [study.network.study, *(study.network.site_folder(site) for site in SITES)]
    for folder in folders:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for path in folder.iterdir():
            assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    secrets = {(study.network.site_folder(site) / "secret").read_bytes() for site in SITES}
    assert len(secrets) == 3


def test_the_result_is_made_again_from_the_journal_alone(study: SimpleNamespace) -> None:
    network = study.network
    (network.study / "result" / "federated.json").unlink()
    again = network.start_study()
    assert network.finish(again) == 0, network.output("study")
    result = FederatedResult.load(network.study / "result")
    np.testing.assert_array_equal(predictions(result), predictions(study.result))
    until(lambda: network.states()["phase"] == "finished", "the state")
