"""Processes that die in the midst of a study, and come back or do not."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import numpy as np
import pytest

from core.federated import FederatedResult, FederatedSettings, federate
from tests.federated.conftest import SETTINGS, predictions
from tests.federated.network_processes import Network, until
from tests.federated.tables import SITES


def test_a_site_and_the_coordinator_are_killed_and_the_result_is_the_same(
    make_network: Callable[..., Network], simulated: FederatedResult
) -> None:
    network = make_network()
    coordinator = network.start_study()
    south, south_pauses = network.start_pausing_site("south", "slope", 1)
    _, west_pauses = network.start_pausing_site("west", "slope", 3)
    network.start_site("north")

    until(south_pauses.exists, "the second round")
    network.kill(south)
    until(lambda: network.state("south") == "away", "the end of the connection")
    network.start_site("south")

    until(west_pauses.exists, "the fourth round")
    network.kill(coordinator)
    west = network.processes[2]
    network.kill(west)
    coordinator = network.start_study()
    network.start_site("west")
    assert network.finish(coordinator) == 0, network.output("study")

    result = FederatedResult.load(network.study / "result")
    np.testing.assert_array_equal(predictions(result), predictions(simulated))
    assert [record.missing for record in result.rounds] == [[]] * len(result.rounds)
    assert all("Approved; answering" in network.output(site) for site in SITES)
    assert network.output("south").count("What leaves your site") == 1  # it was not asked again
    log = (network.site_folder("south") / "messages.jsonl").read_text()
    numbers = [line for line in log.splitlines() if '"kind": "slope"' in line and "again" not in line]
    assert len(numbers) == len(result.rounds)


@pytest.mark.nightly
def test_a_site_that_never_returns_is_missing(make_network: Callable[..., Network]) -> None:
    network = make_network(answer_timeout_s=1.5)
    coordinator = network.start_study()
    network.start_site("north")
    network.start_site("south")
    west, pauses = network.start_pausing_site("west", "slope", 2)
    until(pauses.exists, "the third round")
    os.kill(west.pid, signal.SIGSTOP)  # frozen: its connection stays
    assert network.finish(coordinator) == 0, network.output("study")
    result = FederatedResult.load(network.study / "result")
    missing = [record.missing for record in result.rounds]
    assert missing == [[], [], *[["west"]] * (len(missing) - 2)]
    assert "west" not in result.by_site.index
    messages = [finding.message for finding in result.findings if finding.check in ("site_missing", "site_untested")]
    assert messages[0].startswith(
        f"'west' was missing in {len(missing) - 2} of {len(missing)} rounds, first in round 3"
    )
    assert messages[1].startswith("'west' did not test the model.")
    assert network.states()["sites"]["west"]["state"] == "away"
    assert network.states()["sites"]["west"]["missed"]


@pytest.mark.nightly
def test_a_site_that_was_away_gets_what_later_requests_build_on(make_network: Callable[..., Network]) -> None:
    """Trees grow on what sites remember of earlier ones; one that missed some catches up without sending anything."""
    settings = SETTINGS.model_copy(update={"algorithm": "boosting", "rounds": 12})
    settings = FederatedSettings(**settings.model_dump())
    network = make_network(settings, answer_timeout_s=1.5)
    coordinator = network.start_study()
    network.start_site("north")
    network.start_site("south")
    west, pauses = network.start_pausing_site("west", "leaf", 5)
    until(pauses.exists, "the sixth leaf")
    network.kill(west)
    until(lambda: len(network.states()["sites"]["west"]["missed"]) > 3, "requests that the site misses")
    network.start_site("west")
    assert network.finish(coordinator) == 0, network.output("study")
    result = FederatedResult.load(network.study / "result")
    missing = [bool(record.missing) for record in result.rounds]
    assert any(missing)
    assert not missing[-1]
    # It answered at the end: that too few of its test rows have a class is what it said.
    assert any("'west' did not test the model. A class" in finding.message for finding in result.findings)


@pytest.mark.nightly
def test_trees_are_those_of_the_simulation_although_a_site_was_killed(make_network: Callable[..., Network]) -> None:
    from core.datasets import read_table

    settings = FederatedSettings(**{**SETTINGS.model_dump(), "algorithm": "boosting", "rounds": 5})
    network = make_network(settings)
    coordinator = network.start_study()
    network.start_site("north")
    network.start_site("south")
    west, pauses = network.start_pausing_site("west", "leaf", 9)
    until(pauses.exists, "the tenth leaf")
    network.kill(west)
    network.start_site("west")
    assert network.finish(coordinator) == 0, network.output("study")
    result = FederatedResult.load(network.study / "result")
    same = federate({site: read_table(path).frame for site, path in network.tables.items()}, settings)
    np.testing.assert_array_equal(predictions(result), predictions(same))
