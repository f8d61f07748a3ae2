"""Components of pipelines: versions whose content never changes, labels, and the files that they keep."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from core.access import LOCAL
from core.catalog import components
from core.errors import InputError, NotFoundError
from core.storage import get_store
from tests.collecting import collect


def add(source, version=None, name="prep", **options):
    return components.add(name, source, version=version, **{"access": LOCAL} | options)


def test_the_same_content_is_stored_once_and_other_content_under_its_version_is_refused(home):
    first, new = add("type: command", "1.0", code={"main.py": "d" * 64}, access=replace(LOCAL, actor="ada"))
    assert new
    assert components.get("prep", version="1.0", access=LOCAL) == first
    assert components.by_id(first.id, access=LOCAL) == first
    again, new = add("type: command", "1.0", code={"main.py": "d" * 64}, access=replace(LOCAL, actor="bob"))
    assert (again, new) == (first, False)
    for source, code in (("type: command ", {"main.py": "d" * 64}), ("type: command", {"main.py": "e" * 64})):
        with pytest.raises(InputError, match=r"Version '1\.0' of the component 'prep'"):
            add(source, "1.0", code=code)
    assert [row.who for row in components.history("prep", access=LOCAL)] == ["ada"]


def test_digest_tells_all_contents_apart():
    contents = [("ab", {}), ("a", {"b": "c"}), ("a", {"b": "d"}), ("a", {"c": "b"}), ("", {}), ("a", {})]
    assert len({components.content_digest(*content) for content in contents}) == len(contents)
    assert components.content_digest("a", {"x": "1", "y": "2"}) == components.content_digest("a", {"y": "2", "x": "1"})


def test_numbers_follow_the_highest_version(home):
    assert [add(text)[0].version for text in "abc"] == ["1", "2", "3"]
    assert add("c") == (components.get("prep", version="3", access=LOCAL), False)
    assert add("a")[0].version == "4"
    add("x", "12.5")
    assert add("y")[0].version == "13"
    assert add("y", name="other")[0].version == "1"


@pytest.mark.parametrize(
    "order",
    [
        ["1", "2", "9", "10", "11"],
        ["0.9.2", "0.10.0", "1.0.0-beta", "1.0.0", "1.0.1"],
        ["v1", "v2", "v10"],
        ["2024-02-01", "2024-10-01", "2025-01-01"],
        ["beta2", "beta10", "1"],
    ],
)
def test_latest_is_the_highest_version_whatever_was_added_last(home, order):
    for index, version in enumerate(reversed(order)):
        add(str(index), version)
    assert [row.version for row in components.versions("prep", access=LOCAL)] == order[::-1]
    assert [row.version for row in components.history("prep", access=LOCAL)] == order
    for asked in ({}, {"label": "latest"}):
        assert components.get("prep", **asked, access=LOCAL).version == order[-1]


def test_a_label_is_on_one_version_and_errors_list_what_there_is(home):
    for version in ("1", "2", "3"):
        add(version, version)
    components.set_label("prep", "1", "stable", access=LOCAL)
    components.set_label("prep", "1", "old", access=LOCAL)
    components.set_label("prep", "2", "stable", access=LOCAL)
    assert components.get("prep", label="stable", access=LOCAL).version == "2"
    assert components.get("prep", label="old", access=LOCAL).version == "1"
    assert components.get("prep", version="1", access=LOCAL).labels == ["old"]
    for asked, hint in (
        ({"version": "7"}, "Versions: 3, 2, 1."),
        ({"label": "table"}, "Labels: latest, old, stable."),
    ):
        with pytest.raises(NotFoundError, match="component 'prep'") as caught:
            components.get("prep", **asked, access=LOCAL)
        assert caught.value.hint == hint
    with pytest.raises(NotFoundError, match="no component 'prepp'") as caught:
        components.get("prepp", access=LOCAL)
    assert caught.value.hint == "Components: prep."
    with pytest.raises(NotFoundError):
        components.get("prep", access=replace(LOCAL, workspace="other"))
    with pytest.raises(InputError, match="latest"):
        components.set_label("prep", "1", "latest", access=LOCAL)


def test_archived_versions_are_not_the_latest_but_can_be_named(home):
    add("a", "1")
    add("b", "2")
    components.set_label("prep", "2", "stable", access=LOCAL)
    components.archive("prep", "2", access=LOCAL)
    assert components.get("prep", access=LOCAL).version == "1"
    assert components.get("prep", version="2", access=LOCAL).labels == []
    assert [row.version for row in components.versions("prep", access=LOCAL)] == ["1"]
    assert len(components.versions("prep", archived=True, access=LOCAL)) == 2
    with pytest.raises(InputError, match="archived"):
        components.set_label("prep", "2", "stable", access=LOCAL)
    assert add("c")[0].version == "3"  # an archived number is not used again
    for version in ("1", "3"):
        components.archive("prep", version, access=LOCAL)
    assert components.names(access=LOCAL) == []
    with pytest.raises(NotFoundError, match="archived"):
        components.get("prep", access=LOCAL)
    components.restore("prep", "2", access=LOCAL)
    assert components.names(access=LOCAL) == ["prep"]
    assert components.names(access=replace(LOCAL, workspace="other")) == []


@pytest.mark.parametrize("name", ["", " ", "../up", "a b", ".hidden", "x" * 201, "né"])
def test_names_and_versions_that_cannot_be_written_in_a_reference_are_refused(home, name):
    with pytest.raises(InputError, match="not a usable name"):
        add("a", name=name)
    with pytest.raises(InputError, match="not a usable version"):
        add("a", version=name)


def test_processes_that_add_at_once_get_numbers_of_their_own(catalog):
    with ThreadPoolExecutor(4) as pool:
        rows = [row for row, _ in pool.map(lambda number: add(f"content {number}"), range(8))]
    assert sorted(int(row.version) for row in rows) == list(range(1, 9))
    assert {row.source for row in components.history("prep", access=LOCAL)} == {f"content {n}" for n in range(8)}


def test_code_stays(home):
    digest = get_store().put_bytes(b"print()")
    add("a", code={"src/main.py": digest})
    collect(digest)
    assert get_store().exists(digest)
