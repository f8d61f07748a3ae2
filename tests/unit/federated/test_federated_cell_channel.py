"""How a coordinator asks sites elsewhere: it asks again, waits, gives up, catches up, and repeats its journal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.errors import RemoteError, StorageError
from core.federated.network import cell_channel
from core.federated.network.cell_channel import CellChannel
from core.federated.network.journal import Journal
from core.federated.protocol.message import Request

Script = Callable[[str, str, dict[str, Any]], Any]
NORTH_SOUTH = ("north", "south")


def done(**content: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"state": "done", "content": content}, {"x": np.arange(2.0)}


class FakeServer:
    """A server whose sites answer by a function of site, topic and content."""

    def __init__(self, script: Script, there: set[str] | None = None) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.there = set(NORTH_SOUTH) if there is None else there
        self.missed: list[tuple[str, int]] = []
        self.network = SimpleNamespace(
            answer_timeout_s=0.3, work_timeout_s=5.0, settings=SimpleNamespace(min_sites=1), sites=NORTH_SOUTH
        )
        self.states = SimpleNamespace(missed=lambda site, number: self.missed.append((site, number)))
        self._script = script
        self.cell = self

    def send(self, site: str, topic: str, content: Any, arrays: Any = None, *, timeout_s: float) -> Any:
        self.asked.append((site, topic, content.get("number", content.get("key"))))
        return self._script(site, topic, content)

    def is_there(self, site: str) -> bool:
        return site in self.there

    def sign_of_life(self, site: str, state: str, reason: str = "") -> None:
        pass


def channel_of(server: FakeServer, path: Path) -> CellChannel:
    journal = Journal(path)
    if not len(journal):
        journal.append({"sites": list(NORTH_SOUTH)}, {})
    return CellChannel(server, journal, NORTH_SOUTH)  # type: ignore[arg-type]


def test_a_site_that_works_is_polled_and_one_that_lost_the_request_asked_again(tmp_path: Path) -> None:
    answers = iter(
        [
            None,
            ({"state": "working", "key": "k"}, {}),
            ({"state": "unknown"}, {}),
            ({"state": "busy"}, {}),
            done(rows=3),
        ]
    )
    server = FakeServer(lambda site, topic, content: done() if site == "south" else next(answers))
    replies = channel_of(server, tmp_path / "journal").ask(Request(1, "describe"), NORTH_SOUTH)
    assert [topic for site, topic, _ in server.asked if site == "north"] == ["ask", "ask", "poll", "ask", "ask"]
    assert replies["north"].content == {"rows": 3}
    assert list(replies) == ["north", "south"]


def test_a_site_that_works_for_long_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([({"state": "working", "key": "k"}, {})] * 20 + [done()])

    def answer(site: str, topic: str, content: Any) -> Any:
        clock[0] += 0.2
        return next(answers)

    clock = [0.0]
    monkeypatch.setattr(cell_channel, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=lambda _: None))
    server = FakeServer(answer)
    assert channel_of(server, tmp_path / "journal").ask(Request(1, "slope"), ["north"])
    answers = iter([({"state": "working", "key": "k"}, {})] * 60)
    assert not channel_of(server, tmp_path / "other").ask(Request(1, "slope"), ["north"])


def test_a_silent_site_is_given_up_and_not_waited_for_again(tmp_path: Path) -> None:
    server = FakeServer(lambda site, topic, content: None if site == "south" else done(), {"north"})
    channel = channel_of(server, tmp_path / "journal")
    assert list(channel.ask(Request(1, "plan"), NORTH_SOUTH)) == ["north"]
    server.asked.clear()
    assert list(channel.ask(Request(2, "categories"), NORTH_SOUTH)) == ["north"]
    assert [site for site, _, _ in server.asked] == ["north"]
    assert server.missed == [("south", 1), ("south", 2)]


def test_a_site_that_returns_gets_what_it_missed_first(tmp_path: Path) -> None:
    away = {"south"}
    server = FakeServer(lambda site, topic, content: None if site in away else done(), {"north"})
    channel = channel_of(server, tmp_path / "journal")
    for number, kind in enumerate(("plan", "categories", "features"), start=1):
        channel.ask(Request(number, kind), NORTH_SOUTH)
    away.clear()
    server.there.add("south")
    server.asked.clear()
    assert list(channel.ask(Request(4, "slope"), NORTH_SOUTH)) == ["north", "south"]
    assert [number for site, _, number in server.asked if site == "south"] == [1, 3, 4]
    server.asked.clear()
    channel.ask(Request(5, "slope"), NORTH_SOUTH)
    assert [number for site, _, number in server.asked if site == "south"] == [5]


def test_too_few_sites_are_waited_for(tmp_path: Path) -> None:
    server = FakeServer(lambda site, topic, content: None if site == "south" else done(), {"north"})
    server.network.settings.min_sites = 2
    channel = channel_of(server, tmp_path / "journal")
    channel.ask(Request(1, "slope"), NORTH_SOUTH)
    server.asked.clear()
    channel.ask(Request(2, "slope"), NORTH_SOUTH)
    assert {site for site, _, _ in server.asked} == {"north", "south"}


def test_the_journal_answers_what_was_asked_before(tmp_path: Path) -> None:
    away = {"south"}
    server = FakeServer(lambda site, topic, content: None if site in away else done(rows=7), {"north"})
    first = Journal(tmp_path / "journal")
    first.append({"sites": list(NORTH_SOUTH)}, {})
    asked = Request(1, "plan", {"a": 1}, {"x": np.ones(2)})
    CellChannel(server, first, NORTH_SOUTH).ask(asked, NORTH_SOUTH)  # type: ignore[arg-type]
    first.close()

    server.asked.clear()
    channel = channel_of(server, tmp_path / "journal")
    replies = channel.ask(asked, NORTH_SOUTH)
    assert (list(replies), channel.replayed, server.asked) == (["north"], 1, [])
    np.testing.assert_array_equal(replies["north"].arrays["x"], [0.0, 1.0])
    away.clear()
    server.there.add("south")
    channel.ask(Request(2, "slope"), NORTH_SOUTH)
    assert [number for site, _, number in server.asked if site == "south"] == [1, 2]  # it still has to catch up


def test_the_journal_of_another_program_is_refused(tmp_path: Path) -> None:
    server = FakeServer(lambda *_: done())
    first = Journal(tmp_path / "journal")
    first.append({"sites": list(NORTH_SOUTH)}, {})
    CellChannel(server, first, NORTH_SOUTH).ask(Request(1, "slope", {"a": 1}), NORTH_SOUTH)  # type: ignore[arg-type]
    first.close()
    with pytest.raises(StorageError, match="another request 1"):
        channel_of(server, tmp_path / "journal").ask(Request(1, "slope", {"a": 2}), NORTH_SOUTH)


def test_an_error_of_a_site_names_it(tmp_path: Path) -> None:
    error = {"state": "error", "message": "It has no column 'ill'.", "hint": "Leave the site out."}
    server = FakeServer(lambda site, topic, content: (error, {}) if site == "south" else done())
    with pytest.raises(RemoteError) as raised:
        channel_of(server, tmp_path / "journal").ask(Request(1, "describe"), NORTH_SOUTH)
    assert (raised.value.message, raised.value.hint) == (
        "'south' answers: It has no column 'ill'.",
        "Leave the site out.",
    )


def test_a_site_without_a_key_is_not_part_of_sums(tmp_path: Path) -> None:
    server = FakeServer(lambda site, topic, content: None if site == "south" else done(), {"north"})
    channel = channel_of(server, tmp_path / "journal")
    channel.ask(Request(1, "describe"), NORTH_SOUTH)
    assert channel.sites == ["north"]
