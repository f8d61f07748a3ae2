"""Texts that a database cannot hold are refused in words, whoever sends them and wherever they come."""

from dataclasses import replace

import pytest

from core.access import LOCAL
from core.catalog import Dataset, Run, audit, datasets, events, invitations, promotions, runs, workspaces
from core.catalog.engine import get_engine
from core.errors import InputError, PlumblineError
from core.progress import Event

PERSON = "ada@example.org"


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_texts_that_no_database_holds_are_refused_in_words(catalog, text):
    digests = dict.fromkeys(("fingerprint", "data_digest", "profile_digest"), "d" * 64)
    table = Dataset(workspace="local", name="n", rows=1, columns=1, size_bytes=1, **digests)
    table, _ = datasets.add(table, access=LOCAL)
    actions = [
        lambda: datasets.get(text, access=LOCAL),
        lambda: runs.get(text, access=LOCAL),
        lambda: workspaces.enter(text, PERSON),
        lambda: invitations.accept(text, PERSON),
        lambda: promotions.confirm(text, access=replace(LOCAL, actor=PERSON)),
    ]
    for action in actions:
        with pytest.raises(PlumblineError):
            action()
    if "\0" in text and get_engine().dialect.name == "sqlite":
        return  # it holds them
    for store in (
        lambda: datasets.rename(table.id, text, access=LOCAL),
        lambda: runs.add(Run(workspace="local", task="t", title=text), access=LOCAL),
        lambda: audit.add("upload", text, access=LOCAL),
        lambda: audit.add("upload", "x", access=replace(LOCAL, actor=text)),
    ):
        with pytest.raises(InputError, match="not one that the catalog can hold"):
            store()
    assert datasets.get(table.id, access=LOCAL).name == "n"


def test_a_number_beyond_those_of_the_database_is_refused(catalog):
    with pytest.raises(InputError, match="not one that the catalog can hold"):
        audit.find(before=10**30, access=LOCAL)


def test_events_keep_what_can_be_kept_of_names_in_files(catalog):
    run = runs.add(Run(workspace="local", task="t", title="t"), access=LOCAL)
    events.append(run.id, Event("re\0ad", 0.5, "column a\0b\ud800", {"name": "a\0b\ud800"}), access=LOCAL)
    (event,) = events.read(run.id, access=LOCAL)
    assert (event.phase, event.message) == ("re?ad", "column a?b?")
    assert event.values["name"][1:2] == "\0"
